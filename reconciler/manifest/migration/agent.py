"""`[course]` merged into `[agent]`, and the agent's tools as a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from reconciler.core.value import Value, same
from reconciler.manifest.migration import tools
from reconciler.manifest.migration.rows import Draft, Row, expanded, renamed, strings, without_heading
from reconciler.manifest.spans import comments
from reconciler.manifest.tables.agent import AGENT, COURSE

_GAINING = {key.name for key in AGENT.keys} - {key.name for key in COURSE.keys}
"""Words that mean nothing in `[course]` and something in `[agent]`."""


def is_legacy(course: Mapping[str, Value]) -> bool:
    return isinstance(course.get("course"), Mapping) or tools.is_legacy(table(course, "agent").get("tools"))


def table(holder: Mapping[str, Value], key: str) -> Mapping[str, Value]:
    """The table under a key, empty where there is none."""
    found = holder.get(key)
    return found if isinstance(found, Mapping) else {}


def is_part(row: Row) -> bool:
    """Whether the row belongs to the merged section. Tables below [agent], like its folders, stay where they are."""
    if row.path[0] == "course":
        return True
    return row.path[0] == "agent" and (len(row.section) < 2 or row.section[1] == "tools")


def section(rows: Sequence[Row], course: Mapping[str, Value]) -> str:
    """The `[agent]` section made of all these rows."""
    draft, behind = Draft(), Draft()
    draft.heading("[agent]", rows[0])
    tabled: list[Row] = []
    for row in _flat(rows):
        if row.path[:2] == ("agent", "tools") and len(row.path) > 2:
            tabled.append(row)
        elif len(row.section) > 1 and row.section[0] == "course":
            _below(behind, row)
        elif row.is_header:
            draft.keep(row)
        else:
            _pair(draft, row, course)
    if tabled:
        tools.write_tables(draft, tabled, 2, cast("tuple[Value, ...]", table(course, "agent")["tools"]))
    return draft.text() + behind.text()


def _flat(rows: Sequence[Row]) -> list[Row]:
    """The rows without the lead and trail already written, `course = {...}` as its entries."""
    bare = [without_heading(rows[0]), *rows[1:]]
    return [each for row in bare for each in (expanded(row) if len(row.path) == 1 and row.raw else [row])]


def _pair(draft: Draft, row: Row, course: Mapping[str, Value]) -> None:
    key = strings(row.path[1:])
    if row.path[0] == "course":
        _course_pair(draft, row, key, course)
    elif key == ("tools",) and tools.is_legacy(found := table(course, "agent")["tools"]):
        tools.write_inline(draft, row, cast("tuple[Value, ...]", found))
    elif len(row.section) == 1:
        draft.same(row)
    else:
        draft.pair(row, *key)


def _course_pair(draft: Draft, row: Row, key: tuple[str, ...], course: Mapping[str, Value]) -> None:
    own, agents = table(course, "course").get(key[0]), table(course, "agent").get(key[0])
    if agents is not None and own is not None and same(own, agents):
        draft.keep(row)
    elif agents is not None or key[0] in _GAINING:
        draft.silence(row, "[course]", *key)
    else:
        draft.pair(row, *key)


def _below(draft: Draft, row: Row) -> None:
    """A table below [course], which nobody knows, moves with it; one that [agent] knows must not begin to speak."""
    if row.path[1] in _GAINING:
        lines = _moved(row).removesuffix("\n").split("\n")
        draft.note([*comments(row.lead), *comments(row.text), *(f"# {line}" for line in lines)])
    else:
        draft.line(_moved(row).removesuffix("\n"), row.lead)


def _moved(row: Row) -> str:
    return renamed(row, "agent", *strings(row.path[1:])) if row.is_header else row.text
