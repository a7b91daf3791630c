"""Laws of what fits a field."""

from __future__ import annotations

from datetime import date, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.value import same
from reconciler.manifest.course import EMPTY, Field, FieldType, Value
from reconciler.manifest.fit import Misfit, described, fit, fit_default

TYPES: tuple[FieldType, ...] = get_args(FieldType)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
integers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
scalars = texts | integers | floats | st.booleans() | st.datetimes() | st.dates()
raw_values = scalars | st.lists(scalars, max_size=4) | st.just({})
fields = st.builds(
    lambda kind, options, most: Field("f", kind, EMPTY[kind], options, most),
    st.sampled_from(TYPES),
    st.none() | st.lists(scalars, max_size=3).map(tuple),
    st.none() | st.integers(1, 3),
)


def fitted(field: Field, raw: object) -> Value | Misfit:
    try:
        return fit(field, raw)
    except Misfit as misfit:
        return misfit


@given(fields, raw_values)
def test_what_fits_once_fits_again_unchanged(field: Field, raw: object) -> None:
    once = fitted(field, raw)
    if not isinstance(once, Misfit):
        assert once is not None
        assert same(fit(field, once), once)


@given(fields, raw_values)
def test_only_a_float_field_changes_a_value_and_only_from_a_whole_number(field: Field, raw: object) -> None:
    found = fitted(field, raw)
    if isinstance(found, Misfit) or isinstance(raw, list):
        return
    if field.type == "float" and isinstance(raw, int):
        assert found == float(raw)
    else:
        assert found is raw


@given(fields)
def test_the_empty_value_a_field_starts_with_always_fits(field: Field) -> None:
    if field.default is not None:
        assert not isinstance(fitted(field, field.default), Misfit)


@given(fields, raw_values)
def test_a_declared_default_fits_as_a_value_too(field: Field, raw: object) -> None:
    try:
        default = fit_default(field, raw)
    except Misfit:
        return
    assert same(fit(field, raw), default)  # pyright: ignore[reportArgumentType]


@given(raw_values)
def test_a_misfit_is_one_short_line(raw: object) -> None:
    assert len(described(raw)) < 80


@pytest.mark.parametrize(
    ("kind", "raw"),
    [("bool", 0), ("int", True), ("int", 1.0), ("float", True), ("string", 1), ("list", "a"), ("string", ["a"])],
)
def test_types_that_compare_equal_are_not_taken_for_each_other(kind: FieldType, raw: object) -> None:
    assert isinstance(fitted(Field("f", kind, EMPTY[kind]), raw), Misfit)


def test_options_are_compared_by_type_too() -> None:
    assert isinstance(fitted(Field("f", "list", (), options=(1,)), [True]), Misfit)
    assert fitted(Field("f", "list", (), options=(1,)), [1]) == (1,)


def test_a_date_stands_in_a_datetime_field_and_a_time_does_not() -> None:
    field = Field("f", "datetime", None)
    assert fitted(field, date(2025, 1, 31)) == date(2025, 1, 31)
    assert fitted(field, datetime(2025, 1, 31, 9)) == datetime(2025, 1, 31, 9)
    assert isinstance(fitted(field, datetime(2025, 1, 31, 9).time()), Misfit)
