"""JSON from outside, narrowed before it is used. Nothing here raises: what has the wrong shape reads as empty."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias, cast

from reconciler.core.value import Value

Json: TypeAlias = "Mapping[str, object]"

# An id becomes part of a URL and of an e-mail address, so its alphabet is checked.
_ID = re.compile(r"(?:agent|block|tool|run)-[A-Za-z0-9-]{1,64}")
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


def number(row: Json, key: str) -> int:
    value = row.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def texts(value: object) -> list[str]:
    listed = cast("list[object]", value) if isinstance(value, list) else []
    return [each for each in listed if isinstance(each, str)]


def handle(row: Json) -> str:
    """The row's id where it is one; else empty."""
    return _checked(text(row, "id"))


@lru_cache(maxsize=100_000)
def _checked(found: str) -> str:
    return found if _ID.fullmatch(found) else ""


def moment(value: object) -> datetime | None:
    """A time as the server writes it, aware, UTC. Some of its times lack the offset; all are UTC."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def frozen(value: object) -> Value | None:
    """A JSON value as a `Value`; None where it is null or cannot be one. Nulls inside tables are left out."""
    if isinstance(value, Mapping):
        pairs = ((key, frozen(each)) for key, each in cast("Json", value).items())
        return {key: kept for key, kept in pairs if kept is not None}
    if isinstance(value, list):
        items = (frozen(each) for each in cast("list[object]", value))
        return tuple(kept for kept in items if kept is not None)
    return value if isinstance(value, bool | int | float | str) else None


def thawed(value: Value) -> object:
    """A `Value` as JSON takes it."""
    if isinstance(value, Mapping):
        return {key: thawed(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [thawed(each) for each in value]
    return value


def one_line(value: str, fallback: str) -> str:
    """A name fit for a git identity: one line, no angle brackets, of bearable length."""
    return " ".join(_NOT_IN_A_NAME.sub(" ", value).split())[:100] or fallback
