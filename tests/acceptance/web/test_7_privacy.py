"""Point 7: what is one learner's is never shown to another, through any door of the API; nor by a forged mark."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.acceptance.web.conftest import in_sync
from tests.acceptance.web.place import WebPlace
from tests.acceptance.web.systems import Web
from tests.live import webui
from tests.live.webui import V1, chat_body

BOBS = "only-bob-may-read-this"
RUNS = "what-the-agent-found-of-bob"


@pytest.fixture
def school(request: pytest.FixtureRequest, web: Web) -> WebPlace:
    """Of the forgeries, the real server is tried with the hardest."""
    forgery = getattr(request.node, "callspec", None) and request.node.callspec.params.get("forgery")
    if web.is_live and forgery and (request.node.callspec.params["knows"] or forgery not in HARDEST):
        pytest.skip("the hardest are enough")
    return _school(request.getfixturevalue("make_place"))


def _school(make_place: Callable[..., WebPlace]) -> WebPlace:
    """Ada, Bob with something private in each place, and Tess of the course's staff."""
    place = make_place(names=("ada", "bob"))
    place.add_staff("tess")
    in_sync(place)
    place.edits_note(place.bob, "journey", notes=BOBS)
    place.commit_as("Tess Teacher", place.bob, "student", profile=f"git: {BOBS}")
    place.api_edits(place.bob, "student", insights=f"letta: {BOBS}")
    course = place.model_row()["id"]
    body = chat_body(f"chat {BOBS}", f"hi {BOBS}", "yo", models=[course])
    place.web.ask("POST", "/chats/new", place.token("bob"), json={"chat": body})
    agent = place.model_row("note-taker")["id"]
    folder = place.remote.ensure_folder("note-taker", "Note-taker", place.bob, "Bob")
    place.remote.create_thread(folder, f"run {RUNS}", agent, ())
    return in_sync(place)


def _ids(rows: Iterable[Any]) -> set[str]:
    return {row["id"] for row in rows}


def _doors(place: WebPlace) -> list[str]:
    """Whatever lists or finds things, and each thing of Bob's by its id."""
    by_id = [f"/notes/{row['id']}" for row in place.notes_of(place.bob)]
    by_id += [f"/chats/{row['id']}" for row in place.web.ask("GET", "/chats/all/db")]
    for folder in place.web.ask("GET", "/folders/"):
        by_id += [f"/folders/{folder['id']}", f"/folders/{folder['id']}/shared/chats"]
        by_id += [f"/chats/folder/{folder['id']}", f"/chats/folder/{folder['id']}/list"]
    lists = ["/notes/", "/folders/", "/folders/shared", "/chats/", "/chats/all/db", "/models/all", "/models/list"]
    lists += [f"/chats/list/user/{place.bob}", "/users/all", f"/users/{place.bob}"]
    lists += ["/notes/search", "/notes/search?permission=read", f"/notes/search?query={BOBS}"]
    lists += [f"/notes/search?permission=read&query={BOBS}", "/notes/search?view_option=shared&permission=read"]
    return [*lists, *by_id]


def test_no_door_shows_one_learner_what_is_anothers(school: WebPlace) -> None:
    place = school
    for door in _doors(place):
        shown = place.web.server.call("GET", V1 + door, place.token("ada")).text
        assert BOBS not in shown, door
        assert RUNS not in shown, door
    through = " ".join(place.web.server.call("GET", V1 + door, place.token("bob")).text for door in _doors(place))
    assert BOBS in through, "the doors are real ones"
    assert RUNS in through


def test_each_learner_lists_their_own_notes_and_no_others(school: WebPlace) -> None:
    place = school
    for who in (place.ada, place.bob):
        token, own = place.token(who), _ids(place.notes_of(who))
        assert _ids(place.web.ask("GET", "/notes/", token)) == own
        assert _ids(place.web.ask("GET", "/notes/search", token)["items"]) == own
    assert len(place.notes_of(place.ada)) == 3


def test_one_learner_can_change_nothing_of_anothers(school: WebPlace) -> None:
    place, token = school, school.token("ada")
    note = place.note_row(place.bob, "journey")["id"]
    body = {"data": {"content": {"md": "x"}}, "meta": {"x": 1}, "title": "x"}
    access = {"access_grants": [webui.grant("read", place.ada)]}
    for method, path, sent in [
        ("POST", f"/notes/{note}/update", body),
        ("POST", f"/notes/{note}/access/update", access),
        ("DELETE", f"/notes/{note}/delete", None),
    ]:
        assert place.web.status(method, path, token, json=sent) in (401, 403, 404), path
    place.assert_at_rest()


def test_the_staff_reads_notes_and_may_not_write_them(school: WebPlace) -> None:
    place, token = school, school.token("tess")
    for who in (place.ada, place.bob):
        for row in place.notes_of(who):
            assert place.web.status("GET", f"/notes/{row['id']}", token) == 200
            assert place.web.status("POST", f"/notes/{row['id']}/update", token, json={"title": "x"}) == 403
    shared = place.note_row("courses", "staff")["id"]
    assert place.web.status("POST", f"/notes/{shared}/update", token, json={"title": "x"}) == 200
    assert place.web.status("GET", f"/notes/{shared}", place.token("ada")) == 403


def test_a_learner_sees_no_prompt_of_a_model(school: WebPlace) -> None:
    """What the course's author wrote for the tutor is no secret of anybody's, but it is not for learners either."""
    place, token = school, school.token("ada")
    course = place.model_row()["id"]
    assert place.web.ask("GET", "/models/model", token, params={"id": course})["params"] == {}
    hidden = place.model_row("note-taker")["id"]
    assert place.web.status("GET", f"/models/model?id={hidden}", token) == 401
    prompts = [row["params"]["system"] for row in (place.model_row(), place.model_row("note-taker"))]
    offered = place.web.server.call("GET", "/api/models", token).text
    assert not any(prompt in offered for prompt in prompts)
    assert place.web.status("GET", "/models/all", token) == 401


# ------------------------------------------------------------------ forged marks


def _forge(place: WebPlace, mark: dict[str, Any]) -> str:
    """Ada writes a mark onto her own note, which she may; its id."""
    row = place.note_row(place.ada, "journey")
    meta = {"reconciler": {**row["meta"]["reconciler"], **mark}}
    webui.set_note(place.web.server, row["id"], place.token("ada"), meta=meta)
    return str(row["id"])


FORGERIES: dict[str, Callable[[WebPlace], dict[str, Any]]] = {
    "another learner's": lambda place: {"scope": f"user/{place.bob}"},
    "another learner's, without a seal": lambda place: {"scope": f"user/{place.bob}", "seal": ""},
    "another learner's, with its seal": lambda place: place.note_row(place.bob, "journey")["meta"]["reconciler"],
    "the staff's": lambda place: {"scope": "courses", "ref": f"block/{place.course}/staff"},
    "a path": lambda place: {"scope": f"user/../{place.bob}"},
}


HARDEST = ("another learner's, with its seal", "the staff's")


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("knows", [True, False], ids=["running", "just started"])
def test_a_forged_mark_shows_and_changes_nothing(school: WebPlace, forgery: str, knows: bool) -> None:
    place = school
    before = {who: place.heads()[who] for who in (place.bob, "courses")}
    bobs, staffs = place.everywhere(place.bob, "journey"), place.in_git("courses", "staff")
    forged = _forge(place, FORGERIES[forgery](place))
    row = webui.get_note(place.web.server, forged)
    body = webui.text(row).replace('notes = ""', 'notes = "forged"')
    webui.set_text(place.web.server, forged, body, place.token("ada"))
    for _ in range(3):
        (place if knows else place.again()).one_pass(settle_seconds=1.0)

    assert {who: place.heads()[who] for who in (place.bob, "courses")} == before
    assert place.in_letta(place.bob, "journey") == place.in_git(place.bob, "journey") == bobs[0]
    assert place.in_git("courses", "staff") == place.in_letta("courses", "staff") == staffs
    mine = place.web.ask("GET", "/notes/", place.token("ada"))
    assert BOBS not in json.dumps(mine)
    assert BOBS not in webui.text(webui.get_note(place.web.server, forged, place.token("ada")))
    assert place.web.status("GET", f"/notes/{_bobs_note(place)}", place.token("ada")) == 403


def _bobs_note(place: WebPlace) -> str:
    """Bob's true note: the one he can see."""
    rows = place.web.ask("GET", "/notes/", place.token("bob"))
    return next(row["id"] for row in rows if row["title"].startswith("Journey"))


def test_a_note_of_ones_own_with_a_copied_mark_is_left_alone(school: WebPlace) -> None:
    place, token = school, school.token("ada")
    mark = place.note_row(place.bob, "journey")["meta"]
    body = {"title": "Journey", "data": {"content": {"md": '```toml\nnotes = "forged"\n```\n'}}, "meta": mark}
    made = place.web.ask("POST", "/notes/create", token, json=body)
    heads = place.heads()
    report = place.again().one_pass()

    assert (report.exit_code, report.writes, report.commits) == (0, 0, 0), report
    assert place.heads() == heads
    assert webui.text(webui.get_note(place.web.server, made["id"], token)) == body["data"]["content"]["md"]
