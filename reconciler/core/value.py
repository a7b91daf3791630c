"""What a field can hold, and when two of them are the same.

Values are what TOML can say, made immutable: lists are tuples, tables are mappings.
Equality is of (type, value): ``1``, ``1.0`` and ``true`` are three values (DESIGN 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from enum import Enum
from typing import Final, TypeAlias, cast

Value: TypeAlias = "bool | int | float | str | datetime | date | time | tuple[Value, ...] | Mapping[str, Value]"


class Absent(Enum):
    """The field is not there. A value of its own, so that removing a key is an edit like any other."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT

Held: TypeAlias = "Value | Absent"
Fields: TypeAlias = "Mapping[str, Value]"


def same(a: Held, b: Held) -> bool:
    """Whether two values are equal in type and value, all the way down.

    Date-times must agree in their offset too: two spellings of one instant differ as text in a file.
    """
    if a is b:
        return True
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        other = cast("tuple[Value, ...]", b)
        return len(a) == len(other) and all(map(same, a, other))
    if isinstance(a, datetime | time):
        return a == b and a.utcoffset() == cast("datetime", b).utcoffset()
    return a == b


def is_scalar(value: Held) -> bool:
    """Whether the value is neither a list nor a table nor absent."""
    return not isinstance(value, tuple | Mapping | Absent)
