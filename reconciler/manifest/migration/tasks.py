"""`[background.x]` with its triggers and queries as one `[[task]]`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.core.value import Value
from reconciler.manifest.migration import tools
from reconciler.manifest.migration.rows import (
    Draft,
    Item,
    Pair,
    Row,
    elements,
    expanded,
    inline,
    pairs_in,
    remarks,
    renamed,
    strings,
    without_heading,
)
from reconciler.manifest.spans import Path, comments
from reconciler.manifest.spelling import spell, spell_inline
from reconciler.manifest.tables.tasks import BACKGROUND, TASK

_INSIDE = 2
"""How deep a row of a task stands: behind `background` and the task's name."""

_MOVED: dict[Path, str] = {
    ("triggers", "schedule"): "schedule",
    ("triggers", "manual"): "manual",
    ("triggers", "after_messages"): "after_messages",
    ("triggers", "idle", "enabled"): "on_idle",
    ("triggers", "idle", "threshold_minutes"): "idle_threshold_minutes",
    ("triggers", "idle", "cooldown_minutes"): "idle_cooldown_minutes",
}
_KNOWN_SECTIONS: tuple[Path, ...] = ((), ("triggers",), ("triggers", "idle"))
_TARGET = ("target_block", "target_field")
_QUERY = {"session_scope": "scope", "merge_strategy": "merge"}
_GAINING = {key.name for key in TASK.keys} - {key.name for key in BACKGROUND.keys}
"""Words that mean nothing directly in `[background.x]` and something in `[[task]]`."""


def section(name: str, rows: Sequence[Row], task: Mapping[str, Value]) -> str:
    """The `[[task]]` made of all rows of that background task."""
    draft, behind = Draft(), Draft()
    draft.heading("[[task]]", rows[0])
    draft.line(f"name = {spell(name)}")
    listed: dict[str, list[Row]] = {"queries": [], "tools": []}
    for row in (leaf for each in [without_heading(rows[0]), *rows[1:]] for leaf in _leaves(each)):
        inner = row.path[_INSIDE:]
        if len(inner) > 1 and inner[0] in listed:
            listed[str(inner[0])].append(row)
        elif row.section[_INSIDE:] not in _KNOWN_SECTIONS:
            text = renamed(row, "task", *strings(inner)) if row.is_header else row.text
            behind.line(text.removesuffix("\n"), row.lead)
        elif row.is_header:
            draft.keep(row)
        else:
            _pair(draft, row, inner, task)
    if listed["tools"]:
        tools.write_tables(draft, listed["tools"], _INSIDE + 1, _list(task, "tools"))
    if listed["queries"]:
        _write_query_tables(draft, listed["queries"], _list(task, "queries"))
    return draft.text() + behind.text()


def _leaves(row: Row) -> Iterator[Row]:
    """The row, or the entries of `x = {...}`, `triggers = {...}` and `idle = {...}` as rows of their own."""
    if row.raw.startswith("{") and row.path[_INSIDE:] in _KNOWN_SECTIONS:
        for entry in expanded(row):
            yield from _leaves(entry)
    else:
        yield row


def _pair(draft: Draft, row: Row, inner: Path, task: Mapping[str, Value]) -> None:
    if inner in _MOVED:
        draft.pair(row, _MOVED[inner])
    elif inner[0] in _GAINING:
        draft.silence(row, "[background.<name>]", *strings(inner))
    elif inner == ("tools",) and tools.is_legacy(task["tools"]):
        tools.write_inline(draft, row, _list(task, "tools"))
    elif inner == ("queries",) and any(_is_legacy_query(each) for each in _list(task, "queries")):
        _write_query_list(draft, row, _list(task, "queries"))
    else:
        draft.pair(row, *strings(inner))


def _list(task: Mapping[str, Value], key: str) -> tuple[Value, ...]:
    found = task[key]
    return found if isinstance(found, tuple) else ()


# --- queries ------------------------------------------------------------------------------------------------


def _is_legacy_query(query: Value) -> bool:
    return isinstance(query, Mapping) and not query.keys().isdisjoint({*_QUERY, *_TARGET})


def _write_query_list(draft: Draft, row: Row, queries: Sequence[Value]) -> None:
    """A list `queries = [...]` that holds tables of version 1."""
    found, closing = elements(row.raw)
    items = [
        Item(above, _migrated(pairs_in(entry.value.of(row.raw)), query))
        for (above, entry), query in zip(found, queries, strict=True)
    ]
    draft.items("queries", items, [*closing, *comments(row.trail)], row.lead)


def _write_query_tables(draft: Draft, rows: Sequence[Row], queries: Sequence[Value]) -> None:
    """`[[background.x.queries]]` tables as a list with one query per line."""
    above: list[list[str]] = [[] for _ in queries]
    pairs: list[list[Pair]] = [[] for _ in queries]
    for row in rows:
        place = row.path[_INSIDE + 1]
        assert isinstance(place, int)
        above[place] += remarks(row) if row is not rows[0] else comments(row.trail)
        if not row.is_header:
            pairs[place].append((row.path[_INSIDE + 2 :], row.raw))
    items = [Item(tuple(said), _migrated(own, query)) for said, own, query in zip(above, pairs, queries, strict=True)]
    draft.items("queries", items, lead=rows[0].lead)


def _migrated(pairs: Sequence[Pair], query: Value) -> str:
    """The query as an inline table. What version 2 already says is left alone: the loader reports both."""
    held: Mapping[str, Value] = query if isinstance(query, Mapping) else {}
    target = _target(held)
    written: dict[Path, str] = {}
    for key, raw in pairs:
        newer = (_QUERY.get(str(key[0])),)
        if target is not None and key[0] in _TARGET:
            written[("target",)] = spell_inline(target)
        elif len(key) == 1 and newer[0] is not None and newer[0] not in held:
            written[(newer[0],)] = raw
        else:
            written[key] = raw
    return inline(list(written.items()))


def _target(query: Mapping[str, Value]) -> str | None:
    """Version 1's two halves as one, where that reads back as the same two."""
    block, field = query.get("target_block"), query.get("target_field", "")
    if "target" in query or not isinstance(block, str) or not isinstance(field, str) or "." in block:
        return None
    return f"{block}.{field}" if field else block
