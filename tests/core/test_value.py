"""Two values are the same when they are equal in type and value, all the way down."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from types import MappingProxyType

import pytest
from hypothesis import given

from reconciler.core.value import ABSENT, Held, is_scalar, same
from tests.strategies import LOOK_ALIKES, MOMENTS, held

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PARIS = datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))

CASES: list[tuple[Held, Held, bool]] = [
    (1, 1, True),
    (1, 1.0, False),
    (1, True, False),
    (0, False, False),
    ("1", 1, False),
    ("", ABSENT, False),
    ((), ABSENT, False),
    ((), {}, False),
    (ABSENT, ABSENT, True),
    ((1, 2), (1, 2), True),
    ((1, 2), (2, 1), False),
    ((1,), (1, 2), False),
    ((1,), (True,), False),
    ({"k": 1}, {"k": 1.0}, False),
    ({"k": 1}, {"k": 1, "l": 1}, False),
    ({"k": 1, "l": 2}, {"l": 2, "k": 1}, True),
    ({"k": 1}, MappingProxyType({"k": 1}), True),
    ({"k": {"l": (1,)}}, {"k": {"l": (True,)}}, False),
    (NOON, PARIS, False),
    (NOON, NOON.replace(tzinfo=None), False),
    (NOON, NOON.replace(tzinfo=timezone(timedelta(0))), True),
    (date(2026, 1, 1), datetime(2026, 1, 1), False),
    (time(12), time(12), True),
]


@pytest.mark.parametrize(("a", "b", "expected"), CASES)
def test_values_are_the_same_in_type_and_value(a: Held, b: Held, expected: bool) -> None:
    assert same(a, b) is expected
    assert same(b, a) is expected


@pytest.mark.parametrize("values", [LOOK_ALIKES, MOMENTS])
def test_look_alikes_are_all_different(values: tuple[Held, ...]) -> None:
    assert [[same(a, b) for a in values] for b in values] == [[a is b for a in values] for b in values]


@given(held, held, held)
def test_sameness_is_an_equivalence(a: Held, b: Held, c: Held) -> None:
    assert same(a, a)
    assert same(a, b) is same(b, a)
    assert not (same(a, b) and same(b, c)) or same(a, c)


@given(held, held)
def test_the_same_are_equal_in_python_too(a: Held, b: Held) -> None:
    assert not same(a, b) or a == b


@pytest.mark.parametrize(
    ("value", "expected"), [(1, True), ("", True), (NOON, True), ((), False), ({}, False), (ABSENT, False)]
)
def test_lists_tables_and_nothing_are_no_scalars(value: Held, expected: bool) -> None:
    assert is_scalar(value) is expected
