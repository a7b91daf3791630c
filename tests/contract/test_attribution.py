"""Who made an edit: the agent where its own call explains the value, and nobody in particular otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reconciler.ports import Edit, Live
from reconciler.remotes.letta import LettaRemote
from reconciler.remotes.letta.attribution import explains, memory_calls
from reconciler.remotes.letta.wire import one_line
from tests.contract.things import ANN, STUDENT, create_agent, create_block
from tests.contract.world import World, applied

BEFORE = 'name = "Ann"\ngoals = ["write daily"]\n'


@pytest.fixture
def agent(remote: LettaRemote) -> Live:
    applied(remote, create_block(text=BEFORE))
    return applied(remote, create_agent(name="tutor of Ann"))


def edit(remote: LettaRemote, before: str = BEFORE) -> Edit:
    live = remote.observe([ANN], "full").seen[ANN][STUDENT]
    assert isinstance(live, Live)
    return Edit(ANN, live, before, live.text or "")


def test_an_append_by_the_agent_is_known(world: World, remote: LettaRemote, agent: Live) -> None:
    since = world.watch.now()
    world.agent_calls(agent.handle, "core_memory_append", {"label": "student", "content": 'pet = "dog"'})

    (actor,) = remote.explain([edit(remote)], since)

    assert (actor.kind, actor.id, actor.known) == ("agent", agent.handle, True)
    assert actor.person.email == f"{agent.handle}@letta.invalid"
    assert actor.person.name == "tutor of Ann"


def test_a_replacement_by_the_agent_is_known_to_an_adapter_that_knows_nothing(world: World, agent: Live) -> None:
    args = {"label": "student", "old_content": "write daily", "new_content": "write weekly"}
    world.agent_calls(agent.handle, "core_memory_replace", args)
    remote = world.remote()
    found = edit(world.remote())
    unknown = Edit(ANN, Live(STUDENT, found.live.handle, found.after, found.live.fields), BEFORE, found.after)

    (actor,) = remote.explain([unknown], None)

    assert actor.id == agent.handle


def test_an_edit_by_the_api_is_presumed(world: World, remote: LettaRemote, agent: Live) -> None:
    since = world.watch.now()
    world.agent_calls(agent.handle, "core_memory_append", {"label": "student", "content": 'pet = "dog"'})
    found = edit(remote)
    world.patch(found.live.handle, value=found.after + 'city = "Oslo"\n')

    (actor,) = remote.explain([edit(remote)], since)

    assert (actor.kind, actor.known, actor.person.email) == ("api", False, "api@letta.invalid")


def test_an_old_call_explains_nothing_new(world: World, remote: LettaRemote, agent: Live) -> None:
    world.agent_calls(agent.handle, "core_memory_append", {"label": "student", "content": 'pet = "dog"'})

    (actor,) = remote.explain([edit(remote)], world.watch.now() + timedelta(hours=1))

    assert not actor.known


def test_a_call_that_failed_explains_nothing(world: World, remote: LettaRemote, agent: Live) -> None:
    args = {"label": "student", "old_content": "not in it", "new_content": "city Oslo"}
    world.agent_calls(agent.handle, "core_memory_replace", args)
    found = edit(remote)
    world.patch(found.live.handle, value=BEFORE + "city Oslo")

    (actor,) = remote.explain([edit(remote)], None)

    assert not actor.known


def test_each_agents_messages_are_read_once(world: World, remote: LettaRemote, agent: Live) -> None:
    found = edit(remote)
    world.tap.forget()

    remote.explain([found, found, found], None)

    assert len(world.tap.seen) == 1


# ---------------------------------------------------------------------------- what counts as an explanation

CASES: list[tuple[str, list[str], str, str, bool]] = [
    ("an append", ["Has a dog."], "Ann.", "Ann.\nHas a dog.", True),
    ("other words", ["Has a cat."], "Ann.", "Ann.\nHas a dog.", False),
    ("only some of it", ["Has a dog."], "Ann.", "Oslo. Ann.\nHas a dog.", False),
    ("two calls together", ["Oslo", "Has a dog."], "Ann.", "Oslo Ann.\nHas a dog.", True),
    ("a whole new text", ["Quite new."], "Ann.", "Quite new.", True),
    ("a removal by its text", ["tea", ""], "likes tea", "likes", True),
    ("a removal by nobody", ["Ann"], "likes tea", "likes", False),
    ("an item of a list", ["read more"], 'a = ["x"]', 'a = ["x", "read more"]', True),
    ("a symbol", ["🙂"], "a", "a 🙂", True),
    ("part of a word", ["teapot"], "", "tea", False),
    ("nothing said", [], "a", "b", False),
    ("quotes alone", ["x"], "a", '"a"', False),
]


@pytest.mark.parametrize(
    ("said", "before", "after", "is_known"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_every_new_word_must_have_been_said(said: list[str], before: str, after: str, is_known: bool) -> None:
    assert explains(said, before, after) is is_known


@pytest.mark.parametrize(
    ("arguments", "blocks"),
    [
        ('{"label": "student", "content": "x"}', {"student"}),
        ('{"command": "str_replace", "path": "/memories/student", "new_string": "x"}', {"student"}),
        ('{"block": "student", "field": "f", "content": "x"}', {"student"}),
        ("[1]", set()),
        ("not json", set()),
    ],
)
def test_arguments_say_which_block(arguments: str, blocks: set[str]) -> None:
    call: dict[str, Any] = {"name": "memory", "arguments": arguments, "tool_call_id": "c"}
    messages = [
        {"message_type": "tool_call_message", "tool_call": call},
        {"message_type": "tool_return_message", "status": "success", "tool_call_id": "c"},
    ]

    (found,) = memory_calls(messages, None)

    assert found.blocks == blocks


def test_a_name_from_the_server_cannot_forge_an_author() -> None:
    assert one_line("x\nSigned-off-by: <a@b>\u2028 y\ud800", "agent-1") == "x Signed-off-by: a@b y"
    assert one_line("<>\n", "agent-1") == "agent-1"
