"""One field, git's value and live's: what becomes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from reconciler.core.base import NEVER, FieldBase, Link, Origin, Settled, Unsettled
from reconciler.core.decide import (
    CAME_BACK,
    MOST_REWRITES,
    NO_COMMON_PAST,
    SAID_BY_BOTH,
    Agreed,
    Capture,
    Conflict,
    Decision,
    Merge,
    Push,
    Refused,
    advance,
    decide,
)
from reconciler.core.merge import unique_items
from reconciler.core.snapshot import FieldRule
from reconciler.core.value import ABSENT, Held, same
from tests.strategies import FREE, OWNED, Meeting, held, items, meetings, prose, values

GIT, LIVE, MADE = Origin
DEFAULT_A = FieldRule(default="a")
NO_B = FieldRule(problem=lambda value: "no b" if value == "b" else None)
TWO = FieldRule(problem=lambda value: "too many" if isinstance(value, tuple) and len(value) > 2 else None)


def base(settled: Settled = NEVER, *chain: tuple[Held, Origin], rewrites: int = 0) -> FieldBase:
    return FieldBase(settled, tuple(Link(*link) for link in chain), rewrites=rewrites)


agreed, push, capture = Agreed(), Push(), Capture()
both, past, back = Conflict(SAID_BY_BOTH), Conflict(NO_COMMON_PAST), Conflict(CAME_BACK)
bad_merge = Conflict("the merge of both edits is not valid: too many")
B = base("b")
SENT = base("b", ("g", GIT))
TAKEN = base("b", ("l", LIVE))
NEW = base()
P, PG, PL, PM = "1\n2\n3\n", "g\n2\n3\n", "1\n2\nl\n", "g\n2\nl\n"
T = tuple

CASES: list[tuple[str, FieldRule, FieldBase, Held, Held, Decision]] = [
    # 1: agreed
    ("equal", FREE, B, "b", "b", agreed),
    ("equal edits", FREE, B, "x", "x", agreed),
    ("both removed it", FREE, B, ABSENT, ABSENT, agreed),
    ("equal, unknown past", FREE, NEW, "x", "x", agreed),
    ("look-alikes are two values", FREE, base(1), 1, True, capture),
    ("equal though invalid", NO_B, base("x"), "b", "b", agreed),
    # 2: live knows nothing new
    ("git edited", FREE, B, "g", "b", push),
    ("git removed", FREE, B, ABSENT, "b", push),
    ("git gained a field", FREE, base(ABSENT), "g", ABSENT, push),
    ("git edited again before it settled", FREE, SENT, "h", "g", push),
    ("a turn brought the settled value back", FREE, SENT, "g", "b", push),
    ("a turn brought a sent value back", FREE, base("b", ("g", GIT), ("h", GIT)), "h", "g", push),
    ("a turn brought the value before a capture back", FREE, TAKEN, "l", "b", push),
    ("git went back to the old value, a turn to the newer", FREE, base("b", ("g", GIT), ("b", GIT)), "b", "g", push),
    ("a list brought back", FREE, base(T("a"), (T("ag"), GIT)), T("ag"), T("a"), push),
    ("it came back a third time", FREE, replace(SENT, rewrites=MOST_REWRITES), "g", "b", back),
    ("git moved on after that", FREE, replace(SENT, rewrites=MOST_REWRITES), "h", "b", push),
    ("the old value is invalid by now", NO_B, B, "g", "b", push),
    ("git's new value is invalid", NO_B, base("x"), "b", "x", Refused("no b")),
    ("git's value was sent when it was valid", NO_B, base("x", ("b", GIT)), "b", "x", push),
    # owned
    ("drift", OWNED, B, "b", "l", push),
    ("drift, unknown past", OWNED, NEW, "g", "l", push),
    ("drift to nothing", OWNED, B, "b", ABSENT, push),
    ("drift a third time", OWNED, base("b", rewrites=MOST_REWRITES), "b", "l", back),
    ("git declares it no more", OWNED, B, ABSENT, "b", agreed),
    ("git never declared it", OWNED, NEW, ABSENT, "l", agreed),
    # first meeting
    ("unknown past, live lacks it", FREE, NEW, "g", ABSENT, push),
    ("unknown past, git lacks it", FREE, NEW, ABSENT, "l", capture),
    ("unknown past, git at its default", DEFAULT_A, NEW, "a", "l", capture),
    ("unknown past, live at its default", DEFAULT_A, NEW, "g", "a", past),
    ("unknown past, both hold one", FREE, NEW, "g", "l", past),
    ("unknown past, two lists", FREE, NEW, T("ag"), T("al"), past),
    ("unknown past, live is invalid", NO_B, NEW, "g", "b", Conflict("no b")),
    ("unknown past, git is invalid", NO_B, NEW, "b", ABSENT, Refused("no b")),
    ("unknown past, what live lacked came back", FREE, base(NEVER, (ABSENT, LIVE), ("g", GIT)), "g", ABSENT, push),
    # 4: live's news
    ("live edited", FREE, B, "b", "l", capture),
    ("live removed", FREE, B, "b", ABSENT, capture),
    ("live removed a declared field", DEFAULT_A, B, "b", ABSENT, Merge("a")),
    ("live added a key", FREE, base(ABSENT), ABSENT, "l", capture),
    ("live edited what it had edited", FREE, TAKEN, "l", "m", capture),
    ("live edited what we made", FREE, base(NEVER, ("g", MADE)), "g", "l", capture),
    ("live edited what both had edited alike", FREE, base("b", ("x", LIVE)), "x", "l", capture),
    ("live edited between write and settlement", FREE, SENT, "g", "l", both),
    ("both edited", FREE, B, "g", "l", both),
    ("git removed, live edited", FREE, B, ABSENT, "l", both),
    ("git edited, live removed", FREE, B, "g", ABSENT, both),
    ("live is invalid", NO_B, base("x"), "x", "b", Conflict("no b")),
    ("live reordered a list", FREE, base(T("abc")), T("abc"), T("cab"), capture),
    ("live changed a list of tables", FREE, base(({"k": 1},)), ({"k": 1},), ({"k": 2},), capture),
    # 3: lists
    ("both added", FREE, base(T("a")), T("ag"), T("al"), Merge(T("agl"))),
    ("both added to a field that is new", FREE, base(ABSENT), T("g"), T("l"), Merge(T("gl"))),
    ("live added before git's was settled", FREE, base(T("a"), (T("ag"), GIT)), T("ag"), T("al"), Merge(T("agl"))),
    ("live added on top of git's", FREE, base(T("a"), (T("ag"), GIT)), T("ag"), T("agl"), capture),
    ("live added on top of what we made", FREE, base(NEVER, (T("a"), MADE)), T("a"), T("al"), capture),
    ("live removed, git added", FREE, base(T("ab")), T("abg"), T("a"), Merge(T("ag"))),
    ("live lags: the merge is git's own", FREE, base(T("abc")), T("a"), T("ab"), Merge(T("a"))),
    ("a turn undid a capture and added", FREE, base(T("a"), (T("ax"), LIVE)), T("ax"), T("ay"), Merge(T("axy"))),
    ("git took out what live still has", FREE, base(T(""), (T("x"), LIVE)), T(""), T("xy"), Merge(T("y"))),
    ("git put back what live took out", FREE, base(T("x"), (T(""), LIVE)), T("x"), T("y"), Merge(T("xy"))),
    ("git put back twice", FREE, base(T("x"), (T(""), GIT), (T("x"), GIT)), T("x"), T("y"), Merge(T("xy"))),
    ("a turn undid a capture and took the list away", FREE, base(T(""), (T("x"), LIVE)), T("x"), ABSENT, Merge(T("x"))),
    ("live took away all that it knew", FREE, base(T("x"), (T("xy"), LIVE)), T("xy"), ABSENT, Merge(T("y"))),
    ("what was no list became one, and live took it away", FREE, base(False, (T("x"), GIT)), T("x"), ABSENT, both),
    ("it was no list for a while", FREE, base(T("x"), (False, GIT), (T("x"), GIT)), T("x"), ABSENT, Merge(T("x"))),
    ("git took an item out", FREE, base(T(""), ("?", LIVE), (T("x"), GIT)), T(""), T("xy"), Merge(T("y"))),
    ("the merge is too long", TWO, base(T("a")), T("ag"), T("al"), bad_merge),
    ("live's list is too long", TWO, base(T("a")), T("a"), T("alm"), Conflict("too many")),
    ("git dropped the list, live added", FREE, base(T("a")), ABSENT, T("al"), both),
    # 5: prose
    ("both edited apart", FREE, base(P), PG, PL, Merge(PM)),
    ("live wrote on top of git's", FREE, base(P, (PG, GIT)), PG, PM, capture),
    ("live wrote from before git's", FREE, base(P, (PG, GIT)), PG, PL, Merge(PM)),
    ("a turn undid a capture and wrote elsewhere", FREE, base(P, (PG, LIVE)), PG, PL, Merge(PM)),
    ("a turn undid git's line and a captured one", FREE, base("b", ("g", GIT), ("m", LIVE)), "m", "l", both),
    ("git put a line back", FREE, base(P, ("1\n3\n", GIT)), P, "1\n3\nx\n", Merge("1\n2\n3\nx\n")),
    ("git put a line back twice", FREE, base(P, ("1\n3\n", GIT), (P, GIT)), P, "1\n3\nx\n", Merge("1\n2\n3\nx\n")),
    ("both edited one line", FREE, base(P), PG, "l\n2\n3\n", both),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "known", "git", "live", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_cases(rule: FieldRule, known: FieldBase, git: Held, live: Held, expected: Decision) -> None:
    assert decide(rule, known, git, live) == expected


@given(meetings())
def test_every_meeting_is_decided(m: Meeting) -> None:
    decision = decided(m)

    event(type(decision).__name__)
    assert isinstance(decision, Agreed | Push | Capture | Merge | Conflict | Refused)


@given(meetings(), values)
def test_equal_sides_agree_whatever_the_past(m: Meeting, value: Held) -> None:
    assert decide(m.rule, m.base, value, value) == agreed


@given(meetings())
def test_only_equal_sides_agree_or_an_owned_field_nobody_declares(m: Meeting) -> None:
    assert (decided(m) == agreed) is (same(m.git, m.live) or (m.rule.owned and m.git is ABSENT))


@given(meetings())
def test_an_owned_field_is_never_captured(m: Meeting) -> None:
    assert isinstance(decide(replace(m.rule, owned=True), m.base, m.git, m.live), Agreed | Push | Conflict | Refused)


@given(meetings())
def test_an_old_value_is_never_captured_nor_merged(m: Meeting) -> None:
    if m.base.knows(m.live):
        assert isinstance(decided(m), Agreed | Push | Refused) or decided(m) == back


@given(meetings())
def test_a_push_overwrites_only_what_is_old_or_drift_or_nothing(m: Meeting) -> None:
    if decided(m) == push:
        assert m.base.knows(m.live) or m.rule.owned or m.live is ABSENT


@given(meetings())
def test_an_unknown_past_deletes_nothing(m: Meeting) -> None:
    unknown = replace(m, base=FieldBase(), rule=replace(m.rule, owned=False))
    if ABSENT in (m.git, m.live):
        assert (
            after(unknown) is not ABSENT
            or (m.git, m.live) == (ABSENT, ABSENT)
            or isinstance(decided(unknown), Conflict)
        )


@given(meetings())
def test_gits_newer_value_is_replaced_only_by_a_merge(m: Meeting) -> None:
    """Newer: other than what was last agreed. Only a declared default may yield to a live value of unknown past."""
    assume(not isinstance(m.base.expected, Unsettled))
    if not same(m.base.expected, m.git) and decided(m) == capture:
        assert unique_items(m.live) is not None or isinstance(m.live, str)
        assert not m.base.knows(m.live)


@given(meetings())
def test_what_is_unsettled_of_git_is_never_captured_over(m: Meeting) -> None:
    """A turn may have begun before git's value was sent, so its news need not have seen it."""
    if m.base.chain and m.base.chain[-1].origin is GIT and isinstance(decided(m), Capture):
        assert unique_items(m.live) is not None or isinstance(m.live, str) or _took_away_what_it_knew(m)


def _took_away_what_it_knew(m: Meeting) -> bool:
    """Whether each item of git's list was in every value that a turn can have started from, and live has no list."""
    started = [unique_items(each) or () for each in (m.base.settled, *(link.value for link in m.base.chain))]
    git = unique_items(m.git)
    return m.live is ABSENT and git is not None and all(set(git) <= set(each) for each in started)


@given(items, items, items)
def test_no_list_item_is_lost_whatever_is_decided(settled: Held, git: Held, live: Held) -> None:
    m = Meeting(FREE, FieldBase(settled), git, live)
    kept = after(m)
    if not isinstance(decided(m), Conflict):
        assert has(git) & has(live) <= has(kept)
        assert (has(git) | has(live)) - has(settled) <= has(kept)


@given(prose, prose, prose, st.booleans())
def test_no_line_that_git_put_back_is_lost(settled: str, sent: str, live: str, again: bool) -> None:
    """The live side may hold what was sent meanwhile: it removed no line that this lacks."""
    chain = ((sent, GIT), (settled, GIT)) if again else ((sent, GIT),)
    meeting = Meeting(FREE, base(settled, *chain), settled, live)
    put_back = {*settled.splitlines()} - {*sent.splitlines()}

    assert isinstance(decided(meeting), Conflict) or put_back <= {*str(after(meeting)).splitlines()}


@given(meetings())
def test_what_is_captured_or_merged_is_valid(m: Meeting) -> None:
    decision = decided(m)
    if isinstance(decision, Capture):
        assert m.rule.problem(m.live) is None
    if isinstance(decision, Merge):
        assert m.rule.problem(decision.value) is None or same(decision.value, m.rule.default)


@given(meetings())
def test_a_conflict_is_settled_by_either_side_giving_in(m: Meeting) -> None:
    if isinstance(decided(m), Conflict | Refused):
        assert decided(replace(m, git=m.live)) == agreed
        assert decided(replace(m, live=m.git)) == agreed


# On record.


@given(meetings())
def test_once_on_record_what_was_overwritten_is_old(m: Meeting) -> None:
    recorded = advance(m.base, decided(m), m.git, m.live)
    if isinstance(decided(m), Capture | Merge | Push):
        assert recorded.knows(m.live) or m.rule.owned
        assert recorded.waits is None


@given(meetings())
def test_once_on_record_nothing_known_is_forgotten(m: Meeting) -> None:
    recorded = advance(m.base, decided(m), m.git, m.live)

    assert recorded.chain[: len(m.base.chain)] == m.base.chain
    assert recorded.settled is m.base.settled


@given(meetings())
def test_a_conflict_leaves_the_base_alone(m: Meeting) -> None:
    if isinstance(decided(m), Conflict | Refused):
        assert advance(m.base, decided(m), m.git, m.live) is m.base


@given(meetings())
def test_once_captured_the_sides_agree_or_git_is_pushed(m: Meeting) -> None:
    if isinstance(decided(m), Capture | Merge):
        recorded = advance(m.base, decided(m), m.git, m.live)

        assert decide(m.rule, recorded, after(m), m.live) in (agreed, push)


@given(meetings())
def test_after_a_push_git_is_expected(m: Meeting) -> None:
    if decided(m) == push:
        expected = advance(m.base, push, m.git, m.live).expected

        assert not isinstance(expected, Unsettled)
        assert same(expected, m.git)


@given(meetings())
def test_agreeing_twice_is_agreeing_once(m: Meeting) -> None:
    once = advance(m.base, agreed, m.git, m.git)

    assert advance(once, agreed, m.git, m.git) is once


def test_a_line_that_git_gave_up_again_does_not_come_back_with_a_merge() -> None:
    """It was sent, so the live side shows it; but nobody there wrote it."""
    sent = base("a\n", ("new\na\n", Origin.GIT))

    assert decide(FREE, sent, "a\nmore\n", "new\nlive\na\n") == Conflict(SAID_BY_BOTH)
    assert decide(FREE, sent, "new\na\nmore\n", "new\nlive\na\n") == Conflict(SAID_BY_BOTH)
    assert decide(FREE, sent, "a\nmore\n", "live\na\n") == Merge("live\na\nmore\n")


def test_an_owned_field_nobody_declares_leaves_the_base_alone() -> None:
    assert advance(B, agreed, ABSENT, "b") is B
    assert advance(NEW, agreed, ABSENT, "l") is NEW


@pytest.mark.parametrize("rule", [FREE, OWNED])
@pytest.mark.parametrize("start", [B, NEW, SENT, TAKEN], ids=["settled", "new", "sent", "taken"])
def test_an_old_value_is_overwritten_three_times_and_then_a_person_decides(rule: FieldRule, start: FieldBase) -> None:
    old: Held = ABSENT if start is NEW else "b"
    writes = []
    for _ in range(5):
        decision = decide(rule, start, "new", old)
        writes.append(decision)
        start = advance(start, decision, "new", old)

    assert writes == [push, push, push, back, back]


def test_a_merge_after_a_fight_is_sent_as_often_as_any_other_value() -> None:
    known = base(T("a"), (T("ag"), GIT), rewrites=MOST_REWRITES)
    merge = decide(FREE, known, T("ag"), T("al"))
    known = advance(known, merge, T("ag"), T("al"))
    writes = []
    for _ in range(4):
        decision = decide(FREE, known, T("agl"), T("al"))
        writes.append(decision)
        known = advance(known, decision, T("agl"), T("al"))

    assert merge == Merge(T("agl"))
    assert writes == [push, push, push, back]


@given(st.integers(1, 20))
def test_a_write_that_never_happens_is_tried_again_for_ever(passes: int) -> None:
    known = B
    for _ in range(passes):
        assert decide(FREE, known, "g", "b") == push
        known = advance(known, push, "g", "b").unsent()


@given(held, held)
def test_git_and_live_are_symmetric_in_what_is_a_conflict(git: Held, live: Held) -> None:
    one, other = decide(FREE, B, git, live), decide(FREE, B, live, git)

    assert isinstance(one, Conflict) is isinstance(other, Conflict)


def decided(m: Meeting) -> Decision:
    return decide(m.rule, m.base, m.git, m.live)


def after(m: Meeting) -> Held:
    """Git's value once the decision is carried out."""
    match decided(m):
        case Capture():
            return m.live
        case Merge(value=value):
            return value
        case _:
            return m.git


def has(value: Held) -> set[object]:
    return {(type(item), item) for item in value} if isinstance(value, tuple) else set()
