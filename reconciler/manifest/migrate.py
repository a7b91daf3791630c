"""Version 1 files rewritten as version 2: the same course, in the present spelling, with every comment kept.

Only sections of version 1 are rewritten; the others stay byte for byte. The result is read back, and a text
that would mean something else is an error and is never returned.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from reconciler.core.value import Value
from reconciler.manifest.limits import MAX_DEPTH, too_deep
from reconciler.manifest.migration import agent, blocks, modules, tasks
from reconciler.manifest.migration.agent import table
from reconciler.manifest.migration.rows import MigrationError, Row, expanded, rows
from reconciler.manifest.reading.agent import Head, read_course
from reconciler.manifest.reading.notes import Notes
from reconciler.manifest.reading.section import open_section
from reconciler.manifest.spans import comments
from reconciler.manifest.tables import COURSE_FILE
from reconciler.manifest.tomledit import as_value

__all__ = ["MigrationError", "migrate_course", "migrate_module"]

Group = tuple[str, ...]
"""What one new section is made of: `("agent",)`, `("blocks", name)`, `("block", name)` or `("background", name)`."""

_HOLDERS = (("blocks",), ("background",))
"""Tables that hold nothing but what is migrated; their own headers go."""


def migrate_course(text: str) -> str:
    """A `course.toml` without version 1's spellings; one that has none is returned as it is."""
    return _converted(text, _course_migrated, _check_same_course)


def migrate_module(text: str) -> str:
    """A module file with `[[lessons]]` called `[[steps]]`; nothing else is touched."""
    return _converted(text, _module_migrated, _check_same_module)


def _converted(text: str, convert: Callable[[str], str], check: Callable[[str, str], None]) -> str:
    """The text converted with plain newlines and without byte-order mark, which are put back afterwards."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    plain = text.removeprefix(mark).replace("\r\n", "\n")
    converted = convert(plain)
    if converted == plain:
        return text
    try:
        tomllib.loads(converted)
    except ValueError as error:
        raise MigrationError(f"would come out as invalid TOML, so migrate it by hand: {error}") from error
    check(plain, converted)
    if lost := Counter(comments(plain)) - Counter(comments(converted)):
        raise MigrationError(f"the comment {min(lost)!r} would be lost; move it to a line of its own")
    return mark + (converted.replace("\n", "\r\n") if "\r\n" in text else converted)


def _read(text: str) -> dict[str, object]:
    if too_deep(text):
        raise MigrationError(f"nests deeper than {MAX_DEPTH} levels")
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise MigrationError(f"is not valid TOML: {error}") from error


def _values(text: str) -> dict[str, Value]:
    return {key: as_value(held) for key, held in _read(text).items()}


# --- courses ------------------------------------------------------------------------------------------------


def _course_migrated(text: str) -> str:
    """The rows outside version 1 as they are, each section of version 1 where its first row stood."""
    course = _values(text)
    kept: list[Row] = []
    groups: dict[Group, list[Row]] = {}
    places: dict[Group, int] = {}
    found, below = _without_holders(*rows(text), course)
    grouped = {name for name in table(course, "block") if _is_group(name, found, course)}
    for row in found:
        group = _group(row, course, grouped)
        if group is None:
            kept.append(row)
        else:
            places.setdefault(group, len(kept))
            groups.setdefault(group, []).append(row)
    written = {group: _section(group, own, course) for group, own in groups.items()}
    return _assembled(kept, written, places) + below if groups else text


def _without_holders(found: list[Row], below: str, course: Mapping[str, Value]) -> tuple[list[Row], str]:
    """`[blocks]` and `[background]` leave their comments to what follows; `blocks = {...}` becomes its entries."""
    _check_holders(course)
    left: list[Row] = []
    waiting = ""
    for row in found:
        if row.path in _HOLDERS and row.is_header:
            waiting += row.lead + "".join(f"{each}\n" for each in comments(row.trail))
            continue
        own = list(expanded(row)) if row.path in _HOLDERS else [row]
        left += [replace(own[0], lead=waiting + own[0].lead), *own[1:]]
        waiting = ""
    return [row for row in left if row.path not in _HOLDERS], waiting + below


def _check_holders(course: Mapping[str, Value]) -> None:
    for holder in ("blocks", "background"):
        found = course.get(holder, {})
        if not isinstance(found, Mapping) or not all(isinstance(each, Mapping) for each in found.values()):
            raise MigrationError(f"{holder} should hold nothing but tables; mend that first")
    if twice := table(course, "blocks").keys() & table(course, "block").keys():
        raise MigrationError(f"block {min(twice)} is declared twice, under block and under blocks; keep one")


def _group(row: Row, course: Mapping[str, Value], grouped: set[str]) -> Group | None:
    """The new section a row goes to; None for what is version 2 already, or neither."""
    head = row.path[0]
    if head in ("agent", "course"):
        is_merged = agent.is_legacy(course) and isinstance(course[head], Mapping)
        return ("agent",) if is_merged and agent.is_part(row) else None
    if head in ("blocks", "background") or (head == "block" and row.path[1:2] and row.path[1] in grouped):
        return (str(head), str(row.path[1]))
    return None


def _is_group(name: str, found: Iterable[Row], course: Mapping[str, Value]) -> bool:
    """Whether a `[block.x]` still says `fields`, and stands in sections of its own."""
    own = [row for row in found if row.path[:2] == ("block", name)]
    return "fields" in table(table(course, "block"), name) and all(row.section[:2] == row.path[:2] for row in own)


def _section(group: Group, own: list[Row], course: Mapping[str, Value]) -> str:
    if group == ("agent",):
        return agent.section(own, course)
    holder, name = group
    write = tasks.section if holder == "background" else blocks.section
    return write(name, own, table(table(course, holder), name))


def _assembled(kept: list[Row], written: Mapping[Group, str], places: Mapping[Group, int]) -> str:
    """New sections stand behind all root keys, and new tasks behind all others, as unnamed tasks are counted."""
    root = sum(1 for row in kept if not row.section)
    last_task = max((at for at, row in enumerate(kept, 1) if row.path[0] == "task"), default=0)
    slots: dict[int, str] = {}
    for group, place in places.items():
        place = max(place, root, last_task if group[0] == "background" else 0)
        slots[place] = slots.get(place, "") + written[group]
    lines = [slots.get(0, "")]
    for at, row in enumerate(kept, 1):
        lines += [row.lead, row.text if row.text.endswith("\n") or not slots else f"{row.text}\n", slots.get(at, "")]
    return "".join(lines)


def _check_same_course(before: str, after: str) -> None:
    """The loader itself says whether both mean the same. A course it refuses has no meaning to compare."""
    old, was_fine = _head(before)
    new, is_fine = _head(after)
    if was_fine and not (is_fine and old.course == new.course and old.module_names == new.module_names):
        raise MigrationError("the migrated course would not be the same course; please report this file")


def _head(text: str) -> tuple[Head, bool]:
    notes = Notes("course.toml", text)
    section = open_section(_read(text), COURSE_FILE, (), notes)
    assert section is not None, "a TOML document is a table"
    head = read_course(section, "")
    return head, not any(problem.severity == "error" for problem in notes.problems)


# --- modules ------------------------------------------------------------------------------------------------


def _module_migrated(text: str) -> str:
    return modules.with_steps(text, _values(text))


def _check_same_module(before: str, after: str) -> None:
    if not modules.are_same(_values(before), _values(after)):
        raise MigrationError("lessons cannot be called steps here; rename them by hand")
