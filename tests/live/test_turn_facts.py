"""What the settle protocol relies on: how a running turn writes memory, and how runs show.

Each test states what the server does, wanted or not. One that fails means that the engine's
assumptions have to be looked at, not the test.
"""

import time
from typing import Any

import pytest

from tests.live import api
from tests.live.server import LettaServer
from tests.live.stub_script import Reply
from tests.live.turns import Turn, run_turn

INSERT = {"label": "human", "new_string": "by the agent"}


@pytest.mark.parametrize("label", ["human", "persona"])
def test_a_memory_tool_reverts_what_was_written_during_its_turn(clean_letta: LettaServer, label: str) -> None:
    agent_id = api.create_agent(clean_letta)["id"]
    before = {label: block["value"] for label, block in api.blocks(clean_letta, agent_id).items()}
    block_id = api.blocks(clean_letta, agent_id)[label]["id"]
    turn = run_turn(clean_letta, agent_id, tool="memory_insert", args=INSERT)
    api.patch_block(clean_letta, block_id, value="written meanwhile")
    seen_during = api.value(clean_letta, block_id)
    turn.finish()

    edited = {"human": "h0\nby the agent"}
    assert seen_during == "written meanwhile"
    assert api.value(clean_letta, block_id) == (before | edited)[label]


@pytest.mark.parametrize("read_only", [False, True])
def test_a_shared_block_is_reverted_for_every_agent(clean_letta: LettaServer, read_only: bool) -> None:
    shared = api.create_block(clean_letta, "shared", "s0", read_only=read_only)
    busy = api.create_agent(clean_letta, "busy", block_ids=[shared])["id"]
    other = api.create_agent(clean_letta, "other", block_ids=[shared])["id"]
    turn = run_turn(clean_letta, busy, tool="memory_insert", args=INSERT)
    api.patch_block(clean_letta, shared, value="written meanwhile")
    turn.finish()

    assert api.blocks(clean_letta, other)["shared"]["value"] == "s0"


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        (None, {}),
        ("conversation_search", {"query": "x"}),
        ("memory_replace", {"label": "human", "old_string": "absent", "new_string": "x"}),
    ],
)
def test_a_turn_that_changes_no_memory_reverts_nothing(
    clean_letta: LettaServer, tool: str | None, args: dict[str, Any]
) -> None:
    agent_id = api.create_agent(clean_letta)["id"]
    block_id = api.blocks(clean_letta, agent_id)["persona"]["id"]
    turn = run_turn(clean_letta, agent_id, tool=tool, args=args)
    api.patch_block(clean_letta, block_id, value="written meanwhile")
    turn.finish()

    assert api.value(clean_letta, block_id) == "written meanwhile"


def test_the_snapshot_is_of_the_turn_and_not_of_the_step(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta)["id"]
    block_id = api.blocks(clean_letta, agent_id)["persona"]["id"]
    call = Reply(tool="memory_insert", args=INSERT, hold=True)
    clean_letta.stub.script.queue("twice", [call, call])
    turn = Turn(clean_letta, agent_id, "twice")
    turn.start("Go on.")
    turn.wait_until_held()
    turn.release()
    while api.blocks(clean_letta, agent_id)["human"]["value"] == "h0":
        time.sleep(0.02)
    turn.wait_until_held()
    api.patch_block(clean_letta, block_id, value="written between two calls")
    turn.finish()

    assert api.value(clean_letta, block_id) == "p0"


def test_only_values_are_written_back(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta)["id"]
    block_id = api.blocks(clean_letta, agent_id)["persona"]["id"]
    turn = run_turn(clean_letta, agent_id, tool="memory_insert", args=INSERT)
    told = {"limit": 777, "description": "d", "metadata": {"a": 1}, "tags": ["t"]}
    api.patch_block(clean_letta, block_id, **told)
    api.patch_agent(clean_letta, agent_id, system="S", tags=["u"], name="n")
    turn.finish()

    block = clean_letta.request("GET", f"/v1/blocks/{block_id}")
    agent = api.agent(clean_letta, agent_id)
    assert {name: block[name] for name in told} == told
    assert (agent["system"], agent["tags"], agent["name"]) == ("S", ["u"], "n")


def test_a_block_attached_or_detached_during_a_turn_is_not_written_back(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta)["id"]
    loose = api.create_block(clean_letta, "loose", "l0")
    route = f"/v1/agents/{agent_id}/core-memory/blocks"
    for verb, text in (("attach", "l1"), ("detach", "l2")):
        turn = run_turn(clean_letta, agent_id, tool="memory_insert", args=INSERT)
        clean_letta.request("PATCH", f"{route}/{verb}/{loose}")
        api.patch_block(clean_letta, loose, value=text)
        turn.finish()

        assert api.value(clean_letta, loose) == text
        assert ("loose" in api.blocks(clean_letta, agent_id)) == (verb == "attach")


def test_overlapping_turns_lose_an_agents_own_edit(clean_letta: LettaServer) -> None:
    shared = api.create_block(clean_letta, "shared", "s0")
    first, second = (api.create_agent(clean_letta, name, block_ids=[shared])["id"] for name in "ab")
    edit = {"label": "shared", "new_string": "by a"}
    one = run_turn(clean_letta, first, tool="memory_insert", args=edit)
    two = run_turn(clean_letta, second, tool="memory_insert", args=INSERT)
    one.finish()
    after_first = api.value(clean_letta, shared)
    two.finish()

    assert (after_first, api.value(clean_letta, shared)) == ("s0\nby a", "s0")


def test_a_run_is_active_from_the_models_turn_to_the_answer(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta)["id"]
    assert clean_letta.active_runs() == []
    turn = run_turn(clean_letta, agent_id)
    (run,) = clean_letta.active_runs()
    of_agent = {"active": "true", "agent_id": agent_id}
    assert [r["id"] for r in clean_letta.request("GET", "/v1/runs/", params=of_agent)] == [run["id"]]
    turn.finish()

    assert (run["agent_id"], run["completed_at"]) == (agent_id, None)
    assert run["status"] in ("created", "running")
    assert clean_letta.active_runs() == []


def test_a_run_shows_within_the_grace(clean_letta: LettaServer) -> None:
    """The snapshot is read just before the run's row is made, so no list can be early enough.

    The default grace is 2 s; a tenth of that is usual.
    """
    agent_id = api.create_agent(clean_letta)["id"]
    clean_letta.stub.script.queue("seen", [Reply(hold=True)])
    turn = Turn(clean_letta, agent_id, "seen")
    began = time.monotonic()
    turn.start("Go on.")
    while not clean_letta.active_runs():
        assert time.monotonic() - began < 30
    shown = time.monotonic() - began
    turn.finish()

    assert shown < 2


def test_updated_at_moves_with_every_turn_and_no_block_edit(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta)["id"]
    block_id = api.blocks(clean_letta, agent_id)["persona"]["id"]

    def updated_at() -> str:
        return api.agent(clean_letta, agent_id)["updated_at"]

    created = updated_at()
    api.patch_block(clean_letta, block_id, value="edited")
    edited = updated_at()
    turn = run_turn(clean_letta, agent_id, tool="memory_insert", args=INSERT)
    during = updated_at()
    turn.finish()
    after_memory = updated_at()
    run_turn(clean_letta, agent_id).finish()

    assert created == edited == during < after_memory < updated_at()


def test_a_memory_edit_can_be_read_from_the_messages(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta)["id"]
    run_turn(clean_letta, agent_id, tool="memory_insert", args=INSERT).finish()

    seen = {m["message_type"]: m for m in api.messages(clean_letta, agent_id)}
    call, answer = seen["tool_call_message"], seen["tool_return_message"]
    assert call["tool_call"]["name"] == answer["name"] == "memory_insert"
    assert call["tool_call"]["arguments"] == '{"label": "human", "new_string": "by the agent"}'
    assert call["tool_call"]["tool_call_id"] == answer["tool_call_id"]
    assert call["run_id"] == answer["run_id"]
    assert answer["status"] == "success"
