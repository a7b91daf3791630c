"""One scope planned: what each side lacks, and that doing it leaves nothing to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.base import NEVER, Base, FieldBase, Link, Origin
from reconciler.core.decide import NO_COMMON_PAST, SAID_BY_BOTH
from reconciler.core.plan import WENT_BACK, Blind, Change, Clash, Plan, Side, plan_scope
from reconciler.core.snapshot import MISSING, FieldRule, Seen, Spec, Unreadable
from reconciler.core.value import ABSENT, Fields, Held, same
from tests.strategies import EVERY_REMOTE, OWNED, Start, applied, believed, shown, starts, values, with_field

REF, OTHER = "block/c/one", "block/c/two"
L, W = "letta", "openwebui"
BROKEN = Unreadable("not TOML", "x = ")
BLOCK = Spec(REF, {}, EVERY_REMOTE)


def planned(start: Start) -> Plan:
    return plan_scope(start.specs, start.git, start.sides, start.frozen)


def base(**settled: Held) -> Base:
    return Base("main", {REF: {name: FieldBase(value) for name, value in settled.items()}})


def one(
    git: Seen, live: Seen | None, past: Base | None = None, spec: Spec = BLOCK, frozen: frozenset[str] = frozenset()
) -> Plan:
    """One resource between git and Letta."""
    side = Side(L, {} if live is None else {REF: live}, past or Base())
    return plan_scope({REF: spec}, {REF: git}, [side], frozen)


def two(git: Fields, letta: Fields, openwebui: Fields, past: Base) -> Plan:
    return plan_scope({REF: BLOCK}, {REF: git}, [Side(L, {REF: letta}, past), Side(W, {REF: openwebui}, past)])


# Cases: what is captured, pending, created, clashing, blind.

ALL_0 = base(f=0, g=0, h=0)
Shape = tuple[int, int, int, int, int]
CASES: list[tuple[str, Seen, Seen | None, Base | None, Shape]] = [
    ("in sync", {"f": "b"}, {"f": "b"}, base(f="b"), (0, 0, 0, 0, 0)),
    ("git edited", {"f": "g"}, {"f": "b"}, base(f="b"), (0, 1, 0, 0, 0)),
    ("live edited", {"f": "b"}, {"f": "l"}, base(f="b"), (1, 0, 0, 0, 0)),
    ("both edited", {"f": "g"}, {"f": "l"}, base(f="b"), (0, 0, 0, 1, 0)),
    ("both edited, other fields flow", {"f": 1, "g": 0, "h": 2}, {"f": 2, "g": 2, "h": 0}, ALL_0, (1, 1, 0, 1, 0)),
    ("live gained a key", {}, {"f": "l"}, base(), (1, 0, 0, 0, 0)),
    ("live lost a key", {"f": "b"}, {}, base(f="b"), (1, 0, 0, 0, 0)),
    ("git gained a key", {"f": "g"}, {}, base(), (0, 1, 0, 0, 0)),
    ("git lost a key", {}, {"f": "b"}, base(f="b"), (0, 1, 0, 0, 0)),
    ("both lists grew", {"f": ("b", "g")}, {"f": ("b", "l")}, base(f=("b",)), (1, 1, 0, 0, 0)),
    ("live is missing", {"f": "b"}, MISSING, None, (0, 0, 1, 0, 0)),
    ("live is missing, once there", {"f": "b"}, MISSING, base(f="b"), (0, 0, 1, 0, 0)),
    ("live was not looked at", {"f": "b"}, None, base(f="b"), (0, 0, 0, 0, 0)),
    ("live is unreadable", {"f": "g"}, BROKEN, base(f="b"), (0, 0, 0, 0, 1)),
    ("git is unreadable", BROKEN, {"f": "l"}, base(f="b"), (0, 0, 0, 0, 1)),
    ("git is unreadable, live missing", BROKEN, MISSING, base(f="b"), (0, 0, 0, 0, 1)),
    ("git is missing", MISSING, {"f": "l"}, base(f="b"), (0, 0, 0, 0, 0)),
    ("both are missing", MISSING, MISSING, None, (0, 0, 0, 0, 0)),
    ("nobody knows the past", {"f": "g"}, {"f": "l"}, None, (0, 0, 0, 1, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("git", "live", "past", "shape"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_cases(git: Seen, live: Seen | None, past: Base | None, shape: Shape) -> None:
    plan = one(git, live, past)

    assert tuple(map(len, (plan.captured, plan.pending, plan.creates, plan.clashes, plan.blind))) == shape


def test_a_push_says_what_live_held_and_what_it_gets() -> None:
    assert one({"f": "g"}, {"f": "b"}, base(f="b")).pending == (Change(L, REF, "f", "b", "g", "b"),)


def test_a_merge_is_captured_and_sent() -> None:
    plan = one({"f": ("b", "g")}, {"f": ("b", "l")}, base(f=("b",)))

    assert plan.captured == (Change(L, REF, "f", ("b", "g"), ("b", "g", "l"), ("b", "l")),)
    assert plan.pending == (Change(L, REF, "f", ("b", "l"), ("b", "g", "l"), ("b", "l")),)


def test_a_clash_names_all_three_values_and_why() -> None:
    assert one({"f": "g"}, {"f": "l"}, base(f="b")).clashes == (Clash(L, REF, "f", "b", "g", "l", SAID_BY_BOTH),)
    assert one({"f": "g"}, {"f": "l"}).clashes == (Clash(L, REF, "f", NEVER, "g", "l", NO_COMMON_PAST),)


def test_what_is_unreadable_is_reported_with_its_text() -> None:
    assert one({"f": "g"}, BROKEN).blind == (Blind(L, REF, "not TOML", "x = "),)
    assert one(BROKEN, {"f": "g"}).blind == (Blind("git", REF, "not TOML", "x = "),)


def test_one_remotes_news_reaches_the_other_in_the_same_pass() -> None:
    plan = two({"f": "b"}, {"f": "l"}, {"f": "b"}, base(f="b"))

    assert [(change.remote, change.after) for change in plan.captured] == [(L, "l")]
    assert [(change.remote, change.before, change.after) for change in plan.pending] == [(W, "b", "l")]


def test_both_remotes_items_reach_git_and_each_other() -> None:
    plan = two({"f": ("b",)}, {"f": ("b", "l")}, {"f": ("b", "w")}, base(f=("b",)))

    assert plan.target == {REF: {"f": ("b", "l", "w")}}
    assert {change.remote for change in plan.pending} == {L, W}


def test_two_remotes_different_edits_are_one_capture_and_one_conflict() -> None:
    plan = two({"f": "b"}, {"f": "l"}, {"f": "w"}, base(f="b"))

    assert [change.after for change in plan.captured] == ["l"]
    assert plan.clashes == (Clash(W, REF, "f", "b", "l", "w", SAID_BY_BOTH),)


def test_a_key_that_one_remote_removed_and_the_other_edited_is_a_conflict() -> None:
    plan = two({"f": "b"}, {}, {"f": "w"}, base(f="b"))

    assert plan.clashes == (Clash(W, REF, "f", "b", ABSENT, "w", SAID_BY_BOTH),)


def test_a_frozen_capture_waits_and_says_so() -> None:
    plan = one({"f": "b", "g": 1}, {"f": "l", "g": 0}, base(f="b", g=0), frozen=frozenset({REF}))

    assert plan.captured == ()
    assert plan.waiting == (Change(L, REF, "f", "b", "l", "l"),)
    assert [change.name for change in plan.pending] == ["g"]


def test_a_capture_that_waited_at_the_first_meeting_is_still_a_first_meeting() -> None:
    spec = replace(BLOCK, rules={"f": FieldRule(default="d")})
    waited = one({"f": "d", "g": 1}, {"f": "l", "g": 1}, spec=spec, frozen=frozenset({REF}))
    plan = one({"f": "d", "g": 1}, {"f": "l", "g": 1}, waited.bases[L], spec=spec)

    assert [change.after for change in plan.captured] == ["l"]


def test_what_a_remote_does_not_hold_is_not_its_business() -> None:
    spec = replace(BLOCK, remotes=frozenset({W}))

    assert one({"f": "g"}, MISSING, spec=spec).is_empty
    assert one({"f": "g"}, {"f": "l"}, base(f="b"), spec=spec).clashes == ()


def test_undeclared_fields_of_a_closed_resource_are_left_alone() -> None:
    spec = replace(BLOCK, rules={"f": OWNED}, open=False)
    plan = one({"f": "g"}, {"f": "l", "z": 1}, base(f="g", y=2), spec)

    assert [change.name for change in plan.pending] == ["f"]
    assert plan.target == {REF: {"f": "g"}}


def test_an_undeclared_setting_of_a_block_is_neither_captured_nor_removed() -> None:
    assert one({}, {"@limit": 5000}, base()).is_empty
    assert one({}, {"@limit": 5000}, Base("main", {REF: {"@limit": FieldBase(5000)}})).is_empty


def test_an_owned_field_in_order_needs_no_base() -> None:
    spec = replace(BLOCK, rules={"f": OWNED}, open=False)
    assert one({"f": 1}, {"f": 1}, Base("main", {REF: {}}), spec).bases[L].resources == {REF: {}}


def test_an_owned_field_is_believed_once_both_sides_hold_the_same() -> None:
    spec = replace(BLOCK, rules={"f": OWNED}, open=False)
    in_the_air = FieldBase(1, (Link(2, Origin.GIT),), None)
    plan = one({"f": 1}, {"f": 1}, Base("main", {REF: {"f": in_the_air}}), spec)
    assert plan.bases[L].of(REF, "f") == FieldBase(1)


def test_an_owned_field_that_git_declares_no_more_is_left_as_it_is() -> None:
    spec = replace(BLOCK, rules={"f": OWNED})

    assert one({}, {"f": "b"}, base(f="b"), spec).is_empty


def test_a_resource_made_is_known_to_hold_what_it_was_made_with() -> None:
    plan = one({"f": "g"}, MISSING)

    assert plan.bases[L].resources == {REF: {"f": FieldBase(NEVER, (Link("g", Origin.MADE),), waits=None)}}
    assert one({"f": "g"}, {"f": "l"}, plan.bases[L]).captured[0].after == "l"
    assert one({"f": "h"}, {"f": "g"}, plan.bases[L]).pending[0].after == "h"


def test_a_missing_resource_keeps_the_base_it_had_and_what_it_is_made_with() -> None:
    again = one({"f": "g"}, MISSING, base(f="b")).bases[L]

    assert again.resources == {REF: {"f": FieldBase("b", (Link("g", Origin.GIT),), waits=None)}}


def test_the_unsettled_are_counted() -> None:
    assert one({"f": "g", "g": 1}, {"f": "b", "g": 1}, base(f="b", g=1)).unsettled() == 1


# Laws.


@given(starts())
def test_carrying_a_plan_out_leaves_nothing_to_do(start: Start) -> None:
    first = planned(start)
    second = planned(applied(first, start))

    assert second.is_empty
    assert second.waiting == ()


@given(starts())
def test_the_third_pass_moves_no_base(start: Start) -> None:
    once = applied(planned(start), start)
    twice = applied(planned(once), once)

    assert planned(twice).bases == {side.name: side.base for side in twice.sides}


@given(starts())
def test_conflicts_stay_until_somebody_moves(start: Start) -> None:
    once = applied(planned(start), start)

    assert planned(once).clashes == planned(applied(planned(once), once)).clashes


@given(starts())
def test_a_plan_is_a_function_of_its_start(start: Start) -> None:
    assert planned(start) == planned(start)


@given(starts(frozen=True))
def test_each_remote_changes_a_field_in_one_way_only(start: Start) -> None:
    plan = planned(start)
    for changes in (plan.captured, (*plan.pending, *plan.waiting, *plan.clashes, *plan.refused)):
        keys = [(change.remote, change.ref, change.name) for change in changes]
        assert len(keys) == len(set(keys))


@given(starts(frozen=True))
def test_nothing_leaves_the_target_unless_a_side_lacks_it(start: Start) -> None:
    plan = planned(start)
    for ref, seen in start.git.items():
        assert (ref in plan.target) is isinstance(seen, Mapping)
        for name in seen if isinstance(seen, Mapping) else ():
            if name not in plan.target[ref]:
                assert any(shows(side, ref) and shown(side.seen[ref], name) is ABSENT for side in start.sides)


@given(starts(frozen=True))
def test_every_value_of_the_target_is_gits_or_captured(start: Start) -> None:
    plan = planned(start)
    for ref, fields in plan.target.items():
        last = {change.name: change.after for change in plan.captured if change.ref == ref}
        for name in {*fields, *shown_names(start.git[ref])}:
            assert same(shown(fields, name), last.get(name, shown(start.git[ref], name)))


@given(starts(frozen=True))
def test_owned_fields_and_old_values_are_never_captured(start: Start) -> None:
    for change in planned(start).captured:
        rule = start.specs[change.ref].rule(change.name)
        side = next(side for side in start.sides if side.name == change.remote)

        assert rule is not None
        assert not rule.owned
        assert not side.base.of(change.ref, change.name).knows(change.live)


@given(starts(frozen=True))
def test_what_is_frozen_is_never_captured(start: Start) -> None:
    assert not {change.ref for change in planned(start).captured} & start.frozen


@given(starts(frozen=True))
def test_what_was_not_read_is_never_touched(start: Start) -> None:
    plan = planned(start)
    for side in start.sides:
        touched = [*plan.captured, *plan.pending, *plan.waiting, *plan.clashes]
        for change in touched:
            assert change.remote != side.name or shows(side, change.ref)
        for ref, fields in side.base.resources.items():
            if not isinstance(side.seen.get(ref), Mapping) and (side.name, ref) not in plan.creates:
                assert plan.bases[side.name].resources[ref] == fields


@given(starts(frozen=True))
def test_only_what_is_declared_missing_and_readable_in_git_is_made(start: Start) -> None:
    for remote, ref in planned(start).creates:
        side = next(side for side in start.sides if side.name == remote)

        assert start.specs[ref].make
        assert remote in start.specs[ref].remotes
        assert side.seen[ref] is MISSING
        assert isinstance(start.git[ref], Mapping)


@given(starts(frozen=True))
def test_whatever_is_unreadable_is_named(start: Start) -> None:
    named = {(blind.remote, blind.ref) for blind in planned(start).blind}

    assert named == {("git", ref) for ref, seen in start.git.items() if isinstance(seen, Unreadable)} | {
        (side.name, ref)
        for side in start.sides
        for ref, spec in start.specs.items()
        if side.name in spec.remotes and isinstance(side.seen.get(ref), Unreadable)
    }


@given(starts())
def test_a_pending_change_brings_live_to_the_target(start: Start) -> None:
    plan = planned(start)
    for change in plan.pending:
        side = next(side for side in start.sides if side.name == change.remote)

        assert same(change.before, shown(side.seen[change.ref], change.name))
        assert same(change.after, shown(plan.target[change.ref], change.name))
        assert not same(change.before, change.after)


@given(starts(), st.data())
def test_an_edit_of_live_after_all_has_settled_is_captured(start: Start, data: st.DataObject) -> None:
    """Whatever went before: one side's edit of a settled, valid, merged field is news, and never a conflict."""
    free = replace(start, specs={ref: replace(spec, rules={}, open=True) for ref, spec in start.specs.items()})
    calm = applied(planned(free), free)
    calm = applied(planned(calm), calm)
    places = settled_places(calm)
    if places:
        at, ref, name = data.draw(st.sampled_from(places))
        news = data.draw(values)
        side = calm.sides[at]
        edited = replace(side, seen={**side.seen, ref: with_field(side.seen[ref], name, news)})
        plan = planned(replace(calm, sides=[*calm.sides[:at], edited, *calm.sides[at + 1 :]]))

        assert same(plan.target[ref][name], news)
        assert not [clash for clash in plan.clashes if (clash.remote, clash.ref, clash.name) == (side.name, ref, name)]


def settled_places(start: Start) -> list[tuple[int, str, str]]:
    """Where git and one remote are known to hold the same."""
    return [
        (at, ref, name)
        for at, side in enumerate(start.sides)
        for ref, spec in start.specs.items()
        if side.name in spec.remotes and shows(side, ref) and isinstance(start.git.get(ref), Mapping)
        for name in ("f", "g")
        if same(shown(side.seen[ref], name), shown(start.git[ref], name))
        and side.base.of(ref, name) == FieldBase(shown(start.git[ref], name))
    ]


def test_made_values_settle_like_any_other() -> None:
    side = believed(Side(L, {REF: {"f": "g"}}, one({"f": "g"}, MISSING).bases[L]))

    assert side.base.resources == base(f="g").resources


def shows(side: Side, ref: str) -> bool:
    return isinstance(side.seen.get(ref), Mapping)


def shown_names(seen: Seen) -> list[str]:
    return list(seen) if isinstance(seen, Mapping) else []


def test_news_under_suspicion_is_asked_about_and_nothing_of_it_moves() -> None:
    live, past = {"f": "old", "g": "new"}, base(f="git", g="git")
    side = Side(L, {REF: live}, past)
    plan = plan_scope({REF: BLOCK}, {REF: {"f": "git", "g": "git"}}, [side], suspect=frozenset({(REF, "f")}))

    assert [(change.name, change.after) for change in plan.captured] == [("g", "new")]
    assert [(clash.name, clash.git, clash.live, clash.reason) for clash in plan.clashes] == [
        ("f", "git", "old", WENT_BACK)
    ]
    assert plan.pending == ()
    assert plan.bases[L].resources[REF]["f"] == past.resources[REF]["f"]


@pytest.mark.parametrize(("git", "live"), [("same", "same"), ("git", "past")])
def test_suspicion_asks_nothing_where_there_is_no_news(git: str, live: str) -> None:
    side = Side(L, {REF: {"f": live}}, base(f="past"))
    doubted = frozenset({(REF, "f")})

    assert plan_scope({REF: BLOCK}, {REF: {"f": git}}, [side], suspect=doubted) == plan_scope(
        {REF: BLOCK}, {REF: {"f": git}}, [side]
    )
