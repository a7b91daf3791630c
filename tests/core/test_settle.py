"""A value is believed once every run that could still overwrite it has ended, and never before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.base import NEVER, FieldBase, Link, Origin, Unsettled
from reconciler.core.settle import DEAD_AFTER, Running, on_holders, settle
from reconciler.core.value import Held, same
from tests.strategies import held, knowing, pools, run_ids

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NONE: frozenset[str] = frozenset()
R1, R2, R12, R3 = frozenset({"r1"}), frozenset({"r2"}), frozenset({"r1", "r2"}), frozenset({"r3"})
SENT = FieldBase("old", (Link("new", Origin.GIT),), waits=None)
DONE = FieldBase("new")


def waiting(runs: frozenset[str] | None, round: int = 1) -> FieldBase:
    return replace(SENT, waits=runs, round=round)


@pytest.mark.parametrize(
    ("base", "live", "active", "expected"),
    [
        (waiting(None), "new", NONE, DONE),
        (waiting(None), "new", R1, waiting(R1)),
        (waiting(None), "old", NONE, waiting(None)),
        (waiting(R12), "new", R12, waiting(R12)),
        (waiting(R12), "new", R1, waiting(R1)),
        (waiting(R1), "new", NONE, DONE),
        (waiting(R1), "new", R2, waiting(R2, round=2)),
        (waiting(R2, round=2), "new", R2 | R3, waiting(R2, round=2)),
        (waiting(R2, round=2), "new", R3, DONE),
        (waiting(R2, round=2), "new", NONE, DONE),
        (waiting(R1), "old", R1, waiting(None)),
        (waiting(R1), "news", NONE, waiting(None)),
        (waiting(R2, round=2), "old", NONE, waiting(None)),
        (DONE, "news", R1, DONE),
        (FieldBase(NEVER), "news", NONE, FieldBase(NEVER)),
    ],
)
def test_cases(base: FieldBase, live: Held, active: frozenset[str], expected: FieldBase) -> None:
    assert settle(base, live, active) == expected


@st.composite
def reads(draw: st.DrawFn) -> tuple[FieldBase, Held, frozenset[str]]:
    pool = draw(pools)
    return draw(knowing(pool)), draw(pool), draw(run_ids)


@given(reads())
def test_nothing_settles_while_a_run_it_waits_for_is_active(read: tuple[FieldBase, Held, frozenset[str]]) -> None:
    base, live, active = read
    if not base.is_settled and (active if base.waits is None else base.waits & active):
        assert not settle(base, live, active).is_settled


@given(reads())
def test_nothing_settles_but_what_live_shows(read: tuple[FieldBase, Held, frozenset[str]]) -> None:
    base, live, active = read
    after = settle(base, live, active)
    if after.is_settled and not base.is_settled:
        assert not isinstance(after.settled, Unsettled)
        assert same(after.settled, live)


@given(reads())
def test_settling_never_invents_nor_forgets_before_it_believes(read: tuple[FieldBase, Held, frozenset[str]]) -> None:
    base, live, active = read
    after = settle(base, live, active)

    assert after.is_settled or (after.settled is base.settled and after.chain == base.chain)


@given(reads())
def test_a_changed_value_waits_for_a_fresh_listing(read: tuple[FieldBase, Held, frozenset[str]]) -> None:
    base, live, active = read
    if base.chain and not same(base.chain[-1].value, live):
        assert (settle(base, live, active).waits, settle(base, live, active).round) == (None, 1)


@given(held, st.lists(run_ids, max_size=8))
def test_busy_agents_starve_nobody(value: Held, listings: list[frozenset[str]]) -> None:
    """Each run ends by the next listing but one is always active: after two rounds the value is believed."""
    base = FieldBase().joined(value, Origin.GIT)
    for number, _ in enumerate(listings):
        base = settle(base, value, frozenset({f"run {number}"}))

    assert base.is_settled is (len(listings) > 2)


@given(held, run_ids)
def test_idle_agents_settle_at_once(value: Held, others: frozenset[str]) -> None:
    assert settle(FieldBase().joined(value, Origin.LIVE), value, NONE).is_settled
    assert settle(replace(FieldBase().joined(value, Origin.LIVE), waits=others), value, NONE).is_settled


def run(id: str, agent: str, minutes: float) -> Running:
    return Running(id, agent, NOW - timedelta(minutes=minutes))


RUNS = [run("r1", "ada's", 1), run("r2", "bob's", 59), run("r3", "ada's", 60), run("r4", "ada's", -1)]


@pytest.mark.parametrize(
    ("holders", "expected"),
    [
        (None, {"r1", "r2", "r4"}),
        (frozenset({"ada's"}), {"r1", "r4"}),
        (frozenset({"bob's"}), {"r2"}),
        (frozenset({"eve's"}), set[str]()),
        (frozenset[str](), set[str]()),
    ],
)
def test_only_live_runs_of_the_holders_are_waited_for(holders: frozenset[str] | None, expected: set[str]) -> None:
    assert on_holders(RUNS, holders, NOW) == expected


@given(st.timedeltas(timedelta(0), timedelta(hours=3)))
def test_a_run_is_dead_after_an_hour(age: timedelta) -> None:
    assert bool(on_holders([Running("r", "a", NOW - age)], None, NOW)) is (age < DEAD_AFTER)
