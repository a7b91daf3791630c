"""Point 9: ``state/`` is a cache; without it the next pass does the same."""

from __future__ import annotations

import shutil

from tests.acceptance.place import Place


def _without_state(place: Place) -> Place:
    shutil.rmtree(place.root / "state", ignore_errors=True)
    return place.again()


def test_deleting_state_in_sync_changes_nothing(place: Place) -> None:
    before = place.snapshot_everything()["letta"]
    heads = place.heads()
    report = _without_state(place).one_pass()

    assert (report.exit_code, report.writes, report.commits) == (0, 0, 0)
    assert (place.heads(), place.system.everything()) == (heads, before)
    place.assert_at_rest()


def test_deleting_state_while_a_value_is_in_the_air_forgets_nothing_of_it(place: Place) -> None:
    turn = place.turn("ada", "student", insights="by the agent")
    place.commit_as("Tess Teacher", "ada", "journey", notes="written during a turn")
    place.one_pass()
    turn.finish()
    assert _without_state(place).sync().exit_code == 0

    assert place.history("ada", "journey", "notes") == ["", "written during a turn"]
    assert place.in_letta("ada", "journey")["notes"] == "written during a turn"
    assert place.in_git("ada", "student")["insights"] == "by the agent"
    place.assert_at_rest()


def test_deleting_state_with_a_question_open_asks_it_no_second_time(place: Place) -> None:
    place.commit_as("Tess Teacher", "ada", "journey", notes="git's")
    place.api_edits("ada", "journey", notes="Letta's")
    place.sync()
    heads = place.heads()
    report = _without_state(place).one_pass()

    assert (report.exit_code, report.writes, report.commits) == (3, 0, 0)
    assert place.heads() == heads
    _without_state(place).review("approved")
    assert place.again().sync().exit_code == 0
    place.assert_at_rest()
