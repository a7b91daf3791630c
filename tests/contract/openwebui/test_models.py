"""Courses and tasks as workspace models: field by field, with everybody else's settings left in place."""

from __future__ import annotations

import time
from typing import Any

import pytest

from reconciler.core.value import Value
from reconciler.ports import Action, Actor, Applied, Edit, Failed, Live, Person, Stale
from reconciler.remotes.openwebui import OpenWebUIRemote
from tests.contract.openwebui.things import (
    BASE_MODEL,
    COURSE,
    COURSES,
    TASK,
    WORKSPACE,
    change,
    create_model,
    delete,
    model_fields,
)
from tests.contract.openwebui.world import Account, World, applied, found


def wish(live: Live, **fields: Value) -> Action:
    return change(live, COURSES, **fields)


def explained(remote: OpenWebUIRemote, live: Live, after: str = "") -> Actor:
    (actor,) = remote.explain([Edit(COURSES, live, None, after)], None)
    return actor


def test_what_is_written_is_what_is_read(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    made = applied(remote, create_model(**{"@access": (ann.reads,)}))

    assert made.fields == model_fields(**{"@access": (ann.reads,)})
    assert made.text is None
    again = world.remote().observe(None, "recent")
    assert isinstance(live := again.seen[COURSES][COURSE], Live)
    assert (live.handle, live.fields) == (made.handle, made.fields)


def test_its_texts_stand_where_the_new_chat_page_shows_them(world: World, remote: OpenWebUIRemote) -> None:
    row = world.model(applied(remote, create_model()).handle)

    assert row["name"] == "Essay tutor"
    assert row["meta"]["description"] == "Helps with essays.\nHello! What are you writing?"
    assert [each["content"] for each in row["meta"]["suggestion_prompts"]] == ["Find a topic", "Read my draft"]
    assert row["params"] == {"system": "You help with essays."}
    assert row["base_model_id"] == BASE_MODEL


CHANGES: list[dict[str, Value]] = [
    {"name": "Other"},
    {"description": "Two\n\nparagraphs"},
    {"description": ""},
    {"welcome_first": ""},
    {"welcome_first": "Hello\n\nagain"},
    {"system": ""},
    {"system": "Ådne 🙂\n\n```\ncode\n```"},
    {"suggestion_prompts": ()},
    {"suggestion_prompts": ("Read my draft", "New", "Find a topic")},
    {"base_model": "gpt-4o-mini"},
    {"hidden": True},
    {"active": False},
    {"name": "All", "system": "new", "active": False, "hidden": True},
]


@pytest.mark.parametrize("fields", CHANGES, ids=lambda fields: "+".join(fields))
def test_one_field_changes_and_no_other(world: World, remote: OpenWebUIRemote, fields: dict[str, Value]) -> None:
    made = applied(remote, create_model())
    action = wish(made, **fields)

    written = applied(remote, action)

    assert written.fields == {**made.fields, **action.fields}
    assert found(world.remote(), made).fields == written.fields


def test_what_nobody_declared_is_kept(world: World, remote: OpenWebUIRemote) -> None:
    made = applied(remote, create_model())
    meta = world.model(made.handle)["meta"]
    meta |= {"capabilities": {"vision": False}, "tags": [{"name": "mine"}], "actionIds": ["a"], "own": {"x": 1}}
    meta["suggestion_prompts"][0]["title"] = ["Find", "a topic"]
    world.save_model(made.handle, meta=meta, params={"temperature": 0.3, "stop": ["x"]})

    applied(remote, wish(made, system="new", suggestion_prompts=("Find a topic",)))

    row = world.model(made.handle)
    kept = {name: row["meta"][name] for name in ("capabilities", "tags", "actionIds", "own")}
    assert kept == {name: meta[name] for name in kept}
    assert row["meta"]["suggestion_prompts"] == [{"content": "Find a topic", "title": ["Find", "a topic"]}]
    assert row["params"] == {"temperature": 0.3, "stop": ["x"], "system": "new"}


def test_access_alone_makes_no_new_version(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    made = applied(remote, create_model())

    opened = applied(remote, wish(made, access=(ann.reads,)))

    assert opened.fields["@access"] == (ann.reads,)
    assert len(remote.history(made.handle)) == 1
    seen = world.ask("GET", "/api/models", ann)["data"]
    assert seen == [] or all("system" not in each.get("info", {}).get("params", {}) for each in seen)


def test_a_task_is_a_hidden_model_of_its_own(world: World, remote: OpenWebUIRemote) -> None:
    applied(remote, create_model())
    task = applied(remote, create_model(TASK, **{"@hidden": True}))

    assert task.handle == f"reconciler-{WORKSPACE[:8]}-essay.daily"
    assert world.model(task.handle)["meta"]["hidden"] is True
    assert world.remote().observe(None, "full").seen[COURSES].keys() == {COURSE, TASK}


def test_the_servers_list_is_fresh_after_every_write(world: World, remote: OpenWebUIRemote) -> None:
    made = applied(remote, create_model())
    assert world.tap.asked("GET").count("/api/models") == 1
    applied(remote, wish(made, name="Other"))
    remote.apply(delete(found(remote, made), COURSES))

    assert world.tap.asked("GET").count("/api/models") == 3


def test_a_list_that_could_not_be_renewed_is_renewed_at_the_next_look(world: World, remote: OpenWebUIRemote) -> None:
    world.tap.fail("GET", "/api/models", status=503)
    applied(remote, create_model())
    world.tap.forget()

    remote.observe(None, "recent")
    remote.observe(None, "recent")

    assert world.tap.asked("GET").count("/api/models") == 1


# ---------------------------------------------------------------------- compare, then write


def test_a_field_that_moved_is_not_written_over(world: World, remote: OpenWebUIRemote) -> None:
    made = applied(remote, create_model())
    world.save_model(made.handle, params={"system": "theirs"})

    outcome = remote.apply(wish(made, system="ours"))

    assert isinstance(outcome, Stale)
    assert "system" in outcome.found
    assert applied(remote, wish(made, name="Other")).fields["system"] == "theirs"


def test_two_who_save_at_once_are_told_apart(world: World, remote: OpenWebUIRemote) -> None:
    made = applied(remote, create_model())
    world.tap.fail("POST", "/models/model/update", status=409, text='{"detail": {"code": "version_conflict"}}')

    assert isinstance(remote.apply(wish(made, system="ours")), Stale)
    assert found(remote, made).fields["system"] == "You help with essays."


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_a_model_that_vanishes_meanwhile(world: World, remote: OpenWebUIRemote, verb: str) -> None:
    made = applied(remote, create_model())
    world.tap.fail(
        "POST",
        f"/models/model/{verb}",
        before=lambda: world.ask("POST", "/models/model/delete", json={"id": made.handle}),
    )

    if verb == "update":
        assert isinstance(remote.apply(wish(made, system="x")), Stale)
    else:
        assert remote.apply(delete(made, COURSES)) == Applied(None)
    assert remote.reread([made]) == {made.handle: None}
    assert remote.apply(delete(made, COURSES)) == Applied(None)


def test_a_create_finds_what_is_there(world: World, remote: OpenWebUIRemote) -> None:
    world.tap.fail("POST", "/models/create", lost=True)
    outcome = remote.apply(create_model())
    assert isinstance(outcome, Failed)
    assert outcome.transient

    again = world.remote().apply(create_model())
    assert isinstance(again, Stale)
    assert "already there" in again.found


def test_a_model_of_somebody_else_is_never_ours(world: World, remote: OpenWebUIRemote, staff: Account) -> None:
    taken = f"reconciler-{WORKSPACE[:8]}-essay"
    body: dict[str, Any] = {"id": taken, "base_model_id": BASE_MODEL, "name": "x", "params": {"system": "theirs"}}
    mark = {"reconciler": {"workspace": WORKSPACE, "scope": COURSES, "ref": COURSE}}
    world.ask("POST", "/models/create", staff, json=body | {"meta": mark})

    shown = remote.observe(None, "full")
    assert shown.seen == {}
    assert shown.unmanaged == 1
    outcome = remote.apply(create_model())
    assert isinstance(outcome, Failed)
    assert "not ours" in outcome.reason
    theirs = Live(COURSE, taken, None, {"system": "theirs"})
    assert isinstance(remote.apply(wish(theirs, system="ours")), Stale)
    assert isinstance(remote.apply(delete(theirs, COURSES)), Stale)
    assert world.model(taken)["params"]["system"] == "theirs"


def test_a_mark_that_was_lost_is_put_back(world: World, remote: OpenWebUIRemote) -> None:
    made = applied(remote, create_model())
    world.save_model(made.handle, meta={"reconciler": None})

    applied(remote, wish(found(remote, made), name="Other"))

    assert world.model(made.handle)["meta"]["reconciler"]["workspace"] == WORKSPACE


def test_a_server_in_trouble_is_worth_another_try(world: World, remote: OpenWebUIRemote) -> None:
    for status in (500, 503, 429):
        world.tap.fail("POST", "/models/create", status=status)
        outcome = remote.apply(create_model())
        assert isinstance(outcome, Failed)
        assert outcome.transient


# ---------------------------------------------------------------------- who saved it


def test_a_save_is_the_savers_in_their_words(world: World, remote: OpenWebUIRemote, staff: Account) -> None:
    made = applied(remote, create_model(**{"@commit": "abc1234"}))
    world.save_model(made.handle, staff, "Warmer tone\nand more", params={"system": "Be warm."})

    live = found(remote, made)

    person = Person("Staff", staff.email)
    assert explained(remote, live) == Actor("person", staff.id, person, True, "Warmer tone and more")
    first, second = remote.history(made.handle)[::-1]
    assert (first.message, first.parent) == ("abc1234", None)
    assert (second.message, second.parent, second.user) == ("Warmer tone\nand more", first.id, staff.id)
    assert second.fields["system"] == "Be warm."
    assert first.fields["system"] == "You help with essays."


def test_the_save_that_brought_the_value_counts_and_not_a_later_one(
    world: World, remote: OpenWebUIRemote, ann: Account, staff: Account
) -> None:
    boss = world.account("boss", "admin")
    made = applied(remote, create_model())
    world.save_model(made.handle, staff, "tone", params={"system": "Be warm."})
    time.sleep(1.1)
    world.save_model(made.handle, boss, "name", name="Tutor")

    live = found(remote, made)

    assert explained(remote, live, "Be warm.").id == staff.id
    assert explained(remote, live, "Tutor").id == boss.id
    assert explained(remote, live).id == boss.id


def test_who_made_an_older_version_current_is_not_known(world: World, remote: OpenWebUIRemote, staff: Account) -> None:
    made = applied(remote, create_model())
    world.save_model(made.handle, staff, params={"system": "Be warm."})
    first = remote.history(made.handle)[-1]
    world.ask("POST", "/models/model/update/version", staff, params={"id": made.handle}, json={"version_id": first.id})

    live = found(remote, made)

    assert live.fields["system"] == "You help with essays."
    assert explained(remote, live).kind == "unknown"


def test_a_model_that_is_gone_has_no_author(world: World, remote: OpenWebUIRemote) -> None:
    made = applied(remote, create_model())
    world.ask("POST", "/models/model/delete", json={"id": made.handle})

    assert explained(remote, made).kind == "unknown"


def test_a_base_model_that_is_closed_to_learners_is_said_until_somebody_opens_it(
    world: World, remote: OpenWebUIRemote, ann: Account
) -> None:
    made = applied(remote, create_model())
    assert world.remote().observe(None, "full").warnings == (), "nobody may use the course, either"

    applied(remote, wish(made, access=(ann.reads,)))
    (said,) = world.remote().observe(None, "full").warnings
    assert f"may not use the base model {BASE_MODEL}" in said

    grants = [{"principal_type": "user", "principal_id": "*", "permission": "read"}]
    body = {"id": BASE_MODEL, "name": BASE_MODEL, "access_grants": grants}
    world.ask("POST", "/models/model/access/update", json=body)
    assert world.remote().observe(None, "full").warnings == ()
