"""The harness itself: a real server comes up, is emptied, and a turn can be held open."""

import httpx

from tests.live import api
from tests.live.install import ensure_letta, is_installed
from tests.live.server import LettaServer
from tests.live.turns import run_turn

MEMORY_TOOLS = {
    "send_message",
    "core_memory_append",
    "core_memory_replace",
    "memory_insert",
    "memory_replace",
    "conversation_search",
}


def test_an_install_that_is_there_is_left_alone(letta: LettaServer) -> None:
    before = letta.home.stamp.stat().st_mtime_ns

    assert is_installed(ensure_letta())
    assert letta.home.stamp.stat().st_mtime_ns == before


def test_the_base_tools_are_there(clean_letta: LettaServer) -> None:
    tools = clean_letta.request("GET", "/v1/tools/", params={"limit": 500})

    assert {tool["name"] for tool in tools} >= MEMORY_TOOLS


def test_a_cleared_server_is_empty_and_works(letta: LettaServer) -> None:
    source = 'def mine():\n    """Mine."""\n    return "x"\n'
    letta.request("POST", "/v1/tools/", json={"source_code": source})
    api.create_agent(letta, tags=["t"])
    api.create_block(letta, "loose", "x", tags=["t"])

    letta.clear()

    assert api.labels(letta, "/v1/agents/") == []
    assert api.labels(letta, "/v1/blocks/") == []
    assert "mine" not in api.labels(letta, "/v1/tools/", limit=500)
    assert api.create_agent(letta, "b")["name"] == "b"


def test_a_server_restarts_with_what_it_held(clean_letta: LettaServer) -> None:
    block = api.create_block(clean_letta, "kept", "across")
    clean_letta.stop_letta()
    try:
        httpx.get(f"{clean_letta.url}/v1/health/", timeout=5)
    except httpx.TransportError:
        down = True
    else:
        down = False
    clean_letta.start_letta()

    assert down
    assert api.value(clean_letta, block) == "across"


def test_a_second_server_has_its_own_password_and_memory(clean_letta: LettaServer) -> None:
    api.create_agent(clean_letta, "on the first")
    with LettaServer(password="sesame") as second:
        refused = httpx.get(f"{second.url}/v1/agents/")
        seen = api.labels(second, "/v1/agents/")

    assert (refused.status_code, seen) == (401, [])
    assert api.labels(clean_letta, "/v1/agents/") == ["on the first"]


def test_held_turns_of_two_agents_do_not_mix(clean_letta: LettaServer) -> None:
    first, second = (api.create_agent(clean_letta, name)["id"] for name in "ab")
    turns = [
        run_turn(clean_letta, agent_id, tool="memory_insert", args={"label": "human", "new_string": said})
        for agent_id, said in ((first, "one"), (second, "two"))
    ]
    for turn in reversed(turns):
        turn.finish()

    assert api.blocks(clean_letta, first)["human"]["value"] == "h0\none"
    assert api.blocks(clean_letta, second)["human"]["value"] == "h0\ntwo"


def test_the_stub_shows_the_prompt_the_model_got(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta, system="You are a lighthouse.")["id"]
    turn = run_turn(clean_letta, agent_id)
    turn.finish()

    (seen,) = (request for request in clean_letta.stub.requests if request["key"] == turn.key)
    assert seen["system"].startswith("You are a lighthouse.")
    assert "h0" in seen["system"]
