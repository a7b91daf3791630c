"""Values as JSON and back, exactly: every type a field can hold, and the two ways of holding none.

What JSON has stands for itself (true, 1, 1.0, text, lists); everything else is an object of one key, the type.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast

from reconciler.core.base import NEVER, Settled, Unsettled
from reconciler.core.value import ABSENT, Absent, Held, Value

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def to_json(value: Settled) -> Json:
    """The value in JSON's terms. NaN is refused: it is not even equal to itself, so it would never be in sync."""
    match value:
        case Unsettled():
            return {"never": True}
        case Absent():
            return {"absent": True}
        case bool() | int() | str():
            return value
        case float():
            return _float_to_json(value)
        case tuple():
            return [to_json(member) for member in value]
        case datetime():  # before date: every datetime is one
            return {"datetime": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case time():
            return {"time": value.isoformat()}
        case _:
            return {"table": {key: to_json(member) for key, member in value.items()}}


def _float_to_json(value: float) -> Json:
    if math.isnan(value):
        raise ValueError("nan cannot be stored")
    return {"float": repr(value)} if math.isinf(value) else value


def from_json(found: Json) -> Settled:
    """The value that ``to_json`` wrote. Raises ValueError or TypeError on anything that it cannot have written."""
    if isinstance(found, dict):
        return _tagged(found)
    if isinstance(found, list):
        return tuple(map(value_from_json, found))
    if found is None or (isinstance(found, float) and not math.isfinite(found)):
        raise ValueError(f"{found} is not a value")
    return found


def held_from_json(found: Json) -> Held:
    """The same, where there must be something to hold, or its known absence."""
    value = from_json(found)
    if isinstance(value, Unsettled):
        raise ValueError("'never' stands where a value is needed")
    return value


def value_from_json(found: Json) -> Value:
    """The same, inside a list or a table, where nothing can be absent."""
    value = held_from_json(found)
    if isinstance(value, Absent):
        raise ValueError("'absent' stands inside a list or a table")
    return value


def _tagged(found: dict[str, Json]) -> Settled:
    if len(found) != 1:
        raise ValueError(f"an object of the keys {sorted(found)} is no value")
    [(tag, content)] = found.items()
    if tag not in _TAGS:
        raise ValueError(f"unknown type {tag!r}")
    return _TAGS[tag](content)


def _table(content: Any) -> Value:
    if not isinstance(content, dict):
        raise TypeError("a table must be an object")
    members = cast("Mapping[str, Json]", content)
    return MappingProxyType({key: value_from_json(member) for key, member in members.items()})


def _infinite(content: Any) -> Value:
    if content not in ("inf", "-inf"):
        raise ValueError(f"{content!r} is not an infinite number")
    return float(content)


def _true(content: Any, meaning: Settled) -> Settled:
    if content is not True:
        raise ValueError("a mark must be true")
    return meaning


_TAGS: Final[Mapping[str, Callable[[Any], Settled]]] = {
    "table": _table,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "float": _infinite,
    "absent": lambda content: _true(content, ABSENT),
    "never": lambda content: _true(content, NEVER),
}
