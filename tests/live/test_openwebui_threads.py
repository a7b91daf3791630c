"""What the Open WebUI adapter relies on: folders, chats, and threads that a user may only read."""

from dataclasses import dataclass

import pytest

from tests.live import webui
from tests.live.openwebui import BASE_MODEL
from tests.live.openwebui_api import WebUI
from tests.live.webui import V1, Json, Person, chat_body, grant

META = {"type": "background_agent", "agentId": "a", "reconciler": {"ref": "task/c/coach"}}


@dataclass(frozen=True)
class Thread:
    """A chat of the service account in a folder that Ann may read."""

    folder: str
    chat: str
    ann: Person


def folder(server: WebUI, name: str = "coach · Ann", **more: object) -> Json:
    return server.request("POST", f"{V1}/folders/", json={"name": name, **more})


def chat(server: WebUI, body: Json, folder_id: str | None = None, token: str | None = None) -> Json:
    return server.request("POST", f"{V1}/chats/new", token, json={"chat": body, "folder_id": folder_id})


@pytest.fixture
def thread(either: WebUI) -> Thread:
    ann = webui.person(either, "ann")
    folder_id = folder(either, meta=META)["id"]
    body = {"access_grants": [grant("read", ann.id)]}
    either.request("POST", f"{V1}/folders/{folder_id}/access/update", json=body)
    made = chat(either, chat_body("Run 1", "hi", "yo"), folder_id)
    return Thread(folder_id, made["id"], ann)


def test_a_folders_data_and_meta_merge(either: WebUI) -> None:
    made = folder(either, meta=META, data={"x": 1})["id"]
    body = {"meta": {"k": 1}, "data": {"y": 2}}
    got = either.request("POST", f"{V1}/folders/{made}/update", json=body)

    assert (got["meta"], got["data"]) == ({**META, "k": 1}, {"x": 1, "y": 2})


def test_the_list_of_folders_tells_no_meta(either: WebUI) -> None:
    made = folder(either, meta=META)["id"]
    (row,) = either.request("GET", f"{V1}/folders/")

    assert (row["id"], row["meta"], "data" in row) == (made, {"icon": None}, False)
    assert either.request("GET", f"{V1}/folders/{made}")["meta"] == META


def test_siblings_have_different_names(either: WebUI) -> None:
    parent = folder(either)["id"]
    again = either.call("POST", f"{V1}/folders/", json={"name": "coach · Ann"})

    assert (again.status_code, again.json()) == (400, {"detail": "[ERROR: Folder already exists]"})
    assert folder(either, parent_id=parent)["parent_id"] == parent


def test_a_chat_keeps_own_keys_and_merges_the_rest(either: WebUI) -> None:
    made = chat(either, chat_body("Run", "hi", "yo", reconciler={"ref": "r"}))["id"]
    late = {"m2": {"id": "m2", "parentId": "m1", "childrenIds": [], "role": "user", "content": "more"}}
    body = {"chat": {"title": "Run 1", "history": {"messages": late, "currentId": "m2"}}}
    got = either.request("POST", f"{V1}/chats/{made}", json=body)

    history = got["chat"]["history"]
    assert (got["title"], got["chat"]["reconciler"]) == ("Run 1", {"ref": "r"})
    assert [message["content"] for message in history["messages"].values()] == ["hi", "yo", "more"]
    assert history["messages"]["m1"]["childrenIds"] == ["m2"], "the server repairs it"


def test_write_alone_lists_a_folders_chats_and_cannot_read_it(either: WebUI, thread: Thread) -> None:
    body = {"access_grants": [grant("write", thread.ann.id)]}
    either.request("POST", f"{V1}/folders/{thread.folder}/access/update", json=body)
    paths = (f"folders/{thread.folder}", f"folders/{thread.folder}/shared/chats", f"chats/{thread.chat}")

    assert [either.call("GET", f"{V1}/{path}", thread.ann.token).status_code for path in paths] == [404, 200, 401]


def test_the_reader_sees_the_thread(either: WebUI, thread: Thread) -> None:
    token = thread.ann.token
    (shared,) = either.request("GET", f"{V1}/folders/shared", token)
    listed = either.request("GET", f"{V1}/folders/{thread.folder}/shared/chats", token)
    got = either.request("GET", f"{V1}/chats/{thread.chat}", token)

    assert (shared["id"], shared["permission"], shared["meta"]) == (thread.folder, "read", META)
    assert listed["folder_permission"] == "read"
    assert [(row["id"], row["readonly"]) for row in listed["chats"]] == [(thread.chat, True)]
    assert [message["content"] for message in got["chat"]["history"]["messages"].values()] == ["hi", "yo"]


def test_a_stranger_sees_none_of_it(either: WebUI, thread: Thread) -> None:
    bob = webui.person(either, "bob").token
    paths = (f"folders/{thread.folder}", f"folders/{thread.folder}/shared/chats", f"chats/{thread.chat}")

    assert [either.call("GET", f"{V1}/{path}", bob).status_code for path in paths] == [404, 403, 401]
    assert either.request("GET", f"{V1}/folders/shared", bob) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "chats/{chat}", {"chat": {"title": "x"}}, 401),
        ("POST", "chats/{chat}/messages/m0", {"content": "x"}, 401),
        ("POST", "chats/{chat}/folder", {"folder_id": None}, 401),
        ("POST", "chats/{chat}/archive", None, 401),
        ("POST", "chats/{chat}/pin", None, 401),
        ("POST", "chats/{chat}/tags", {"name": "t"}, 401),
        ("DELETE", "chats/{chat}", None, 404),
        ("POST", "chats/new", {"chat": {"title": "x"}, "folder_id": "{folder}"}, 404),
        ("POST", "folders/{folder}/update", {"name": "x"}, 404),
        ("POST", "folders/{folder}/access/update", {"access_grants": []}, 403),
        ("DELETE", "folders/{folder}", None, 403),
        ("POST", "folders/", {"name": "x", "parent_id": "{folder}"}, 403),
    ],
)
def test_the_reader_is_refused(
    either: WebUI, thread: Thread, method: str, path: str, body: Json | None, status: int
) -> None:
    known = {"chat": thread.chat, "folder": thread.folder}
    sent = {name: value.format(**known) if isinstance(value, str) else value for name, value in (body or {}).items()}
    before = either.request("GET", f"{V1}/chats/{thread.chat}")
    answer = either.call(method, f"{V1}/{path.format(**known)}", thread.ann.token, json=sent)

    assert answer.status_code == status
    assert either.request("GET", f"{V1}/chats/{thread.chat}") == before


def test_the_reader_cannot_complete_in_it(either: WebUI, thread: Thread) -> None:
    """Even with a model they may use."""
    body = {"id": BASE_MODEL, "name": BASE_MODEL, "access_grants": [grant("read", thread.ann.id)]}
    either.request("POST", f"{V1}/models/model/access/update", json=body)
    either.refresh_models()
    alone = webui.complete(either, thread.ann.token, BASE_MODEL)
    inside = webui.complete(either, thread.ann.token, BASE_MODEL, chat_id=thread.chat, id="m9")

    assert alone.status_code == 200
    assert inside.status_code in (401, 403, 404)


def test_one_key_reads_a_users_chat_and_may_not_retitle_it(either: WebUI) -> None:
    ann = webui.person(either, "ann")
    made = chat(either, chat_body("hers", "hi"), token=ann.token)["id"]
    listed = either.request("GET", f"{V1}/chats/list/user/{ann.id}")
    edited = {"content": "edited"}

    assert [(row["id"], row["title"]) for row in listed] == [(made, "hers")]
    assert either.request("GET", f"{V1}/chats/{made}")["chat"]["models"] == [BASE_MODEL]
    assert either.call("POST", f"{V1}/chats/{made}", json={"chat": {"title": "x"}}).status_code == 401
    assert either.call("POST", f"{V1}/chats/{made}/archive").status_code == 401
    assert either.call("POST", f"{V1}/chats/{made}/messages/m0", json=edited).status_code == 200
    assert either.call("DELETE", f"{V1}/chats/{made}").status_code == 200


def test_all_chats_come_whole_and_with_their_owners(either: WebUI) -> None:
    ann = webui.person(either, "ann")
    chat(either, chat_body("hers", "hi"), token=ann.token)
    chat(either, chat_body("ours", "hi"))
    rows = either.request("GET", f"{V1}/chats/all/db")

    assert sorted((row["title"], row["user_id"]) for row in rows) == [
        ("hers", ann.id),
        ("ours", either.admin.id),
    ]
    assert all(row["chat"]["models"] == [BASE_MODEL] for row in rows)


def test_chats_and_folders_that_are_not_there(either: WebUI) -> None:
    paths = ("chats/nope", "folders/nope", "users/nope", "groups/id/nope")

    assert [either.call("GET", f"{V1}/{path}").status_code for path in paths] == [401, 404, 400, 404]


def test_a_deleted_folder_takes_its_chats_along(either: WebUI, thread: Thread) -> None:
    either.request("DELETE", f"{V1}/folders/{thread.folder}")

    assert either.call("GET", f"{V1}/chats/{thread.chat}").status_code == 401
