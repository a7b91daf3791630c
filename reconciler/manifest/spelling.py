"""Values as TOML text, spelt so that `git diff` shows what changed: texts by line, long lists by item.

Every spelling reads back as exactly the same value; what TOML cannot hold is refused by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import assert_never, cast

from reconciler.core.value import Value

WIDTH = 80
"""A list wider than this is written one item per line."""
INDENT = "    "

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Escaped though TOML allows some of them raw: other tools take them for line ends or drop them.
_ESCAPED = re.compile("[\\\\\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_LITERAL = re.compile("[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Unspeakable(ValueError):
    """A value that TOML, and so no replica, can hold."""


def spell_key(*parts: str) -> str:
    """A key, dotted where it has several parts, quoted only where it must be."""
    return ".".join(part if _BARE_KEY.fullmatch(part) else _line(part) for part in parts)


def spell(value: Value, like: str = "") -> str:
    """The value as TOML, with `\\n` for newlines. `like` is the old spelling, whose style is kept where it can be."""
    if isinstance(value, str):
        return _text(value, like) if "\n" in value else _line(value)
    if isinstance(value, tuple):
        return _list(value)
    return spell_inline(value)


def spell_inline(value: Value) -> str:
    """The value on one line, as inline tables need it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return _integer(value)
        case float():
            return _float(value)
        case str():
            return _line(value)
        case datetime() | date() | time():
            return _moment(value)
        case tuple():
            return "[" + ", ".join(map(spell_inline, value)) + "]"
        case Mapping():
            pairs = ", ".join(f"{spell_key(key)} = {spell_inline(held)}" for key, held in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case _:
            assert_never(value)


def _integer(value: int) -> str:
    if not -(2**63) <= value < 2**63:
        raise Unspeakable("an integer beyond 64 bits")
    return str(value)


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise Unspeakable("a float that is not a finite number")
    return repr(value)


def _moment(value: datetime | date | time) -> str:
    offset = None if type(value) is date else cast("datetime | time", value).utcoffset()
    if isinstance(value, time) and value.tzinfo is not None:
        raise Unspeakable("a time of day with an offset")
    if offset is not None and (offset.seconds % 60 or offset.microseconds):
        raise Unspeakable("an offset that is not in whole minutes")
    return value.isoformat()


def _line(value: str) -> str:
    return '"' + _escaped(value).replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


def _text(value: str, like: str) -> str:
    """A multi-line string that opens the way the old one did, so that its first line is no change."""
    opening = "\n"
    if like[:3] in ('"""', "'''") and like[3:4] not in ("\r", "\n", "\\") and not value.startswith("\n"):
        opening = ""
    if like.startswith("'''") and _fits_literal(value):
        return f"'''{opening}{value}'''"
    body = _escaped(value).replace('"""', '""\\"')
    if body.endswith('"'):
        body = body[:-1] + '\\"'
    return f'"""{opening}{body}"""'


def _fits_literal(value: str) -> bool:
    plain = _LITERAL.fullmatch(value) is not None and _SURROGATE.search(value) is None
    return plain and "'''" not in value and not value.endswith("'")


def _escaped(value: str) -> str:
    """Everything but quotes, tabs and newlines made safe inside a basic string."""
    if _SURROGATE.search(value):
        raise Unspeakable("half of a surrogate pair, which is no character")
    return _ESCAPED.sub(lambda found: _SHORT.get(found[0], f"\\u{ord(found[0]):04X}"), value)


def _list(value: tuple[Value, ...]) -> str:
    has_text = any(isinstance(each, str) and "\n" in each for each in value)
    if not has_text and len(line := spell_inline(value)) <= WIDTH:
        return line
    return "[\n" + "".join(f"{INDENT}{spell(each)},\n" for each in value) + "]"
