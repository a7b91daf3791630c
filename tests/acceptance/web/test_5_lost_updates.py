"""Point 5: a learner and the reconciler write the same note a hundred times, in every order: git keeps every edit.

The one moment left out is inside a single write: between our last read of the note and our write of it, Open WebUI
has nothing to compare with (0.12.4).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.web.place import WebPlace

ROUNDS = 50
"""In each one edit by the learner and one by the reconciler."""

MOMENTS = ("before", "while listed", "before the last read", "right after the write", "after")
GITS = ("blockers", "blockers", "blockers", "milestones", "milestones", "notes")


@pytest.mark.parametrize("seed", [1, 2])
def test_of_a_hundred_interleaved_edits_none_by_the_learner_is_lost(alone: WebPlace, seed: int) -> None:
    place, ada = alone, alone.ada
    if place.web.is_live and seed > 1:
        pytest.skip("once is enough")
    note, dice = place.note_row(ada, "journey")["id"], random.Random(seed)
    typed: list[str] = []

    def type_a_word() -> None:
        """Behind what the learner sees there at that moment."""
        typed.append(f"word{len(typed)}x")
        seen = str(place.in_note(ada, "journey")["notes"])
        place.edits_note(ada, "journey", note, notes=f"{seen} {typed[-1]}")

    for number in range(ROUNDS):
        _edit_in_git(place, dice.choice(GITS), number)
        _pass_with(place, note, dice.choice(MOMENTS), type_a_word)
    assert len(typed) == ROUNDS
    assert place.sync().exit_code in (0, 3)

    history = place.git(ada, "log", "--all", "-p", "--format=", "--", place.path(ada, "journey"))
    assert [word for word in typed if word not in history] == []
    for diff in place.open_diffs():
        place.review("approved", diff.id)
    assert place.sync().exit_code == 0
    assert str(place.in_git(ada, "journey")["notes"]).split()[-1] == typed[-1]
    place.assert_at_rest()


def _edit_in_git(place: WebPlace, name: str, number: int) -> None:
    """Somebody's commit, for the reconciler to write into the note."""
    old: Any = place.in_git(place.ada, "journey")[name]
    new = [*old[-9:], f"item {number}"] if name == "milestones" else f"git {number}"
    place.commit_as("Tess Teacher", place.ada, "journey", **{name: new})


def _pass_with(place: WebPlace, note: str, moment: str, act: Callable[[], None]) -> None:
    """One look at Ada alone, as after an event, and ``act`` at that moment of it; or after it, where there was none."""
    begun: list[str] = []

    def once(reply: Any = None) -> Any:
        if not begun:
            begun.append(moment)
            act()
        return reply

    tap = place.web.tap
    tap.faults.clear()
    match moment:
        case "before":
            once()
        case "while listed":
            tap.fail("GET", "/notes/search", before=once)
        case "before the last read":
            tap.fail("GET", f"/notes/{note}", before=once)
        case "right after the write":
            tap.fail("POST", f"/notes/{note}/update", spoil=once)
        case _:
            pass
    report = place.engine.run(apply=True, scopes=[f"user/{place.ada}"], depth="recent")
    assert not report.errors, report
    tap.faults.clear()
    once()
