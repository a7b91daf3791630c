"""Changing one key of a course's TOML in place: comments, order and formatting of everything else stay.

Spans are spliced and no document is re-rendered, so there is nothing a writer could lose. Even so every result
is parsed and compared with what the edit should mean; a text that differs is an error and is never returned.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import cast

from reconciler.core.value import Value, same
from reconciler.manifest.limits import MAX_DEPTH, too_deep
from reconciler.manifest.spans import Path, statements
from reconciler.manifest.spelling import Unspeakable
from reconciler.manifest.splice import with_value, without

_SECTION_DEPTH = 2
"""Tables up to here, as `[block.human]`, are written under a header of their own; deeper ones stand inline."""


class EditError(ValueError):
    """The edit cannot be made in this text; the text is unchanged."""


def set_value(text: str, path: Sequence[str | int], value: object) -> str:
    """The text with the key at `path` set. Tables that are missing are made; an array grows by its next number."""
    where, wanted = tuple(path), as_value(value)
    expected = _with(_read(text), where, wanted, where)
    try:
        edited = _set(text, where, wanted)
    except Unspeakable as error:
        raise EditError(f"cannot set {_shown(where)}: {error}") from error
    return _checked(edited, expected, where)


def remove_value(text: str, path: Sequence[str | int]) -> str:
    """The text without the key at `path` and all under it; a key that is not there is no error."""
    where = tuple(path)
    before = _read(text)
    if not _holds(before, where):
        return text
    return _checked(without(text, where), _with(before, where, None, where), where)


def as_value(raw: object) -> Value:
    """A Python value as TOML has it: lists as tuples, and only the types TOML knows."""
    if isinstance(raw, Mapping):
        return {str(key): as_value(held) for key, held in cast("Mapping[object, object]", raw).items()}
    if isinstance(raw, list | tuple):
        return tuple(as_value(each) for each in cast("Sequence[object]", raw))
    if isinstance(raw, bool | int | float | str | datetime | date | time):
        return raw
    raise EditError(f"TOML holds no {type(raw).__name__}")


def _read(text: str) -> Value:
    if too_deep(text):
        raise EditError(f"the text nests deeper than {MAX_DEPTH} levels")
    try:
        return as_value(tomllib.loads(text.removeprefix("\ufeff")))
    except ValueError as error:  # also what `int` says of a number with thousands of digits
        raise EditError(f"the text is not valid TOML: {error}") from error


def _checked(text: str, expected: Value, path: Path) -> str:
    try:
        found = _read(text)
    except EditError as error:
        raise EditError(f"cannot edit {_shown(path)}: the result would not be valid TOML") from error
    if not same(_pruned(found), _pruned(expected)):
        raise EditError(f"cannot edit {_shown(path)}: the result would not mean what was asked for")
    return text


def _pruned(value: Value) -> Value:
    """Without empty tables: a table that only its keys declare, goes with the last of them."""
    if isinstance(value, Mapping):
        inner = {key: _pruned(held) for key, held in value.items()}
        return {key: held for key, held in inner.items() if held != {}}
    return tuple(map(_pruned, value)) if isinstance(value, tuple) else value


def _set(text: str, path: Path, value: Value) -> str:
    current = _at(_read(text), path)
    if current is not None and same(current, value):
        return text
    if not isinstance(value, Mapping) or not value or not _is_section(text, path, value):
        return with_value(text, path, value)
    if isinstance(current, Mapping):
        for key in current.keys() - value.keys():
            text = without(text, (*path, key))
    elif current is not None:
        text = without(text, path)
    for key in sorted(value, key=lambda each: isinstance(value[each], Mapping)):
        text = _set(text, (*path, key), value[key])
    return text


def _is_section(text: str, path: Path, value: Mapping[str, Value]) -> bool:
    """Whether a table's keys are written on lines of their own."""
    document = statements(text)
    if any(not each.is_header and each.path == path[: len(each.path)] for each in document):
        return False
    has_tables = any(isinstance(held, Mapping) for held in value.values())
    return has_tables or len(path) <= _SECTION_DEPTH or any(each.path == path for each in document)


# --- what the edit should mean ------------------------------------------------------------------------------


def _with(old: Value | None, path: Path, value: Value | None, whole: Path) -> Value:
    """`old` with the value at `path` set, or removed where it is None."""
    if not path:
        assert value is not None
        return value
    if isinstance(path[0], int):
        return _with_place(old, path[0], path, value, whole)
    if old is not None and not isinstance(old, Mapping):
        raise EditError(f"cannot edit {_shown(whole)}: {path[0]!r} would stand inside a value that is no table")
    table = dict(old or {})
    if path[1:] or value is not None:
        table[path[0]] = _with(table.get(path[0]), path[1:], value, whole)
    else:
        table.pop(path[0], None)
    return table


def _with_place(old: Value | None, place: int, path: Path, value: Value | None, whole: Path) -> Value:
    if old is not None and not isinstance(old, tuple):
        raise EditError(f"cannot edit {_shown(whole)}: {place} would be a place in a value that is no array")
    items = old or ()
    if not 0 <= place <= len(items):
        raise EditError(f"cannot edit {_shown(whole)}: the array has {len(items)} places")
    if not path[1:] and value is None:
        return (*items[:place], *items[place + 1 :])
    item = items[place] if place < len(items) else None
    return (*items[:place], _with(item, path[1:], value, whole), *items[place + 1 :])


def _at(value: Value | None, path: Path) -> Value | None:
    for key in path:
        if isinstance(key, int):
            value = value[key] if isinstance(value, tuple) and key < len(value) else None
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _holds(value: Value, path: Path) -> bool:
    return _at(value, path) is not None


def _shown(path: Path) -> str:
    return ".".join(map(str, path)) or "the whole text"
