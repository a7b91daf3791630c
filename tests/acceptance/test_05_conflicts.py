"""Point 5: what both sides changed is kept on both, asked about, and decided once by a person who saw both values."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import Terminal
from tests.acceptance.place import Place


def _clash(place: Place) -> Any:
    """One field in conflict, another flowing each way."""
    place.commit_as("Tess Teacher", "ada", "journey", notes="git's", status="drafting")
    place.api_edits("ada", "journey", notes="Letta's", blockers="live")
    assert place.sync().exit_code == 3
    (diff,) = place.open_diffs()
    return diff


def test_both_values_stand_and_the_other_fields_flow_on(place: Place) -> None:
    diff = _clash(place)

    assert (diff.ref, diff.field) == ("block/essay-lab/journey", "notes")
    assert dict(diff.values) == {"git": "git's", "letta": "Letta's"}
    assert diff.base == ""
    flown = {"status": "drafting", "blockers": "live"}
    for side, notes in ((place.in_git, "git's"), (place.in_letta, "Letta's"), (place.tracked, "Letta's")):
        found = side("ada", "journey")
        assert found["notes"] == notes
        assert flown.items() <= found.items()
    assert place.git("ada", "show", f"main:pending_diffs/{diff.id}.json")


def test_a_conflict_that_stands_is_met_again_without_a_write_or_a_commit(place: Place) -> None:
    _clash(place)
    before = place.heads()
    for _ in range(2):
        report = place.again().one_pass()
        assert (report.exit_code, report.writes, report.commits, report.unsettled) == (3, 0, 0, 0)
    assert place.heads() == before


@pytest.mark.parametrize(("verdict", "value"), [("approved", "Letta's"), ("rejected", "git's")])
def test_a_decision_is_one_commit_by_the_person_and_ends_in_sync(place: Place, verdict: Any, value: str) -> None:
    diff = _clash(place)
    count = len(place.log("ada"))
    place.review(verdict)
    assert len(place.log("ada")) == count + 1
    assert place.log("ada", "%an|%ae")[-1] == "Olga Operator|olga@school.example"
    assert place.sync().exit_code == 0

    assert place.in_git("ada", "journey")["notes"] == place.in_letta("ada", "journey")["notes"] == value
    assert place.open_diffs() == []
    assert f'"status": "{verdict}"' in place.git("ada", "show", f"main:pending_diffs/{diff.id}.json")
    for text in ("Letta's", "git's"):
        assert place.ever_observed("ada", text)
    place.assert_at_rest()


@pytest.mark.parametrize("side", ["git", "Letta"])
@pytest.mark.parametrize("was_seen", [True, False])
def test_approving_what_has_moved_since_is_refused_with_the_new_diff(place: Place, side: str, was_seen: bool) -> None:
    old = _clash(place)
    if side == "git":
        place.commit_as("Tess Teacher", "ada", "journey", notes="git's, again")
    else:
        place.api_edits("ada", "journey", notes="Letta's, again")
    if was_seen:
        place.one_pass()
    with pytest.raises(Terminal) as refused:
        place.review("approved", old.id)

    (new,) = place.open_diffs()
    assert new.id != old.id
    assert was_seen or new.id in str(refused.value)
    moved = {"git": "git's", "letta": "Letta's"}
    moved["git" if side == "git" else "letta"] += ", again"
    assert dict(new.values) == moved
    place.review("approved", new.id)
    assert place.sync().exit_code == 0
    assert place.in_git("ada", "journey")["notes"] == moved["letta"]
    place.assert_at_rest()


def test_a_conflict_that_people_end_themselves_is_closed(place: Place) -> None:
    diff = _clash(place)
    place.api_edits("ada", "journey", notes="git's")
    assert place.sync().exit_code == 0

    assert place.open_diffs() == []
    assert '"superseded"' in place.git("ada", "show", f"main:pending_diffs/{diff.id}.json")
    place.assert_at_rest()


def test_items_appended_on_both_sides_are_both_kept_without_a_question(place: Place) -> None:
    place.commit_as("Tess Teacher", "ada", "journey", milestones=["start"])
    place.sync()
    place.commit_as("Tess Teacher", "ada", "journey", milestones=["start", "from git"])
    place.agent_learns("ada", "journey", milestones=["start", "from Letta"])
    assert place.sync().exit_code == 0

    assert place.in_git("ada", "journey")["milestones"] == ("start", "from git", "from Letta")
    assert place.open_diffs() == []
    place.assert_at_rest()


def test_prose_edited_in_different_places_is_merged(place: Place) -> None:
    place.commit_text("ada", place.path("ada", "diary"), "one\n\ntwo\n\nthree\n")
    place.sync()
    place.commit_text("ada", place.path("ada", "diary"), "one, by git\n\ntwo\n\nthree\n")
    place.api_writes("ada", "diary", "one\n\ntwo\n\nthree, live\n")
    assert place.sync().exit_code == 0

    assert place.text("ada", "diary") == "one, by git\n\ntwo\n\nthree, live\n"
    place.assert_at_rest()


def test_the_same_edit_on_both_sides_is_no_conflict(place: Place) -> None:
    place.commit_as("Tess Teacher", "ada", "journey", notes="agreed")
    place.api_edits("ada", "journey", notes="agreed")
    assert place.sync().exit_code == 0
    assert place.open_diffs() == []
    place.assert_at_rest()


def test_a_live_text_that_is_not_valid_stops_only_itself(place: Place) -> None:
    place.api_writes("ada", "journey", "this is = = not toml")
    place.commit_as("Tess Teacher", "ada", "student", profile="flows on")
    assert place.sync().exit_code == 3

    (diff,) = place.open_diffs()
    assert (diff.kind, dict(diff.values)) == ("invalid", {"letta": "this is = = not toml"})
    assert place.text("ada", "journey") == "this is = = not toml"
    assert place.in_letta("ada", "student")["profile"] == "flows on"
    place.review("rejected")
    assert place.sync().exit_code == 0
    assert place.in_letta("ada", "journey") == place.in_git("ada", "journey")
    place.assert_at_rest()


def test_a_live_value_that_breaks_its_field_is_a_question_on_that_field_alone(place: Place) -> None:
    place.api_edits("ada", "journey", status="abandoned", notes="flows on")
    assert place.sync().exit_code == 3

    (diff,) = place.open_diffs()
    assert (diff.field, dict(diff.values)) == ("status", {"git": "new", "letta": "abandoned"})
    assert place.in_git("ada", "journey")["notes"] == "flows on"
    place.review("rejected")
    assert place.sync().exit_code == 0
    place.assert_at_rest()
