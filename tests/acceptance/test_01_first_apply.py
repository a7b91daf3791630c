"""Point 1: from an empty Letta to "in sync", by way of a plan that changes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.place import THREE, Place

PROJECT = Path(__file__).parents[2]
REAL = Path(os.environ.get("RECONCILER_REAL_COURSES", PROJECT.parent / "shared" / "courses")) / "v2" / "college-essay"
SOURCE = REAL if REAL.is_dir() else PROJECT / "courses" / "word-of-the-day"


@pytest.fixture
def first(make_place: Callable[..., Place]) -> Place:
    return make_place(source=SOURCE)


def test_the_first_plan_names_every_agent_and_block_and_changes_nothing(first: Place) -> None:
    before = first.snapshot_everything()
    report = first.plan()

    assert (report.exit_code, report.unsettled) == (2, 0), "a plan puts nothing in the air"
    created = {(each.scope, each.ref) for each in report.actions if (each.remote, each.verb) == ("letta", "create")}
    agents = {(f"user/{user}", f"agent/{first.course}") for user in THREE}
    assert agents <= created
    blocks = {(scope, ref) for scope, ref in created - agents}
    assert len(blocks) == len(THREE) * len({ref for _, ref in blocks})
    assert all(ref.startswith(f"block/{first.course}/") for _, ref in blocks)
    first.assert_unchanged(before)


def test_the_first_apply_ends_in_sync_and_the_second_does_nothing(first: Place) -> None:
    planned = {(each.scope, each.ref) for each in first.plan().actions if each.remote == "letta"}
    report = first.one_pass(settle_seconds=30)

    assert report.exit_code == 0, report
    assert report.unsettled == 0
    assert report.writes == len(planned)
    rows = [*first.system.agents(), *first.system.blocks()]
    assert len(rows) == len(planned)
    assert all("reconciler" in row["tags"] for row in rows)
    first.assert_at_rest()


def test_what_is_still_in_the_air_when_time_is_up_is_said(first: Place) -> None:
    first.sync()
    user, block, name = "ada", *_a_text_field(first)
    turn = first.system.begin_turn(first.agent_row(user)["id"])
    first.commit_as("Tess Teacher", user, block, **{name: "written while a turn runs"})
    report = first.one_pass(settle_seconds=0.6)

    assert report.exit_code == 2
    assert report.unsettled == 1
    assert list(report.unsettled_scopes) == ["user/ada"]
    turn.finish()
    assert first.sync().exit_code == 0
    first.assert_at_rest()


def _a_text_field(place: Place) -> tuple[str, str]:
    if place.course == "college-essay":
        return "journey", "blockers"
    return "words", "spelling"


def test_a_plan_leaves_a_workspace_in_sync_untouched(place: Place) -> None:
    before = place.snapshot_everything()
    assert place.plan().exit_code == 0
    assert place.again().plan().exit_code == 0
    place.assert_unchanged(before)


def test_the_command_line_says_the_same(first: Place) -> None:
    before = first.snapshot_everything()
    planned = first.command("--once")
    assert planned.returncode == 2, planned.stderr
    for user in THREE:
        assert user in planned.stdout
    first.assert_unchanged(before)

    applied = first.command("--once", "--apply")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    heads = first.heads()
    again = first.command("--once", "--apply")
    assert (again.returncode, "in sync" in again.stdout.lower()) == (0, True), again.stdout
    assert first.heads() == heads
    first.assert_at_rest()
