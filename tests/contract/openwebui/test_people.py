"""Who is there, who edited a note, threads that only their owner writes in, and the webhook."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import Transient
from reconciler.ports import Actor, Edit, Live, Person
from reconciler.remotes.openwebui import Message, OpenWebUIRemote, WebGroup, WebUser
from tests.contract.openwebui.things import ANN, BASE_MODEL, WORKSPACE, create_note
from tests.contract.openwebui.world import Account, World, applied


def group(world: World, name: str, *members: Account) -> str:
    made = world.ask("POST", "/groups/create", json={"name": name, "description": ""})["id"]
    world.ask("POST", f"/groups/id/{made}/users/add", json={"user_ids": [each.id for each in members]})
    return made


def by(remote: OpenWebUIRemote, live: Live) -> Actor:
    (actor,) = remote.explain([Edit(ANN, live, "a", "b")], None)
    return actor


def test_all_accounts_and_groups_are_listed(world: World, remote: OpenWebUIRemote, ann: Account, ben: Account) -> None:
    staff = group(world, "staff", ben)

    users = {user.id: user for user in remote.users()}
    assert users[ann.id] == WebUser(ann.id, "Ann", ann.email, "user")
    assert "admin" in {user.role for user in users.values()}
    assert remote.groups() == [WebGroup(staff, "staff", frozenset({ben.id}))]


def test_many_accounts_are_one_request(world: World, remote: OpenWebUIRemote) -> None:
    for n in range(35):
        world.account(f"many{n}")
    world.tap.forget()

    assert len(remote.users()) >= 35
    assert len(world.tap.seen) == 1


# ---------------------------------------------------------------------- who edited a note


def test_an_edit_is_presumed_the_only_writers(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    staff = group(world, "staff")
    live = applied(remote, create_note(access=(ann.writes, f"group:{staff}:read")))

    assert by(remote, live) == Actor("person", ann.id, Person("Ann", ann.email), known=False)


@pytest.mark.parametrize("also", ["user", "group", "nobody", "gone"])
def test_where_several_may_write_or_none_nobody_is_named(
    world: World, remote: OpenWebUIRemote, ann: Account, ben: Account, also: str
) -> None:
    access: dict[str, Any] = {
        "user": (ann.writes, ben.writes),
        "group": (ann.writes, f"group:{group(world, 'staff')}:write"),
        "nobody": (ann.reads,),
        "gone": ("user:nobody-knows:write",),
    }
    live = applied(remote, create_note(access=access[also]))

    actor = by(remote, live)

    assert (actor.kind, actor.known) == ("unknown", False)
    assert actor.person == Person("Open WebUI", "openwebui@openwebui.invalid")


def test_nothing_in_open_webui_writes_back_an_older_value(remote: OpenWebUIRemote) -> None:
    assert list(remote.active_runs()) == []


# ---------------------------------------------------------------------- threads


def test_a_thread_can_be_read_by_its_user_and_written_by_nobody(
    world: World, remote: OpenWebUIRemote, ann: Account, ben: Account
) -> None:
    folder = remote.ensure_folder("coach", "Coach", ann.id, "Ann")
    said = [Message("user", "Look."), Message("assistant", "I did."), Message("user", "More.")]
    chat = remote.create_thread(folder, "Monday", BASE_MODEL, said)

    assert [(each.id, each.title) for each in remote.threads_in(folder)] == [(chat, "Monday")]
    shared = world.ask("GET", f"/folders/{folder}/shared/chats", ann)
    assert [(each["id"], each["readonly"]) for each in shared["chats"]] == [(chat, True)]
    history = world.ask("GET", f"/chats/{chat}", ann)["chat"]["history"]
    assert [each["content"] for each in history["messages"].values()] == ["Look.", "I did.", "More."]
    assert world.call("POST", f"/chats/{chat}", ann, json={"chat": {"title": "Mine"}}).status_code >= 400
    message = f"/chats/{chat}/messages/{history['currentId']}"
    assert world.call("POST", message, ann, json={"content": "x"}).status_code >= 400
    assert world.call("GET", f"/chats/{chat}", ben).status_code >= 400
    assert world.call("GET", f"/folders/{folder}/shared/chats", ben).status_code >= 400


def test_a_folder_is_made_once_and_its_sharing_mended(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    folder = remote.ensure_folder("coach", "Coach", ann.id, "Ann")
    world.ask("POST", f"/folders/{folder}/access/update", json={"access_grants": []})

    assert world.remote().ensure_folder("coach", "Coach", ann.id, "Ann") == folder
    assert remote.ensure_folder("coach", "Coach", ann.id, "Ann") == folder
    row = world.ask("GET", f"/folders/{folder}")
    assert [(each["principal_id"], each["permission"]) for each in row["access_grants"]] == [(ann.id, "read")]
    assert (row["name"], row["meta"]["type"], row["meta"]["agentId"]) == ("Coach · Ann", "background_agent", "coach")


def test_two_users_of_one_name_have_a_folder_each(
    world: World, remote: OpenWebUIRemote, ann: Account, ben: Account
) -> None:
    first = remote.ensure_folder("coach", "Coach", ann.id, "Sam")
    second = remote.ensure_folder("coach", "Coach", ben.id, "Sam")

    assert first != second
    assert remote.ensure_folder("coach", "Coach", ben.id, "Sam") == second


def test_all_of_a_folders_threads_are_listed(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    folder = remote.ensure_folder("coach", "Coach", ann.id, "Ann")
    made = {remote.create_thread(folder, f"run {n}", BASE_MODEL, [Message("user", "x")]) for n in range(23)}

    assert {each.id for each in remote.threads_in(folder)} == made


def test_a_users_own_chats_are_listed_by_model(
    world: World, remote: OpenWebUIRemote, ann: Account, ben: Account
) -> None:
    made: dict[str, str] = {}
    for who, model in ((ann, "gpt-4o"), (ben, "gpt-4o"), (ann, "gpt-4o-mini")):
        messages = {
            "a": {"id": "a", "parentId": None, "childrenIds": ["b"], "role": "user", "content": "hi"},
            "b": {"id": "b", "parentId": "a", "childrenIds": [], "role": "assistant", "content": "yo", "model": model},
        }
        chat = {"title": model, "models": [model], "history": {"messages": messages, "currentId": "b"}}
        made[who.id + model] = world.ask("POST", "/chats/new", who, json={"chat": chat})["id"]

    listed = {each.id: each for each in remote.threads_with("gpt-4o")}
    assert listed.keys() == {made[ann.id + "gpt-4o"], made[ben.id + "gpt-4o"]}
    anns = listed[made[ann.id + "gpt-4o"]]
    assert (anns.user, anns.title, anns.model) == (ann.id, "gpt-4o", "gpt-4o")
    whole = remote.thread(anns.id)
    assert whole is not None
    assert (whole.user, whole.title, whole.model, whole.updated_at) == (ann.id, "gpt-4o", "gpt-4o", anns.updated_at)
    assert whole.created_at is not None
    assert remote.thread("nobody-knows") is None
    assert {each.id for each in remote.threads_of(ann.id)} == {made[ann.id + "gpt-4o"], made[ann.id + "gpt-4o-mini"]}


def test_a_server_without_analytics_is_told_which_setting_it_lacks(world: World, remote: OpenWebUIRemote) -> None:
    world.tap.fail("GET", "/analytics/models/gpt-4o/chats", status=200, text="<!doctype html>")

    with pytest.raises(Transient, match="ENABLE_ADMIN_ANALYTICS=true"):
        remote.threads_with("gpt-4o")


# ---------------------------------------------------------------------- the webhook

URL = "http://127.0.0.1:9/hooks/openwebui/0123456789"


def test_the_webhook_is_made_once_and_repaired(world: World, remote: OpenWebUIRemote) -> None:
    theirs = world.ask("POST", "/api/events/webhooks", json={"name": "theirs", "url": URL, "events": ["*"]})

    assert remote.ensure_webhook(URL, ["note.*", "model.*"])
    assert not remote.ensure_webhook(URL, ["note.*", "model.*"])
    ours = [each for each in world.ask("GET", "/api/events/webhooks") if WORKSPACE in each["name"]]
    assert [(each["url"], each["events"], each["enabled"]) for each in ours] == [(URL, ["note.*", "model.*"], True)]

    world.ask("PUT", f"/api/events/webhooks/{ours[0]['id']}", json={"enabled": False})
    world.ask("POST", "/api/events/webhooks", json={"name": ours[0]["name"], "url": URL, "events": ["*"]})
    assert remote.ensure_webhook(URL, ["note.*"])

    hooks = {each["id"]: each for each in world.ask("GET", "/api/events/webhooks")}
    assert hooks.keys() == {theirs["id"], ours[0]["id"]}
    assert hooks[theirs["id"]]["events"] == ["*"]
    assert (hooks[ours[0]["id"]]["events"], hooks[ours[0]["id"]]["enabled"]) == (["note.*"], True)
