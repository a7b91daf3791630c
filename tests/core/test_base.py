"""The base knows what both sides have held, and believes nothing before it is settled."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.base import NEVER, Base, FieldBase, Link, Origin, Settled, Unsettled
from reconciler.core.value import ABSENT, Held, same
from tests.strategies import held, knowing

GIT, LIVE, MADE = Origin
G1, L1, M1 = Link("1", GIT), Link("1", LIVE), Link("1", MADE)
NEW = FieldBase()

bases = knowing(held)


@pytest.mark.parametrize(
    ("base", "expected", "ancestor"),
    [
        (NEW, NEVER, NEVER),
        (FieldBase("0"), "0", "0"),
        (FieldBase("0", (G1,)), "1", "0"),
        (FieldBase(NEVER, (G1,)), "1", NEVER),
        (FieldBase(NEVER, (L1,)), "1", NEVER),
        (FieldBase(NEVER, (M1,)), "1", "1"),
        (FieldBase(NEVER, (M1, Link("2", GIT))), "2", "1"),
        (FieldBase("0", (M1,)), "1", "0"),
    ],
)
def test_what_is_expected_and_what_merges_start_from(base: FieldBase, expected: Settled, ancestor: Settled) -> None:
    assert (base.expected, base.ancestor) == (expected, ancestor)


@given(bases, held, st.sampled_from(Origin))
def test_what_was_joined_is_known_and_expected_and_waits_again(base: FieldBase, value: Held, origin: Origin) -> None:
    joined = base.joined(value, origin)

    assert joined.knows(value)
    assert same_settled(joined.expected, value)
    assert (joined.waits, joined.round, joined.is_settled) == (None, 1, False)


@given(bases, held, held, st.sampled_from(Origin))
def test_joining_forgets_nothing(base: FieldBase, value: Held, older: Held, origin: Origin) -> None:
    assert not base.knows(older) or base.joined(value, origin).knows(older)


@given(bases, held, st.sampled_from(Origin))
def test_joining_twice_is_joining_once(base: FieldBase, value: Held, origin: Origin) -> None:
    once = base.joined(value, origin)

    assert once.joined(value, origin) == once


@given(bases)
def test_settling_believes_what_was_expected_and_nothing_else(base: FieldBase) -> None:
    after = base.settle()

    assert after.is_settled
    assert same_settled(after.settled, base.expected) if base.chain else after.settled is base.settled
    assert after.settle() == after


@given(bases, held)
def test_a_base_knows_its_settled_value_and_its_chain(base: FieldBase, value: Held) -> None:
    known = [link.value for link in base.chain]
    known += [] if isinstance(base.settled, Unsettled) else [base.settled]

    assert base.knows(value) is any(same(value, one) for one in known)


def test_rewrites_are_counted_per_value() -> None:
    fought = FieldBase("0", (G1,), rewrites=2)

    assert fought.joined("2", LIVE).rewrites == 0
    assert fought.joined("1", LIVE).rewrites == 2


@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 0), (0, 0)])
def test_a_write_that_did_not_happen_is_no_rewrite(before: int, after: int) -> None:
    assert FieldBase("0", (G1,), rewrites=before).unsent() == FieldBase("0", (G1,), rewrites=after)


def test_what_a_known_resource_lacks_was_absent_and_of_an_unknown_one_nothing_is_known() -> None:
    base = Base("main", {"block/a": {"f": FieldBase("x")}})

    assert base.of("block/a", "f").settled == "x"
    assert base.of("block/a", "g").settled is ABSENT
    assert base.of("block/b", "f").settled is NEVER


def test_there_is_one_never() -> None:
    assert Unsettled() is NEVER
    assert repr(NEVER) == "NEVER"
    assert replace(NEW, round=2).settled is NEVER


def same_settled(a: Settled, b: Settled) -> bool:
    if isinstance(a, Unsettled) or isinstance(b, Unsettled):
        return a is b
    return same(a, b)
