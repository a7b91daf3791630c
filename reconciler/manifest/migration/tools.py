"""Version 1's tool tables as version 2's list: a name, a name with its rule, or a table where neither is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from reconciler.core.value import Value
from reconciler.manifest.migration.rows import Draft, Item, Row, elements, remarks
from reconciler.manifest.reading.tools import default_rule
from reconciler.manifest.spans import comments
from reconciler.manifest.spelling import WIDTH, spell_inline
from reconciler.manifest.tables.agent import RULES

_OWN = {"id", "name", "rule", "rules", "enabled"}
"""What a tool's table says itself: inside `rules` these words mean nothing, and must not begin to."""


def is_legacy(tools: object) -> bool:
    """Whether some tool of the list is spelt in version 1's way."""
    return isinstance(tools, tuple) and any(_is_legacy_tool(each) for each in cast("tuple[object, ...]", tools))


def _is_legacy_tool(tool: object) -> bool:
    return isinstance(tool, Mapping) and ("id" in tool or "rules" in tool)


def write_inline(draft: Draft, row: Row, tools: Sequence[Value]) -> None:
    """A list `tools = [...]` that holds tables of version 1."""
    found, closing = elements(row.raw)
    items = [
        Item(above, migrated(tool) if _is_legacy_tool(tool) else entry.value.of(row.raw))
        for (above, entry), tool in zip(found, tools, strict=True)
    ]
    _write(draft, items, [*closing, *comments(row.trail)], row.lead)


def write_tables(draft: Draft, rows: Sequence[Row], depth: int, tools: Sequence[Value]) -> None:
    """`[[agent.tools]]` tables; `depth` is where their number stands in a row's path."""
    above: list[list[str]] = [[] for _ in tools]
    for row in rows:
        place = row.path[depth]
        assert isinstance(place, int)
        above[place] += remarks(row) if row is not rows[0] else comments(row.trail)
    items = [Item(tuple(said), migrated(tool)) for said, tool in zip(above, tools, strict=True)]
    _write(draft, items, [], rows[0].lead)


def _write(draft: Draft, items: Sequence[Item], closing: Sequence[str], lead: str) -> None:
    line = f"tools = [{', '.join(item.text for item in items)}]"
    is_plain = not closing and all(item.text.startswith('"') and not item.comments for item in items)
    if is_plain and len(line) <= WIDTH and "\n" not in line:
        draft.line(line, lead)
    else:
        draft.items("tools", items, closing, lead)


def migrated(tool: Value) -> str:
    """The tool as an item of version 2's list; one that nobody could read stays the table it was."""
    if not isinstance(tool, Mapping) or (parts := _parts(tool)) is None:
        return spell_inline(tool)
    name, rule, extra = parts
    if not extra and ":" not in name and name.strip():
        return spell_inline(name if rule == default_rule(name) else f"{name}:{rule}")
    return spell_inline({"name": name, "rule": rule, **extra})


def _parts(tool: Mapping[str, Value]) -> tuple[str, str, dict[str, Value]] | None:
    """Name, rule, and what only a table can say; None where both versions speak at once or a type is wrong."""
    left = dict(tool)
    rules = left.pop("rules", {})
    if not isinstance(rules, Mapping) or rules.keys() & {*left, *_OWN} or ("type" in rules and "rule" in left):
        return None
    left |= {key: held for key, held in rules.items() if key != "type"}
    name = left.pop("name", None) if "id" not in left else left.pop("id")
    rule = rules.get("type", left.pop("rule", default_rule(name) if isinstance(name, str) else ""))
    if not isinstance(name, str) or "name" in left or not isinstance(rule, str) or rule not in RULES:
        return None
    if left.get("enabled") is True:
        del left["enabled"]
    return name, RULES[rule], left
