"""Point 3: one block in git, in Letta and in a note, edited in all three places at the same time."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.outcome import NEEDS_A_PERSON
from reconciler.errors import Terminal
from tests.acceptance.web.place import WebPlace

AGREED = {"git": "git's", "letta": "the agent's", "openwebui": "Ada's"}


def test_edits_of_different_fields_all_survive_everywhere(alone: WebPlace) -> None:
    place, ada = alone, alone.ada
    place.commit_as("Tess Teacher", ada, "journey", status="drafting")
    place.agent_learns(ada, "journey", blockers="from the agent")
    place.edits_note(ada, "journey", notes="from the note")
    assert place.sync().exit_code == 0

    wanted = {"status": "drafting", "blockers": "from the agent", "notes": "from the note", "milestones": ()}
    assert place.everywhere(ada, "journey") == [wanted] * 3
    authors = place.log(ada, "%an")
    assert {"Tess Teacher", "ada"} < set(authors), authors
    assert place.open_diffs() == []
    place.assert_at_rest()


def test_items_appended_in_three_places_are_all_kept(alone: WebPlace) -> None:
    place, ada = alone, alone.ada
    place.commit_as("Tess Teacher", ada, "journey", milestones=["in git"])
    place.api_edits(ada, "journey", milestones=["in Letta"])
    place.edits_note(ada, "journey", milestones=["in the note"])
    assert place.sync().exit_code == 0

    for side in place.everywhere(ada, "journey"):
        assert sorted(side["milestones"]) == ["in Letta", "in git", "in the note"]
    place.assert_at_rest()


def _clash(place: WebPlace) -> Any:
    """One field, three values, and beside it one change that nobody disputes."""
    ada = place.ada
    place.commit_as("Tess Teacher", ada, "journey", notes="git's")
    place.agent_learns(ada, "journey", notes="the agent's")
    place.edits_note(ada, "journey", notes="Ada's", status="drafting")
    assert place.sync().exit_code == NEEDS_A_PERSON
    (diff,) = place.open_diffs()
    return diff


def test_edits_of_the_same_field_are_one_pending_diff_with_every_value_and_author(alone: WebPlace) -> None:
    place, ada, diff = alone, alone.ada, _clash(alone)

    assert (diff.ref, diff.field, diff.base) == ("block/essay-lab/journey", "notes", "")
    assert dict(diff.values) == AGREED
    assert diff.actors["git"] == "Tess Teacher"
    assert diff.actors["openwebui"] == "ada"
    assert "essay" in diff.actors["letta"].lower(), diff.actors
    assert [side["notes"] for side in place.everywhere(ada, "journey")] == list(AGREED.values())
    assert {side["status"] for side in place.everywhere(ada, "journey")} == {"drafting"}
    assert (place.tracked(ada, "journey")["notes"], place.in_web_ref(ada, "journey")["notes"]) == (
        "the agent's",
        "Ada's",
    )


def test_a_conflict_of_three_that_stands_is_met_again_without_a_write_or_a_commit(alone: WebPlace) -> None:
    _clash(alone)
    before = alone.heads()
    for _ in range(2):
        report = alone.again().one_pass()
        assert (report.exit_code, report.writes, report.commits, report.unsettled) == (NEEDS_A_PERSON, 0, 0, 0)
    assert alone.heads() == before


@pytest.mark.parametrize("side", ["git", "letta", "openwebui"])
def test_a_decision_for_any_side_converges_all_three(alone: WebPlace, side: str) -> None:
    place, ada, diff = alone, alone.ada, _clash(alone)
    place.review("rejected") if side == "git" else place.review("approved", take=side)
    assert place.sync().exit_code == 0

    assert [found["notes"] for found in place.everywhere(ada, "journey")] == [AGREED[side]] * 3
    assert place.open_diffs() == []
    assert place.log(ada, "%an|%ae")[-1] == "Olga Operator|olga@school.example"
    for text in AGREED.values():
        assert place.ever_observed(ada, text), text
    verdict = "rejected" if side == "git" else "approved"
    assert f'"status": "{verdict}"' in place.git(ada, "show", f"main:pending_diffs/{diff.id}.json")
    place.assert_at_rest()


def test_approving_without_saying_whose_value_is_refused(alone: WebPlace) -> None:
    _clash(alone)
    with pytest.raises(Terminal, match="--take"):
        alone.review("approved")


def test_an_edit_in_the_note_while_the_agent_has_its_turn_survives_the_turn(alone: WebPlace) -> None:
    """The turn ends with the block as it was when it began, and its own change in that."""
    place, ada = alone, alone.ada
    turn = place.turn(ada, "journey", blockers="from the agent")
    place.edits_note(ada, "journey", notes="typed meanwhile")
    place.one_pass()
    turn.finish()
    assert place.sync().exit_code == 0

    for side in place.everywhere(ada, "journey"):
        assert (side["notes"], side["blockers"]) == ("typed meanwhile", "from the agent")
    place.assert_at_rest()
