"""JSON from outside, narrowed before it is used. Nothing here raises: what has the wrong shape reads as empty."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias, cast

from reconciler.core.value import Value

Json: TypeAlias = "Mapping[str, object]"

# An id becomes part of a URL, so its alphabet is checked.
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,127}")
_NOT_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029<>\ud800-\udfff]+")


def rows(reply: object) -> list[Json]:
    """The objects of a list; what is not an object becomes an empty one, so that it still counts."""
    listed = cast("list[object]", reply) if isinstance(reply, list) else []
    return [table(each) for each in listed]


def table(value: object) -> Json:
    return cast("Json", value) if isinstance(value, Mapping) else {}


def text(row: Json, key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    listed = cast("list[object]", value) if isinstance(value, list) else []
    return [each for each in listed if isinstance(each, str)]


def number(row: Json, key: str) -> int:
    value = row.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def handle(row: Json) -> str:
    """The row's id where it is one; else empty."""
    found = text(row, "id")
    return found if _ID.fullmatch(found) else ""


def is_id(found: str) -> bool:
    return _ID.fullmatch(found) is not None


def one_line(value: str, fallback: str) -> str:
    """A text fit for a git identity or a subject: one line, no angle brackets, of bearable length."""
    return " ".join(_NOT_IN_A_NAME.sub(" ", value).split())[:100] or fallback


def strings(value: Value | None) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, tuple) else ()


def is_holdable(value: str) -> bool:
    """Whether the server keeps the text as it is: PostgreSQL refuses NUL in JSON, and half a surrogate is no text."""
    return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
