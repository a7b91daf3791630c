"""Point 4, the trap: a turn that calls a memory tool writes back every block as it was when the turn began.

What must hold whatever is done meanwhile: git's edit reaches Letta in the end, the agent's own edit is kept, git never
gets the old value back, and all ends in sync.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.killing import killed_pass
from tests.acceptance.place import Place

BLOCK, NAME, OLD, NEW = "journey", "blockers", "", "written by the teacher"
TOOL_CALLS = {
    "the same block": ("", "journey", {"notes": "by the agent"}),
    "another block": ("", "student", {"insights": "by the agent"}),
    "a shared block": ("courses", "staff", {"focus": "by the agent"}),
}
EACH_CALL = pytest.mark.parametrize("called", TOOL_CALLS)


def _turn(place: Place, called: str, user: str = "ada") -> Any:
    owner, block, edit = TOOL_CALLS[called]
    return place.turn(user, block, owner, **edit)


def _assert_kept(place: Place, called: str, user: str = "ada") -> None:
    owner, block, edit = TOOL_CALLS[called]
    for side in (place.in_git, place.in_letta):
        found = side(owner or user, block)
        assert edit.items() <= found.items()


def _assert_reached(place: Place, *history: object, who: str = "ada", block: str = BLOCK, name: str = NAME) -> None:
    """The last value stands on both sides, and ``main`` never went back to one before."""
    assert place.history(who, block, name) == list(history)
    assert place.in_letta(who, block)[name] == history[-1]
    assert place.open_diffs() == []


@EACH_CALL
def test_an_edit_made_during_a_turn_survives_the_turn(place: Place, called: str) -> None:
    turn = _turn(place, called)
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: NEW})
    first = place.one_pass()
    assert (first.exit_code, first.writes, first.unsettled) == (2, 1, 1)
    assert place.in_letta("ada", BLOCK)[NAME] == NEW
    assert place.one_pass().unsettled == 1, "a running turn could still write the old value back"

    turn.finish()
    assert place.in_letta("ada", BLOCK)[NAME] == OLD, "this is the trap"
    assert place.sync().exit_code == 0

    _assert_reached(place, OLD, NEW)
    _assert_kept(place, called)
    place.assert_at_rest()


def test_the_same_holds_with_the_settings_as_they_come(place: Place) -> None:
    place.grace_seconds = 2.0
    patient = place.again()
    turn = _turn(place, "another block")
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: NEW})
    assert patient.one_pass().unsettled == 1
    turn.finish()
    assert patient.sync().exit_code == 0

    _assert_reached(place, OLD, NEW)
    _assert_kept(place, "another block")
    place.assert_at_rest()


@EACH_CALL
def test_a_turn_that_ends_before_the_first_pass_is_no_different(place: Place, called: str) -> None:
    turn = _turn(place, called)
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: NEW})
    turn.finish()
    assert place.sync().exit_code == 0

    _assert_reached(place, OLD, NEW)
    _assert_kept(place, called)
    place.assert_at_rest()


def test_an_edit_of_a_shared_block_survives_turns_of_all_who_hold_it(place: Place) -> None:
    turns = [_turn(place, "another block", user) for user in ("ada", "bob")]
    place.commit_as("Ann Author", "courses", "staff", focus=NEW)
    assert place.one_pass().unsettled == 1
    for turn in turns:
        turn.finish()
        assert place.in_letta("courses", "staff")["focus"] == "the first line", "this is the trap"
        place.one_pass()
    assert place.sync().exit_code == 0

    _assert_reached(place, "the first line", NEW, who="courses", block="staff", name="focus")
    for user in ("ada", "bob"):
        _assert_kept(place, "another block", user)
    place.assert_at_rest()


def test_an_old_value_that_comes_back_a_third_time_is_a_question_and_not_a_loss(place: Place) -> None:
    turns = [_turn(place, "another block", user) for user in ("ada", "bob", "eve")]
    place.commit_as("Ann Author", "courses", "staff", focus=NEW)
    place.one_pass()
    for turn in turns:
        turn.finish()
        place.one_pass()
    assert place.sync().exit_code == 3

    (diff,) = place.open_diffs()
    assert dict(diff.values) == {"git": NEW, "letta": "the first line"}
    place.review("rejected")
    assert place.sync().exit_code == 0
    _assert_reached(place, "the first line", NEW, who="courses", block="staff", name="focus")
    place.assert_at_rest()


@EACH_CALL
def test_two_edits_in_git_within_one_turn_end_at_the_second(place: Place, called: str) -> None:
    turn = _turn(place, called)
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: "first thought"})
    place.one_pass()
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: "second thought"})
    place.one_pass()
    turn.finish()
    assert place.sync().exit_code == 0

    _assert_reached(place, OLD, "first thought", "second thought")
    _assert_kept(place, called)
    place.assert_at_rest()


def test_a_turn_begun_between_two_edits_cannot_bring_the_first_one_back(place: Place) -> None:
    early = _turn(place, "another block")
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: "first thought"})
    place.one_pass()
    late = place.turn("ada", "journey", notes="by the agent")
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: "second thought"})
    place.one_pass()
    early.finish()
    place.one_pass()
    late.finish()
    assert place.in_letta("ada", BLOCK)[NAME] == "first thought", "this is the trap"
    assert place.sync().exit_code == 0

    _assert_reached(place, OLD, "first thought", "second thought")
    _assert_kept(place, "the same block")
    place.assert_at_rest()


@EACH_CALL
@pytest.mark.parametrize("seen_between", [True, False])
def test_a_person_may_go_back_to_the_old_value(place: Place, called: str, seen_between: bool) -> None:
    turn = _turn(place, called)
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: NEW})
    place.one_pass()
    if seen_between:
        later = place.turn("ada")
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: OLD})
    place.one_pass()
    turn.finish()
    place.one_pass()
    if seen_between:
        later.finish()
    assert place.sync().exit_code == 0

    _assert_reached(place, OLD, NEW, OLD)
    _assert_kept(place, called)
    place.assert_at_rest()


def test_after_going_back_a_late_turn_cannot_bring_the_middle_value_into_git(place: Place) -> None:
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: NEW})
    early = place.turn("bob")
    place.one_pass()
    turn = _turn(place, "another block")
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: OLD})
    place.one_pass()
    turn.finish()
    assert place.in_letta("ada", BLOCK)[NAME] == NEW, "this is the trap"
    early.finish()
    assert place.sync().exit_code == 0

    _assert_reached(place, OLD, NEW, OLD)
    _assert_kept(place, "another block")
    place.assert_at_rest()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_overlapping_turns_of_two_agents_on_a_shared_block(place: Place, order: tuple[int, int]) -> None:
    """Ada's turn edits her own block, Bob's the shared one, while git edits another field of the shared one."""
    turns = [_turn(place, "another block", "ada"), _turn(place, "a shared block", "bob")]
    place.commit_as("Ann Author", "courses", "staff", policies=["Never write the essay", "Ask first"])
    assert place.one_pass().unsettled == 1
    for each in order:
        turns[each].finish()
        place.one_pass()
    assert place.sync().exit_code == 0

    policies = [("Never write the essay",), ("Never write the essay", "Ask first")]
    _assert_reached(place, *policies, who="courses", block="staff", name="policies")
    _assert_reached(place, "the first line", "by the agent", who="courses", block="staff", name="focus")
    _assert_kept(place, "another block", "ada")
    place.assert_at_rest()


def test_agents_that_are_never_all_idle_keep_nothing_in_the_air(place: Place) -> None:
    """Turns overlap without a gap, each with a memory tool; the edit settles while one of them still runs."""
    turn = place.turn("ada", "student", insights="0")
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: NEW})
    left: list[int] = []
    for count in range(1, 6):
        left.append(place.one_pass().unsettled)
        following = place.turn("ada", "student", insights=str(count))
        turn.finish()
        turn = following
    left.append(place.one_pass().unsettled)

    assert place.history("ada", BLOCK, NAME) == [OLD, NEW]
    assert place.in_letta("ada", BLOCK)[NAME] == NEW
    base = place.repo("ada").ref("refs/reconciler/letta/base")
    assert base
    stored = place.git("ada", "show", f"{base}:block/essay-lab/{BLOCK}.json")
    assert '"chain": [\n   [' not in stored.split('"blockers"')[1].split("}")[0], "settled while a turn runs"
    turn.finish()
    assert place.sync().exit_code == 0
    _assert_reached(place, OLD, NEW)
    place.assert_at_rest()


def test_turns_of_other_learners_do_not_hold_an_edit_in_the_air(place: Place) -> None:
    turn = place.turn("bob", "journey", notes="by the agent")
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: NEW})
    assert place.one_pass().exit_code == 0
    turn.finish()
    assert place.sync().exit_code == 0
    _assert_reached(place, OLD, NEW)
    place.assert_at_rest()


def test_an_agents_edit_of_the_very_field_becomes_a_question_and_both_values_stand(place: Place) -> None:
    turn = place.turn("ada", BLOCK, **{NAME: "by the agent"})
    place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: NEW})
    place.one_pass()
    turn.finish()
    assert place.sync().exit_code == 3

    (diff,) = place.open_diffs()
    assert dict(diff.values) == {"git": NEW, "letta": "by the agent"}
    assert place.in_letta("ada", BLOCK)[NAME] == "by the agent"
    assert place.history("ada", BLOCK, NAME) == [OLD, NEW]
    place.review("rejected")
    assert place.sync().exit_code == 0
    _assert_reached(place, OLD, NEW)
    place.assert_at_rest()


@EACH_CALL
def test_a_kill_at_any_step_meanwhile_changes_nothing_of_that(place: Place, called: str) -> None:
    """The pass that meets git's edit dies at step k, the turn ends, and a new process heals; for all k in turn."""
    stride, at, values = (9, 2, [OLD]) if place.system.is_live else (2, 1, [OLD])
    alive = place
    while True:
        owner, block, edit = TOOL_CALLS[called]
        ((name, word),) = edit.items()
        turn = place.turn("ada", block, owner, **{name: f"{word} {at}"})
        values.append(f"edit {at}")
        place.commit_as("Tess Teacher", "ada", BLOCK, **{NAME: values[-1]})
        was_killed = killed_pass(alive, at)
        if at % 4 < 2:
            alive.again().one_pass()
        turn.finish()
        alive = place.again()
        assert alive.sync().exit_code == 0, at

        assert place.history("ada", BLOCK, NAME) == values, at
        assert place.in_letta("ada", BLOCK)[NAME] == values[-1], at
        assert place.in_git(owner or "ada", block)[name] == f"{word} {at}", at
        assert place.open_diffs() == [], at
        if not was_killed:
            break
        at += stride
    assert at > 10
    place.assert_at_rest()
