"""Whether a value fits its field, decided in one place for defaults, learners' files and live blocks."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, time
from typing import cast

from reconciler.core.value import same
from reconciler.manifest.course import Field, FieldType, Scalar, Value

KINDS: dict[FieldType, str] = {
    "string": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "datetime": "a date-time without quotes, such as 2025-01-31T09:00:00Z",
}

_SCALARS = (str, int, float, datetime, date, time)
_SHOWN = 40


class Misfit(ValueError):
    """The value cannot stand in its field; the message says what was found and what was expected."""


def fit(field: Field, raw: object) -> Value:
    """`raw`, as TOML gave it, as this field's value. The field's own default always fits, its options aside."""
    value = _typed(field, raw)
    if field.default is None or not same(value, field.default):
        _check_options(field, value)
        _check_list(field, value)
    return value


def fit_default(field: Field, raw: object) -> Value:
    """`raw` as the field's declared default, which options and max bind as well."""
    return fit(replace(field, default=None), raw)


def described(raw: object) -> str:
    """A value as an error names it: short, and never the whole of somebody's text."""
    match raw:
        case bool():
            return "true" if raw else "false"
        case str():
            return f'the string "{raw[:_SHOWN]}…"' if len(raw) > _SHOWN else f'the string "{raw}"'
        case int() | float():
            shown = repr(raw) if abs(raw) < 2**64 or isinstance(raw, float) else "beyond 64 bits"
            return f"the number {shown}"
        case datetime() | date() | time():
            return f"the date or time {raw.isoformat()}"
        case list() | tuple():
            return f"a list of {len(cast('list[object]', raw))}"
        case _:
            return "a table"


def scalar(raw: object) -> Scalar:
    """`raw` as one value that every replica can hold."""
    if not isinstance(raw, _SCALARS):
        raise Misfit(f"found {described(raw)}, expected a string, a number, true or false, or a date-time")
    if isinstance(raw, str) and "\0" in raw:
        raise Misfit("found a string with a NUL character in it, which Letta cannot hold; remove it")
    if isinstance(raw, float) and not math.isfinite(raw):
        raise Misfit(f"found {raw}, expected a finite number: nan equals nothing, so it could never be in sync")
    if isinstance(raw, int) and not -(2**63) <= raw < 2**63:
        raise Misfit("found a whole number beyond 64 bits, which TOML does not hold; write it as a string")
    return raw


def any_value(raw: object) -> Scalar | tuple[Scalar, ...]:
    """`raw` as a scalar or a list of scalars, whatever the type."""
    if isinstance(raw, list | tuple):
        return tuple(scalar(each) for each in cast("list[object]", raw))
    return scalar(raw)


def _typed(field: Field, raw: object) -> Scalar | tuple[Scalar, ...]:
    value = any_value(raw)
    match field.type, value:
        case ("string", str()) | ("bool", bool()) | ("list", tuple()) | ("datetime", date()):
            return value
        case ("int", int()) | ("float", float()) if not isinstance(value, bool):
            return value
        case ("float", int()) if not isinstance(value, bool):
            return float(value)
        case _:
            raise Misfit(f"found {described(raw)}, expected {KINDS[field.type]}, as the field's type is {field.type}")


def _check_options(field: Field, value: Scalar | tuple[Scalar, ...]) -> None:
    if field.options is None:
        return
    chosen = value if isinstance(value, tuple) else (value,)
    for each in chosen:
        if not any(same(each, option) for option in field.options):
            allowed = ", ".join(str(option) for option in field.options) or "none at all"
            raise Misfit(f"found {described(each)}, expected one of its options: {allowed}")


def _check_list(field: Field, value: Scalar | tuple[Scalar, ...]) -> None:
    if not isinstance(value, tuple):
        return
    if field.max is not None and len(value) > field.max:
        raise Misfit(f"found {len(value)} items, expected at most {field.max}, the field's max")
    seen: set[tuple[type, str]] = set()
    for each in value:
        if (identity := (type(each), repr(each))) in seen:
            raise Misfit(f"found {described(each)} twice; the items of a list are merged one by one and must differ")
        seen.add(identity)
