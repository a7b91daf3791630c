"""What the Open WebUI adapter relies on: event webhooks, and the bulk view of people."""

from collections.abc import Iterator

import pytest

from tests.live import webui
from tests.live.openwebui_api import WebUI
from tests.live.webui import V1, Hook, Json, chat_body, grant

EVENTS = "/api/events/webhooks"


@pytest.fixture
def hook(either: WebUI) -> Iterator[Hook]:
    with Hook() as listening:
        body = {"name": "reconciler", "url": listening.url, "events": ["note.*", "model.*", "chat.*", "message.*"]}
        either.request("POST", EVENTS, json=body)
        yield listening


def told(event: Json) -> tuple[str, str, str]:
    return event["event"], event["subject"]["id"], event["actor"]["id"]


def test_a_webhook_can_be_made_changed_and_removed(either: WebUI) -> None:
    made = either.request("POST", EVENTS, json={"name": "n", "url": "http://127.0.0.1:9/h", "events": ["*"]})
    changed = either.request("PUT", f"{EVENTS}/{made['id']}", json={"enabled": False})
    listed = either.request("GET", EVENTS)
    either.request("DELETE", f"{EVENTS}/{made['id']}")

    assert (made["enabled"], made["events"], made["targets"]) == (True, ["*"], None)
    assert listed == [changed]
    assert (changed["id"], changed["enabled"], changed["url"]) == (made["id"], False, made["url"])
    assert either.request("GET", EVENTS) == []
    assert either.call("DELETE", f"{EVENTS}/{made['id']}").status_code == 404


def test_webhooks_are_the_administrators(either: WebUI) -> None:
    ann = webui.person(either, "ann")

    assert either.call("GET", EVENTS, ann.token).status_code == 401


def test_a_notes_life_is_told_with_its_actor(either: WebUI, hook: Hook) -> None:
    """Also an update that changed nothing, which a reader of notes would not see."""
    ann, admin = webui.person(either, "ann"), either.admin.id
    made = webui.note(either, "1", webui.writer(ann))["id"]
    webui.set_text(either, made, "2", ann.token)
    webui.set_text(either, made, "2", ann.token)
    either.request("POST", f"{V1}/notes/{made}/access/update", json={"access_grants": []})
    either.request("DELETE", f"{V1}/notes/{made}/delete")

    assert [told(hook.next()) for _ in range(5)] == [
        ("note.created", made, admin),
        ("note.updated", made, ann.id),
        ("note.updated", made, ann.id),
        ("note.access_updated", made, admin),
        ("note.deleted", made, admin),
    ]


def test_a_models_life_is_told(either: WebUI, hook: Hook) -> None:
    webui.model(either)
    webui.set_model(either, system="T")
    either.request("POST", f"{V1}/models/model/toggle", params={"id": "c"})
    body = {"id": "c", "access_grants": [grant("read", "*")]}
    either.request("POST", f"{V1}/models/model/access/update", json=body)
    either.request("POST", f"{V1}/models/model/delete", json={"id": "c"})

    names = ["created", "updated", "disabled", "access_updated", "deleted"]
    assert [told(hook.next())[:2] for _ in names] == [(f"model.{name}", "c") for name in names]


def test_a_chats_life_is_told(either: WebUI, hook: Hook) -> None:
    body = {"chat": chat_body("t", "hi"), "folder_id": None}
    made = either.request("POST", f"{V1}/chats/new", json=body)["id"]
    either.request("POST", f"{V1}/chats/{made}", json={"chat": {"title": "u"}})
    either.request("POST", f"{V1}/chats/{made}/messages/m0", json={"content": "x"})
    either.request("DELETE", f"{V1}/chats/{made}")
    created, updated, message, deleted = (hook.next() for _ in range(4))

    assert [told(each)[:2] for each in (created, updated, message, deleted)] == [
        ("chat.created", made),
        ("chat.updated", made),
        ("message.updated", "m0"),
        ("chat.deleted", made),
    ]
    assert message["data"]["chat_id"] == made


def test_users_are_listed_with_mail_and_role(either: WebUI) -> None:
    ann = webui.person(either, "ann")
    listed = either.request("GET", f"{V1}/users/all")

    seen = {row["id"]: (row["name"], row["email"], row["role"]) for row in listed["users"]}
    assert seen[ann.id] == ("ann", ann.email, "user")
    assert (len(seen), listed["total"]) == (2, 2)
    assert either.call("GET", f"{V1}/users/all", ann.token).status_code == 401


def test_members_are_told_by_the_group(either: WebUI) -> None:
    """And by the paged list of users; `users/all` never fills its `groups`."""
    ann = webui.person(either, "ann")
    group = either.request("POST", f"{V1}/groups/create", json={"name": "g", "description": "d"})["id"]
    either.request("POST", f"{V1}/groups/id/{group}/users/add", json={"user_ids": [ann.id]})
    (listed,) = either.request("GET", f"{V1}/groups/")
    members = either.request("POST", f"{V1}/groups/id/{group}/users")
    paged = either.request("GET", f"{V1}/users/")["users"]
    flat = either.request("GET", f"{V1}/users/all")["users"]

    assert (listed["id"], listed["name"], listed["member_count"]) == (group, "g", 1)
    assert [row["id"] for row in members] == [ann.id]
    assert {row["id"]: row["group_ids"] for row in paged}[ann.id] == [group]
    assert all(row["groups"] == [] for row in flat)


def test_keys_and_tokens_that_are_refused(either: WebUI) -> None:
    paths = (f"{V1}/users/all", f"{V1}/notes/", "/api/models")
    statuses = {either.call("GET", path, bad).status_code for path in paths for bad in ("sk-nope", "nope")}

    assert statuses == {401}
    assert either.call("GET", f"{V1}/auths/").status_code == 403, "wants a session, not a key"
    assert either.call("GET", f"{V1}/auths/", either.admin_token).status_code == 200


def test_an_unknown_path_is_a_page_and_not_an_error(either: WebUI) -> None:
    """A wrong address looks like success: only the content type tells."""
    for path in (f"{V1}/nope", f"{V1}/notes"):
        answer = either.call("GET", path)

        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
