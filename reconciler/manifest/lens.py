"""A block's document and its fields: text to values and back, one edit touching only its own lines.

The same document stands in git, in the Letta block and in the note, so what this reads and writes is what
people see in every place. Reading is `tomllib`; writing splices, and every result is read back and compared.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from types import MappingProxyType
from typing import cast

from reconciler.core.value import ABSENT, Held, Value, same
from reconciler.manifest.course import Block, Field
from reconciler.manifest.fit import Misfit, described, fit
from reconciler.manifest.limits import MAX_BYTES, MAX_DEPTH, MAX_FIELDS, too_deep, too_large
from reconciler.manifest.spelling import Unspeakable, spell, spell_key
from reconciler.manifest.splice import with_value, without

TEXT = "text"
"""The one field of a prose block."""

_CACHED_LENGTH = 16_384
_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)$")


class InvalidBlock(Exception):
    """A text that is no document of a block, or a value that none can hold."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        self.message, self.line, self.column = message, line, column
        place = f" (line {line}, column {column})" if line is not None else ""
        super().__init__(message + place)


def parse_block(text: str, prose: bool = False) -> dict[str, Value]:
    """The fields of a block's document; a prose block has one, its text."""
    if prose:
        _check_text(text)
        return {TEXT: text}
    # One huge document must not push a thousand small ones out of memory's budget.
    return dict(_remembered(text) if len(text) <= _CACHED_LENGTH else _parsed(text))


def edit_block(text: str, changes: Mapping[str, Held], prose: bool = False) -> str:
    """The text with these fields set, or removed where ABSENT; every other line stays as it is."""
    if prose:
        return _edited_prose(text, changes)
    fields = parse_block(text)
    wanted = {key: value for key, value in changes.items() if not same(value, fields.get(key, ABSENT))}
    try:
        edited = _spliced(text, wanted)
    except Unspeakable as error:
        raise InvalidBlock(f"cannot be written: {error}") from error
    expected = {key: value for key, value in {**fields, **wanted}.items() if value is not ABSENT}
    if not same(parse_block(edited), cast("Mapping[str, Value]", expected)):
        raise InvalidBlock(f"the edit of {', '.join(wanted)} does not read back as what was written")
    return edited


def initial_block(block: Block) -> str:
    """The document a learner starts with: every field's default, described. Prose starts empty."""
    if block.is_prose:
        return ""
    return "\n".join(_initial_field(each) for each in block.fields.values() if each.default is not None)


def problem_with(field: Field, value: Value) -> str | None:
    """Why the field cannot hold this value, or None."""
    try:
        fit(field, value)
    except Misfit as misfit:
        return str(misfit)
    return None


# --- reading ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _remembered(text: str) -> Mapping[str, Value]:
    return _parsed(text)


def _parsed(text: str) -> Mapping[str, Value]:
    _check_text(text)
    if too_deep(text):
        raise InvalidBlock(f"nests deeper than {MAX_DEPTH} levels")
    try:
        read = tomllib.loads(text.removeprefix("\ufeff"))
    except ValueError as error:  # also what `int` says of a number with thousands of digits
        raise _as_invalid(error, text) from error
    if len(read) > MAX_FIELDS:
        raise InvalidBlock(f"has {len(read):,} fields; at most {MAX_FIELDS} are read")
    for key in read:
        if key.startswith("@"):
            raise InvalidBlock(f"the key {key!r} begins with '@', which is reserved")
    return cast("Mapping[str, Value]", _frozen(read, 0))


def _check_text(text: str) -> None:
    if too_large(text):
        raise InvalidBlock(f"larger than {MAX_BYTES:,} bytes")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InvalidBlock("holds a NUL byte", line, text.index("\0") - text.rfind("\n", 0, text.index("\0")))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidBlock("holds half of a surrogate pair, which is no character") from error


def _as_invalid(error: ValueError, text: str) -> InvalidBlock:
    place = _PLACE.search(message := str(error))
    if place is None:
        return InvalidBlock(message)
    ends = (text.count("\n") + 1, len(text) - text.rfind("\n"))
    line, column = (int(place[1]), int(place[2])) if place[1] else ends
    return InvalidBlock(message[: place.start()].rstrip(), line, column)


def _frozen(value: object, depth: int) -> Value:
    """The parser's value made immutable. Depth is checked here too: headers nest without brackets."""
    if depth > MAX_DEPTH and isinstance(value, dict | list):
        raise InvalidBlock(f"nests deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        table = cast("dict[str, object]", value)
        return MappingProxyType({key: _frozen(held, depth + 1) for key, held in table.items()})
    if isinstance(value, list):
        return tuple(_frozen(each, depth + 1) for each in cast("list[object]", value))
    if isinstance(value, float) and not isfinite(value):
        raise InvalidBlock("holds nan or inf, which equal nothing and cannot be merged")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InvalidBlock("holds an integer beyond 64 bits")
    return cast("Value", value)


# --- writing ----------------------------------------------------------------------------------------------


def _spliced(text: str, wanted: Mapping[str, Held]) -> str:
    for key, value in wanted.items():
        text = without(text, (key,)) if value is ABSENT else with_value(text, (key,), value)
    return text


def _edited_prose(text: str, changes: Mapping[str, Held]) -> str:
    if unknown := changes.keys() - {TEXT}:
        raise InvalidBlock(f"a prose block has no field {min(unknown)!r}, only {TEXT!r}")
    edited = changes.get(TEXT, text)
    edited = "" if edited is ABSENT else edited
    if not isinstance(edited, str):
        raise InvalidBlock(f"a prose block holds a string, found {described(edited)}")
    _check_text(edited)
    return edited


def _initial_field(field: Field) -> str:
    lines = (field.description or "").strip().split("\n")
    comment = "".join(f"# {_as_comment(line)}\n" for line in lines if line.strip())
    return f"{comment}{spell_key(field.name)} = {spell(cast('Value', field.default))}\n"


def _as_comment(line: str) -> str:
    """A comment holds no control characters, tabs aside."""
    return re.sub("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]+", " ", line).strip()
