"""Point 8: what looks like an accident halts before anything is written, says what it saw, and has a way on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.policy import Ways
from tests.acceptance.place import Place

RECREATE, ACCEPT_LOSS, ACCEPT_REWIND = Ways(recreate=True), Ways(accept_loss=True), Ways(accept_rewind=True)
ONE_BLOCK = Path(__file__).parents[2] / "courses" / "word-of-the-day"


def _assert_halts(place: Place, *said: str) -> None:
    """A plan and an apply, also of a new process, both stop short of every write, and say these things."""
    before = place.snapshot_everything()
    for report in (place.plan(), place.one_pass(), place.again().one_pass()):
        assert (report.exit_code, report.writes, report.commits) == (3, 0, 0), report
        sentences = " ".join(halt.reason for halt in report.halts)
        for each in said:
            assert each in sentences, sentences
    place.assert_unchanged(before, but="state/")


def _lived_in(place: Place) -> None:
    """Everybody has something that is not a default."""
    for user in place.workspace.users():
        place.commit_as("Tess Teacher", user, "journey", notes=f"{user} in git", milestones=["one"])
        place.api_edits(user, "student", profile=f"{user} in Letta")
    place.api_edits("courses", "staff", focus="the last line")
    assert place.sync().exit_code == 0


# ------------------------------------------------------------------ a course file deleted by mistake


def test_a_deleted_course_file_halts_everything_until_it_is_back(place: Place) -> None:
    _lived_in(place)
    place.git("courses", "rm", "-q", f"{place.course}/course.toml")
    place.git("courses", "commit", "-qm", "Tidy up")
    _assert_halts(place, "essay-lab", "course.toml", "--accept-loss")

    place.git("courses", "revert", "--no-edit", "HEAD")
    assert place.sync().exit_code == 0
    place.assert_at_rest()


def test_a_course_given_up_on_purpose_leaves_its_agents_as_they_are(place: Place) -> None:
    _lived_in(place)
    agents = place.system.everything()["agents"]
    place.git("courses", "rm", "-qr", place.course)
    place.git("courses", "commit", "-qm", "Give it up")
    report = place.again().one_pass(ACCEPT_LOSS)

    assert report.halts == [], report
    assert place.system.everything()["agents"] == agents
    for user in place.workspace.users():
        assert place.in_git(user, "journey")["notes"] == f"{user} in git"


# ------------------------------------------------------------------ many blocks blanked at once


def test_hundreds_of_blocks_blanked_at_once_are_written_again_from_git(make_place: Callable[..., Place]) -> None:
    place = _blanked(make_place)
    count = len(place.workspace.users())
    _assert_halts(place, f"{count} are blank", "--recreate", "--accept-loss")

    assert place.again().one_pass(RECREATE).writes == count
    assert place.sync().exit_code == 0
    texts = {who: text for who, _, text in place.ours()}
    assert texts.keys() == set(place.workspace.users())
    assert all(f"word of {user}" in text for user, text in texts.items())
    place.assert_at_rest()


def test_blank_blocks_that_are_accepted_take_nothing_from_git(make_place: Callable[..., Place]) -> None:
    """A blank text is no document, so each becomes a question; git keeps what it has until somebody answers."""
    place = _blanked(make_place, users=4)
    report = place.again().sync(ACCEPT_LOSS)
    assert (report.exit_code, list(report.halts)) == (3, [])

    assert len(place.open_diffs()) == 4
    for user in place.workspace.users():
        assert place.in_git(user, "words")["learned"] == (f"word of {user}",)
    for diff in place.open_diffs():
        place.review("rejected", diff.id)
    assert place.sync().exit_code == 0
    place.assert_at_rest()


def _blanked(make_place: Callable[..., Place], users: int = 0) -> Place:
    place = make_place(users=(), source=ONE_BLOCK)
    for number in range(users or (30 if place.system.is_live else 200)):
        text = f'learned = ["word of u{number}"]\n'.encode()
        place.add_user(f"u{number}", files={f"blocks/{place.course}/words.toml": text})
    assert place.sync(seconds=60).exit_code == 0
    for row in place.system.blocks():
        place.system.patch(row["id"], value="")
    return place


# ------------------------------------------------------------------ an emptied Letta


def test_an_emptied_letta_is_rebuilt_from_git_when_asked(place: Place) -> None:
    _lived_in(place)
    place.system.empty()
    _assert_halts(place, "3 are missing", "--recreate", "--accept-loss")

    assert place.again().sync(RECREATE).exit_code == 0
    _assert_as_lived_in(place)


def test_an_emptied_letta_that_is_accepted_loses_nothing_of_git(place: Place) -> None:
    _lived_in(place)
    place.system.empty()
    assert place.again().sync(ACCEPT_LOSS).exit_code == 0
    _assert_as_lived_in(place)


def _assert_as_lived_in(place: Place) -> None:
    for user in place.workspace.users():
        assert place.in_letta(user, "journey")["notes"] == f"{user} in git"
        assert place.in_letta(user, "student")["profile"] == f"{user} in Letta"
        assert len(place.agent_row(user)["blocks"]) == 4
    assert place.in_letta("courses", "staff")["focus"] == "the last line"
    place.assert_at_rest()


def test_one_lost_block_is_no_disaster_and_simply_made_again(place: Place) -> None:
    _lived_in(place)
    place.system.ask("DELETE", f"/v1/blocks/{place.block_row('ada', 'journey')['id']}")
    assert place.sync().exit_code == 0
    _assert_as_lived_in(place)


# ------------------------------------------------------------------ a Letta restored from yesterday's backup


def _restored(place: Place) -> None:
    _lived_in(place)
    restore = place.system.backup()
    for user in place.workspace.users():
        place.commit_as("Tess Teacher", user, "journey", notes=f"{user} today")
        place.agent_learns(user, "student", insights=f"{user} learned today")
        place.sync()
    place.add_user("zoe")
    assert place.sync().exit_code == 0
    restore()


def test_a_restored_letta_halts_and_is_brought_up_to_date_from_git(place: Place) -> None:
    _restored(place)
    _assert_halts(place, "back at an earlier value", "--recreate", "--accept-loss")

    assert place.again().sync(RECREATE).exit_code == 0
    for user in ("ada", "bob", "eve"):
        assert place.in_letta(user, "journey")["notes"] == f"{user} today"
        assert place.in_letta(user, "student")["insights"] == f"{user} learned today"
        assert place.history(user, "journey", "notes")[-1] == f"{user} today"
    assert place.in_letta("zoe", "journey")["notes"] == ""
    place.assert_at_rest()


def test_a_restored_letta_that_is_accepted_makes_git_follow_it(place: Place) -> None:
    _restored(place)
    report = place.again().sync(ACCEPT_LOSS)
    assert report.exit_code == 0, report

    for user in ("ada", "bob", "eve"):
        assert place.in_git(user, "journey")["notes"] == f"{user} in git"
        assert place.in_git(user, "student")["insights"] == ""
        assert place.ever_observed(user, f"{user} today")
    place.assert_at_rest()


# ------------------------------------------------------------------ a main that went backwards


def _rewound(place: Place) -> None:
    _lived_in(place)
    place.commit_as("Tess Teacher", "ada", "journey", notes="the newest")
    assert place.sync().exit_code == 0
    place.git("ada", "reset", "-q", "--hard", "HEAD~1")


def test_a_main_that_went_backwards_halts_that_learner_alone(place: Place) -> None:
    _rewound(place)
    _assert_halts(place, "does not contain", "--accept-rewind")
    place.commit_as("Tess Teacher", "bob", "journey", notes="others go on")
    report = place.one_pass()
    assert [halt.scope for halt in report.halts] == ["user/ada"]
    assert place.in_letta("bob", "journey")["notes"] == "others go on"
    assert place.in_letta("ada", "journey")["notes"] == "the newest"


def test_the_missing_commits_pushed_again_end_the_halt(place: Place) -> None:
    _rewound(place)
    place.one_pass()
    place.git("ada", "reset", "-q", "--hard", "ORIG_HEAD")
    assert place.sync().exit_code == 0
    place.assert_at_rest()


def test_an_accepted_rewind_asks_about_what_differs_and_loses_nothing(place: Place) -> None:
    _rewound(place)
    assert place.again().sync(ACCEPT_REWIND).exit_code == 3

    (diff,) = place.open_diffs()
    assert dict(diff.values) == {"git": "ada in git", "letta": "the newest"}
    assert place.plan().halts == []
    place.review("approved")
    assert place.sync().exit_code == 0
    assert place.in_git("ada", "journey")["notes"] == "the newest"
    place.assert_at_rest()


def test_courses_that_went_backwards_halt_too(place: Place) -> None:
    place.commit_as("Ann Author", "courses", "staff", focus="the newest")
    assert place.sync().exit_code == 0
    place.git("courses", "reset", "-q", "--hard", "HEAD~1")
    _assert_halts(place, "does not contain", "--accept-rewind")


# ------------------------------------------------------------------ the same, as an operator meets it


def _emptied(place: Place) -> None:
    _lived_in(place)
    place.system.empty()


@pytest.mark.parametrize(
    ("happens", "way_on", "ends"),
    [(_emptied, "--recreate", 0), (_rewound, "--accept-rewind", 3)],
    ids=["empty", "back"],
)
def test_the_command_line_names_the_way_on_and_takes_it(
    place: Place, happens: Callable[[Place], None], way_on: str, ends: int
) -> None:
    happens(place)
    before = place.snapshot_everything()
    for words in (["--once"], ["--once", "--apply"]):
        told = place.command(*words)
        assert told.returncode == 3, told
        assert way_on in told.stdout
        assert "nothing was written" in told.stdout
        assert "In sync" not in told.stdout
    place.assert_unchanged(before, but="state/")

    done = place.command("--once", "--apply", way_on)
    assert done.returncode == ends, done
    if ends == 3:
        (diff,) = place.open_diffs()
        assert place.command("diffs", "approve", diff.id).returncode == 0
    assert place.command("--once", "--apply").returncode == 0
    assert place.command("--once").returncode == 0
