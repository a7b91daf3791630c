"""Point 1: accounts become learners; a plan changes nothing, an apply makes everything, and then all is quiet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.core.outcome import CHANGES
from tests.acceptance.web.conftest import in_sync
from tests.acceptance.web.place import STAFF, WebPlace
from tests.acceptance.web.systems import Web
from tests.live import webui
from tests.live.webui import grants

REAL = Path(__file__).parents[3] / "courses" / "intro-statistics"
OPENINGS = 10


def test_a_plan_of_an_empty_open_webui_and_letta_names_everything_and_changes_nothing(
    make_place: Callable[..., WebPlace],
) -> None:
    place = make_place(source=REAL)
    before, web = place.snapshot_everything(), place.web.everything()
    place.web.tap.forget()
    report = place.plan()

    assert report.exit_code == CHANGES, report
    made = {(action.remote, action.ref) for action in report.actions if action.verb == "create"}
    learners = {person.id for person in place.people.values()}
    assert {("openwebui", f"user/{learner}") for learner in learners} <= made
    assert {("openwebui", f"model/{place.course}"), ("openwebui", f"model/{place.course}/note-taker")} <= made
    notes = [each for each in report.actions if each.remote == "openwebui" and each.ref.startswith("block/")]
    assert {each.scope for each in notes} == {"courses", *(f"user/{learner}" for learner in learners)}
    place.assert_unchanged(before)
    assert place.web.everything() == web
    assert place.web.tap.writes() == []


def test_an_apply_makes_it_and_a_second_one_does_nothing(make_place: Callable[..., WebPlace]) -> None:
    place = make_place(source=REAL)
    report = place.sync()
    assert report.exit_code == 0, report

    for name, person in place.people.items():
        assert place.git(person.id, "show", "main:user.toml").count(person.email) == 1, name
        assert len(place.notes_of(person.id)) == 4
        assert len(place.agent_row(person.id)["blocks"]) == 5
    assert len(place.notes_of("courses")) == 1
    models = {row["meta"]["reconciler"]["ref"]: row for row in place.web.models() if "reconciler" in row["meta"]}
    assert models.keys() == {f"model/{place.course}", f"model/{place.course}/note-taker"}
    assert "You teach statistics" in models[f"model/{place.course}"]["params"]["system"]
    place.assert_at_rest()


def test_a_note_is_its_learners_to_write_and_the_staffs_to_read(alone: WebPlace) -> None:
    place = alone
    (staff,) = (row["id"] for row in place.web.ask("GET", "/groups/") if row["name"] == STAFF)
    own = [("user", place.ada, "read"), ("user", place.ada, "write")]
    assert grants(place.note_row(place.ada, "journey")) == sorted([*own, ("group", staff, "read")])
    assert grants(place.note_row("courses", "staff")) == [("group", staff, "read"), ("group", staff, "write")]


def test_opening_every_note_again_and_again_commits_nothing(web: Web, make_place: Callable[..., WebPlace]) -> None:
    """The editor rewrites the Markdown of a note that is merely looked at."""
    if web.is_live:
        pytest.skip("below, in a real browser")
    place = in_sync(make_place())
    heads = place.heads()
    for _ in range(OPENINGS):
        for row in place.our_notes():
            place.web.server.control("open_note", note_id=row["id"])  # type: ignore[attr-defined]
        report = place.one_pass()
        assert (report.exit_code, report.commits, report.writes) == (0, 0, 0), report
    assert place.heads() == heads
    assert place.drift() == {}


def test_a_browser_that_opens_every_note_commits_nothing(web: Web, make_place: Callable[..., WebPlace]) -> None:
    if not web.is_live:
        pytest.skip("above, by the control route")
    browsing = pytest.importorskip("tests.live.browser", reason="needs the package playwright")
    place = in_sync(make_place(names=("ada",)))
    heads, rows = place.heads(), place.notes_of(place.ada)
    with browsing.browser() as context:
        visit = browsing.Visit(context, place.web.server.url, place.token("ada"))
        for at in range(OPENINGS):
            row = rows[at % len(rows)]
            visit.open_note(row["id"])
            visit.page.wait_for_timeout(1200)  # by then the editor has saved what it made of the text
            report = place.one_pass()
            assert (report.exit_code, report.commits, report.writes) == (0, 0, 0), report
    opened = [webui.get_note(place.web.server, row["id"]) for row in rows]
    assert all(now["updated_at"] > row["updated_at"] for now, row in zip(opened, rows, strict=True))
    assert place.heads() == heads
    place.assert_at_rest()
