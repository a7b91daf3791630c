"""Point 4: a background agent's threads are the learner's to read and nobody's to write in; its model is hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from reconciler.ports import WebMessage
from tests.acceptance.web.conftest import in_sync
from tests.acceptance.web.place import WebPlace
from tests.live import webui
from tests.live.openwebui import BASE_MODEL
from tests.live.webui import Json, chat_body

AGENT = "note-taker"
SAID = (WebMessage("user", "What is new?"), WebMessage("assistant", "Ada hears the rhythm now."))


@dataclass(frozen=True)
class Shared:
    """A run of the background agent, shared with Ada."""

    place: WebPlace
    folder: str
    chat: str
    model: str


@pytest.fixture
def shared(make_place: Callable[..., WebPlace]) -> Shared:
    """Made with the one key that the reconciler has."""
    place = in_sync(make_place(names=("ada", "bob")))
    model = place.model_row(AGENT)["id"]
    folder = place.remote.ensure_folder(AGENT, "Note-taker", place.ada, "Ada")
    chat = place.remote.create_thread(folder, "Monday's run", model, SAID)
    return Shared(place, folder, chat, model)


def test_one_key_makes_a_folder_once_and_keeps_it_shared_with_its_reader_alone(shared: Shared) -> None:
    place = shared.place
    assert place.remote.ensure_folder(AGENT, "Note-taker", place.ada, "Ada") == shared.folder
    access = {"access_grants": [webui.grant("read", place.bob), webui.grant("write", place.ada)]}
    place.web.ask("POST", f"/folders/{shared.folder}/access/update", json=access)
    assert place.remote.ensure_folder(AGENT, "Note-taker", place.ada, "Ada") == shared.folder

    row = place.web.ask("GET", f"/folders/{shared.folder}")
    assert webui.grants(row) == [("user", place.ada, "read")]
    assert (row["meta"]["type"], row["meta"]["agentId"]) == ("background_agent", AGENT)


def test_the_learner_sees_their_thread_and_nobody_else_does(shared: Shared) -> None:
    place, ada, bob = shared.place, shared.place.token("ada"), shared.place.token("bob")
    (folder,) = place.web.ask("GET", "/folders/shared", ada)
    listed = place.web.ask("GET", f"/folders/{shared.folder}/shared/chats", ada)
    thread = place.web.ask("GET", f"/chats/{shared.chat}", ada)

    assert (folder["name"], folder["permission"]) == ("Note-taker · Ada", "read")
    assert [(row["title"], row["readonly"]) for row in listed["chats"]] == [("Monday's run", True)]
    messages = thread["chat"]["history"]["messages"].values()
    assert [message["content"] for message in messages] == [each.content for each in SAID]
    assert place.web.ask("GET", "/folders/shared", bob) == []
    hidden = [f"/folders/{shared.folder}", f"/folders/{shared.folder}/shared/chats", f"/chats/{shared.chat}"]
    assert all(place.web.status("GET", path, bob) in (401, 403, 404) for path in hidden)


REFUSED: list[tuple[str, str, Json | None]] = [
    ("POST", "/chats/{chat}", {"chat": {"title": "mine now"}}),
    ("POST", "/chats/{chat}/messages/{message}", {"content": "I never said that"}),
    ("POST", "/chats/{chat}/folder", {"folder_id": None}),
    ("POST", "/chats/{chat}/archive", None),
    ("POST", "/chats/{chat}/pin", None),
    ("DELETE", "/chats/{chat}", None),
    ("POST", "/chats/new", {"chat": {"title": "x"}, "folder_id": "{folder}"}),
    ("POST", "/folders/{folder}/update", {"name": "x"}),
    ("POST", "/folders/{folder}/access/update", {"access_grants": []}),
    ("DELETE", "/folders/{folder}", None),
    ("POST", "/folders/", {"name": "x", "parent_id": "{folder}"}),
]


def test_every_write_of_the_learner_is_refused(shared: Shared) -> None:
    place, ada = shared.place, shared.place.token("ada")
    before = place.web.ask("GET", f"/chats/{shared.chat}"), place.web.ask("GET", f"/folders/{shared.folder}")
    (message, *_) = before[0]["chat"]["history"]["messages"]
    known = {"chat": shared.chat, "folder": shared.folder, "message": message}
    for method, path, body in REFUSED:
        sent = {key: each.format(**known) if isinstance(each, str) else each for key, each in (body or {}).items()}
        status = place.web.status(method, path.format(**known), ada, json=sent)
        assert status in (401, 403, 404), (method, path, status)
    after = place.web.ask("GET", f"/chats/{shared.chat}"), place.web.ask("GET", f"/folders/{shared.folder}")
    assert after == before


def test_no_completion_by_the_learner_in_the_thread_or_with_the_hidden_model(shared: Shared) -> None:
    place, ada, server = shared.place, shared.place.token("ada"), shared.place.web.server
    server.refresh_models()
    course = place.model_row()["id"]

    assert webui.complete(server, ada, course).status_code == 200, "the tutor is theirs to talk to"
    for model in (BASE_MODEL, course):
        inside = webui.complete(server, ada, model, chat_id=shared.chat, id="m9")
        assert inside.status_code in (401, 403, 404), inside.text
    assert webui.complete(server, ada, shared.model).status_code == 400
    row = place.model_row(AGENT)
    assert (row["meta"]["hidden"], row["access_grants"]) == (True, [])
    offered = server.request("GET", "/api/models", ada)["data"]
    assert {course} <= {each["id"] for each in offered}
    assert shared.model not in {each["id"] for each in offered}


def test_a_run_and_a_learners_own_chat_are_on_record_in_their_repo_alone(shared: Shared) -> None:
    place = shared.place
    course = place.model_row()["id"]
    body = chat_body("About my first line", "hi", "yo", models=[course])
    body["history"]["messages"]["m1"]["model"] = course
    own = place.web.ask("POST", "/chats/new", place.token("ada"), json={"chat": body})["id"]
    place.sync()

    records = place.records(place.ada)
    run, chat = f"agent_threads/{AGENT}/{shared.chat}.json", f"agent_threads/{place.course}/{own}.json"
    assert records.keys() == {run, chat}
    assert (records[run]["title"], records[run]["kind"]) == ("Monday's run", "run")
    assert (records[chat]["title"], records[chat]["kind"]) == ("About my first line", "chat")
    assert "messages" not in records[chat]
    assert place.records(place.bob) == {}
    place.assert_at_rest()


def test_a_thread_that_is_gone_is_reported_and_stays_on_record(shared: Shared) -> None:
    place = shared.place
    place.sync()
    place.web.ask("DELETE", f"/chats/{shared.chat}")
    report = place.again().one_pass()

    (said,) = (notice.message for notice in report.warnings if shared.chat in notice.message)
    assert "on record" in said
    assert (report.writes, report.commits) == (0, 0)
    assert [record["title"] for record in place.records(place.ada).values()] == ["Monday's run"]
