"""Hypothesis strategies for the core's values. Small alphabets, so that collisions are common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from typing import Any

from hypothesis import strategies as st

from reconciler.core.base import NEVER, Base, FieldBase, Link, Origin
from reconciler.core.plan import Plan, Side
from reconciler.core.settle import settle
from reconciler.core.snapshot import MISSING, FieldRule, Ref, Seen, Spec, Unreadable
from reconciler.core.value import ABSENT, Fields, Held

# Values. The look-alikes are equal in Python and different in TOML.

LOOK_ALIKES = (False, 0, 0.0, True, 1, 1.0)
MOMENTS = (
    datetime(2026, 1, 1, 12, tzinfo=UTC),
    datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1))),
    datetime(2026, 1, 1, 12),
    date(2026, 1, 1),
    time(12),
)

scalars = st.sampled_from([*LOOK_ALIKES, *MOMENTS, "", "a", "b"])
items = st.lists(st.sampled_from([*"abcdef", 1, True]), max_size=5, unique_by=lambda item: (type(item), item)).map(
    tuple
)
loose_lists = st.lists(scalars, max_size=3).map(tuple)
lines = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=6)
prose = st.builds(lambda body, last: "".join(body) + last, lines, st.sampled_from(["", "a", "b"]))
tables = st.dictionaries(st.sampled_from("kl"), scalars, max_size=2)
values = scalars | items | prose | loose_lists | tables
held = st.just(ABSENT) | values

# Bases. ``knowing`` draws them from a pool of values, so that git's and live's are often among them.

run_ids = st.frozensets(st.sampled_from(["r1", "r2", "r3"]))


@cache
def knowing(pool: st.SearchStrategy[Held]) -> st.SearchStrategy[FieldBase]:
    return st.builds(
        FieldBase,
        settled=st.just(NEVER) | pool,
        chain=st.lists(st.builds(Link, pool, st.sampled_from(Origin)), max_size=3).map(tuple),
        waits=st.none() | run_ids,
        round=st.sampled_from([1, 2]),
        rewrites=st.integers(0, 3),
    )


@cache
def settled(pool: st.SearchStrategy[Held]) -> st.SearchStrategy[FieldBase]:
    return st.builds(FieldBase, settled=pool)


POOLS = [
    st.sampled_from([ABSENT, 0, 1, True, "a", "b"]),
    items,
    prose,
    held,
]
pools = st.sampled_from(POOLS)


def _no_b(value: Held) -> str | None:
    return "b is not an option" if value == "b" or (isinstance(value, tuple) and "b" in value) else None


def _at_most_two(value: Held) -> str | None:
    return "more than 2" if isinstance(value, tuple) and len(value) > 2 else None


FREE, OWNED = FieldRule(), FieldRule(owned=True)
RULES = [
    FREE,
    OWNED,
    FieldRule(default="a"),
    FieldRule(default=()),
    FieldRule(problem=_no_b),
    FieldRule(problem=_at_most_two),
]
rules = st.sampled_from(RULES)


@dataclass(frozen=True)
class Meeting:
    """One field between git and one remote, about to be decided."""

    rule: FieldRule
    base: FieldBase
    git: Held
    live: Held


@st.composite
def meetings(draw: st.DrawFn) -> Meeting:
    pool = draw(pools)
    return Meeting(draw(rules), draw(knowing(pool)), draw(pool), draw(pool))


# Scopes: two resources, three fields, up to two remotes.

NAMES = ("f", "g", "@s")
REFS = ("block/c/one", "block/c/two")
REMOTES = ("letta", "openwebui")
EVERY_REMOTE = frozenset(REMOTES)


@dataclass(frozen=True)
class Start:
    """Everything one planning takes."""

    specs: Mapping[Ref, Spec]
    git: Mapping[Ref, Seen]
    sides: Sequence[Side]
    frozen: frozenset[Ref] = frozenset()


@cache
def fields_of(pool: st.SearchStrategy[Held]) -> st.SearchStrategy[Fields]:
    return st.dictionaries(st.sampled_from(NAMES), pool.filter(lambda value: value is not ABSENT), max_size=3)


@cache
def seen_of(pool: st.SearchStrategy[Held]) -> st.SearchStrategy[Seen]:
    return fields_of(pool) | fields_of(pool) | st.just(MISSING) | st.just(Unreadable("not TOML", "x = "))


@cache
def bases_of(pool: st.SearchStrategy[Held]) -> st.SearchStrategy[Mapping[str, FieldBase]]:
    return st.dictionaries(st.sampled_from(NAMES), knowing(pool) | settled(pool))


@cache
def by_ref(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Mapping[Ref, Any]]:
    return st.dictionaries(st.sampled_from(REFS), of)


# Made once: building a strategy costs more than drawing from it.
RULES_BY_NAME = st.dictionaries(st.sampled_from(NAMES), rules)
SOME_REFS = st.sampled_from([frozenset(REFS), frozenset(REFS[:1]), frozenset(REFS[1:])])
SOME_REMOTES = st.sampled_from([EVERY_REMOTE, *(frozenset({name}) for name in REMOTES)])
YES_OR_NO, ONE_OR_TWO = st.booleans(), st.sampled_from([1, 2])


@st.composite
def starts(draw: st.DrawFn, frozen: bool = False) -> Start:
    pool = draw(pools)
    specs = {
        ref: Spec(
            ref,
            draw(RULES_BY_NAME),
            draw(SOME_REMOTES),
            open=draw(YES_OR_NO),
            make=draw(YES_OR_NO),
        )
        for ref in draw(SOME_REFS)
    }
    sides = [
        Side(name, draw(by_ref(seen_of(pool))), Base("main", draw(by_ref(bases_of(pool)))))
        for name in REMOTES[: draw(ONE_OR_TWO)]
    ]
    return Start(specs, draw(by_ref(seen_of(pool))), sides, draw(SOME_REFS) if frozen else frozenset())


# The world after a plan: every write landed, and every agent is idle.


def applied(plan: Plan, start: Start) -> Start:
    """The start of the next pass, had every write of the plan landed and settled."""
    sides = [_written(plan, side) for side in start.sides]
    return replace(start, git={**start.git, **plan.target}, sides=[believed(side) for side in sides])


def _written(plan: Plan, side: Side) -> Side:
    seen = dict(side.seen)
    for remote, ref in plan.creates:
        if remote == side.name:
            seen[ref] = plan.target[ref]
    for change in plan.pending:
        if change.remote == side.name:
            seen[change.ref] = with_field(seen[change.ref], change.name, change.after)
    return Side(side.name, seen, plan.bases[side.name])


def believed(side: Side, active: frozenset[str] = frozenset()) -> Side:
    """The side once what it shows was read back while these runs were active."""
    resources = {
        ref: {name: settle(base, shown(side.seen.get(ref), name), active) for name, base in fields.items()}
        if isinstance(side.seen.get(ref), Mapping)
        else fields
        for ref, fields in side.base.resources.items()
    }
    return replace(side, base=replace(side.base, resources=resources))


def shown(seen: Seen | None, name: str) -> Held:
    return seen.get(name, ABSENT) if isinstance(seen, Mapping) else ABSENT


def with_field(seen: Seen, name: str, value: Held) -> Fields:
    assert isinstance(seen, Mapping)
    others = {other: held for other, held in seen.items() if other != name}
    return others if value is ABSENT else {**others, name: value}
