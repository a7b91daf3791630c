"""The guard halts a remote that looks wiped or restored, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.guard import EVERY_SCOPE, LOST, Expected, Found, judge

P, B, M, O, U = Found.PRESENT, Found.BLANK, Found.MISSING, Found.OLDER, Found.UNKNOWN  # noqa: E741


@dataclass(frozen=True)
class Limits:
    share: float = 0.2
    count: int = 10
    floor: int = 2


def pairs(found: list[Found], kind: str = "block", had_values: bool = True) -> list[tuple[Expected, Found]]:
    return [(Expected(kind, f"user/{n}", f"{kind}/essay", had_values), what) for n, what in enumerate(found)]


CASES = [
    ("nothing expected", [], False),
    ("all there", [P] * 50, False),
    ("everything missing", [M] * 50, True),
    ("everything blank", [B] * 50, True),
    ("everything older", [O] * 50, True),
    ("a share of 20 % is not more than 20 %", [M] * 10 + [P] * 40, False),
    ("one more than 20 %", [M] * 9 + [P] * 35, True),
    ("more than ten of many", [M] * 11 + [P] * 5000, True),
    ("ten of many", [M] * 10 + [P] * 5000, False),
    ("one alone is healed", [M], False),
    ("two of two", [M, M], True),
    ("losses of different sorts count together", [M] * 4 + [B] * 4 + [O] * 4 + [P] * 5000, True),
    ("nothing could be read", [U] * 500, False),
    ("unknown ones are no ballast: two of the eight known", [M] * 2 + [P] * 6 + [U] * 500, True),
    ("unknown ones are no losses", [M] + [U] * 500 + [P] * 6, False),
]


@pytest.mark.parametrize(("found", "halts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_kind_halts_when_too_much_of_it_is_lost(found: list[Found], halts: bool) -> None:
    assert bool(judge("letta", pairs(found), Limits())) is halts


def test_what_was_blank_before_is_no_loss() -> None:
    assert judge("letta", pairs([B] * 50, had_values=False), Limits()) == []
    assert judge("letta", pairs([M] * 50, had_values=False), Limits()) != []


def test_kinds_are_judged_apart() -> None:
    halts = judge("letta", [*pairs([M] * 5, "agent"), *pairs([P] * 500, "block")], Limits())

    assert [(halt.scope, halt.remote) for halt in halts] == [(EVERY_SCOPE, "letta")]
    assert "5 agents" in halts[0].reason
    assert "block/" not in halts[0].reason


def test_a_halt_says_what_was_seen_and_the_ways_on() -> None:
    [halt] = judge("letta", pairs([M, B, B, B, B, O, P]), Limits())

    assert halt.reason == (
        "of 7 blocks that letta held, 1 is missing (block/essay of user/0), "
        "4 are blank (block/essay of user/1, block/essay of user/2, block/essay of user/3, …), "
        "1 is back at an earlier value (block/essay of user/5); nothing was written: "
        "`--recreate` rebuilds it from git, `--accept-loss` takes the live state as it is"
    )


def test_every_limit_can_be_set() -> None:
    found = [M] * 3 + [P] * 7

    assert judge("letta", pairs(found), Limits(share=0.3)) == []
    assert judge("letta", pairs(found), Limits(share=1.0, count=2)) != []
    assert judge("letta", pairs(found), Limits(floor=4)) == []
    assert judge("letta", pairs([P] * 10), Limits(share=0, count=0, floor=0)) == []


@given(st.lists(st.sampled_from(Found), max_size=60), st.data())
def test_losing_more_never_lifts_a_halt(found: list[Found], data: st.DataObject) -> None:
    if judge("letta", pairs(found), Limits()) and P in found:
        worse = list(found)
        worse[found.index(P)] = data.draw(st.sampled_from(LOST))

        assert judge("letta", pairs(worse), Limits())


@given(st.lists(st.sampled_from(Found), max_size=60), st.randoms())
def test_the_order_of_the_listing_does_not_matter(found: list[Found], random: object) -> None:
    shuffled = pairs(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert bool(judge("letta", shuffled, Limits())) is bool(judge("letta", pairs(found), Limits()))


@given(st.lists(st.sampled_from(Found), max_size=60))
def test_a_halt_needs_losses_above_the_floor(found: list[Found]) -> None:
    lost = sum(what in LOST for what in found)
    if judge("letta", pairs(found), Limits()):
        assert lost >= 2
        assert lost > 10 or lost > 0.2 * sum(what is not U for what in found)
