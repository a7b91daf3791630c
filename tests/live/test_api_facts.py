"""What the Letta adapter relies on: parameters, spellings and side effects of the API."""

from typing import Any

import httpx
import pytest

from tests.live import api
from tests.live.server import ANTHROPIC_MODEL, MODEL, LettaServer
from tests.live.turns import run_turn

RULES = [
    {"type": "exit_loop", "tool_name": "send_message"},
    {"type": "continue_loop", "tool_name": "memory_insert"},
    {"type": "run_first", "tool_name": "conversation_search"},
]


def llm(agent: Any) -> tuple[str, int, int, float]:
    config = agent["llm_config"]
    return config["handle"], config["context_window"], config["max_tokens"], config["temperature"]


def rules_of(agent: Any) -> list[tuple[str, str]]:
    return [(rule["type"], rule["tool_name"]) for rule in agent["tool_rules"]]


@pytest.mark.parametrize("handle", [MODEL, ANTHROPIC_MODEL])
def test_model_window_and_max_tokens_hold_when_sent_together(clean_letta: LettaServer, handle: str) -> None:
    together = {"model": handle, "context_window_limit": 16000, "max_tokens": 1000}
    created = api.create_agent(clean_letta, **together)
    patched = api.patch_agent(clean_letta, api.create_agent(clean_letta)["id"], **together)

    assert llm(created) == llm(patched) == (handle, 16000, 1000, 1.0)
    assert patched["model_settings"]["max_output_tokens"] == 1000


@pytest.mark.parametrize(
    ("alone", "expected"),
    [
        ({"model": "openai-proxy/gpt-4o-mini"}, ("openai-proxy/gpt-4o-mini", 128000, 16384, 1.0)),
        ({"context_window_limit": 9000}, (MODEL, 9000, 16384, 1.0)),
        ({"max_tokens": 500}, (MODEL, 128000, 500, 1.0)),
        (
            {"model_settings": {"provider_type": "openai", "max_output_tokens": 500}},
            (MODEL, 16000, 500, 0.7),
        ),
        ({"name": "renamed"}, (MODEL, 16000, 1000, 1.0)),
    ],
    ids=["model", "window", "max_tokens", "model_settings", "name"],
)
def test_one_setting_alone_resets_others(
    clean_letta: LettaServer, alone: dict[str, Any], expected: tuple[str, int, int, float]
) -> None:
    agent_id = api.create_agent(clean_letta, context_window_limit=16000, max_tokens=1000)["id"]

    assert llm(api.patch_agent(clean_letta, agent_id, **alone)) == expected


@pytest.mark.parametrize(
    "settings", [{"max_output_tokens": 5}, {"provider_type": "openai-proxy", "max_output_tokens": 5}]
)
def test_model_settings_must_name_a_known_provider(clean_letta: LettaServer, settings: dict[str, Any]) -> None:
    agent_id = api.create_agent(clean_letta)["id"]

    with pytest.raises(httpx.HTTPStatusError, match="422"):
        api.patch_agent(clean_letta, agent_id, model_settings=settings)


def test_an_unknown_model_is_not_found(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta)["id"]

    with pytest.raises(httpx.HTTPStatusError, match=r"404.*Handle openai-proxy/nope not found"):
        api.patch_agent(clean_letta, agent_id, model="openai-proxy/nope")


def test_an_anthropic_agent_takes_its_turn(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta, model=ANTHROPIC_MODEL)["id"]
    edit = {"label": "human", "new_string": "x"}
    run_turn(clean_letta, agent_id, tool="memory_insert", args=edit).finish()

    assert api.blocks(clean_letta, agent_id)["human"]["value"] == "h0\nx"


def test_tags_select_any_or_all(clean_letta: LettaServer) -> None:
    for name, tags in (("b1", ["w:x", "u:1"]), ("b2", ["w:x"]), ("b3", ["w:xy"]), ("b4", [])):
        api.create_block(clean_letta, name, "v", tags=tags)
        api.create_agent(clean_letta, name, tags=tags, memory_blocks=[])
    both = {"tags": ["w:x", "u:1"]}

    for kind in ("blocks", "agents"):
        path = f"/v1/{kind}/"
        assert api.labels(clean_letta, path, tags="w:x") == ["b1", "b2"]
        assert api.labels(clean_letta, path, **both) == ["b1", "b2"]
        assert api.labels(clean_letta, path, **both, match_all_tags="true") == ["b1"]
        count = clean_letta.request("GET", f"/v1/{kind}/count", params={"tags": "w:x"})
        assert count == 2


def test_a_block_keeps_what_it_was_created_with(clean_letta: LettaServer) -> None:
    told = {"tags": ["a", "b"], "metadata": {"k": {"n": 1}}, "limit": 9, "description": "d", "read_only": True}
    api.create_block(clean_letta, "l", "longer than its limit", **told)
    (listed,) = clean_letta.request("GET", "/v1/blocks/", params={"tags": "a"})

    assert {name: listed[name] for name in told} == told


def test_inline_blocks_lose_tags_and_metadata(clean_letta: LettaServer) -> None:
    inline = {"label": "l", "value": "v", "tags": ["t"], "metadata": {"k": 1}, "limit": 9}
    (block,) = api.create_agent(clean_letta, memory_blocks=[inline])["blocks"]

    assert (block["tags"], block["metadata"], block["limit"]) == ([], {}, 9)


def test_an_agent_shows_only_what_is_included(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta, tags=["t"])["id"]

    def shown(**params: Any) -> tuple[int, int, int]:
        one = clean_letta.request("GET", f"/v1/agents/{agent_id}", params=params)
        (listed,) = clean_letta.request("GET", "/v1/agents/", params=params)
        counts = [(len(a["blocks"]), len(a["tags"]), len(a["tools"])) for a in (one, listed)]
        assert counts[0] == counts[1]
        return counts[0]

    assert shown() == (0, 0, 0)
    assert shown(include=["agent.blocks"]) == (2, 1, 0)
    assert shown(include=["agent.tags"]) == (0, 1, 0)
    assert shown(**api.ALL) == (2, 1, 3)


def test_a_new_system_prompt_needs_a_recompile(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta, system="OLD")["id"]
    api.patch_agent(clean_letta, agent_id, system="NEW")
    patched = api.compiled_prompt(clean_letta, agent_id)
    answer = clean_letta.request("POST", f"/v1/agents/{agent_id}/recompile")

    assert patched.startswith("OLD")
    assert answer.startswith("OLD"), "the answer is the prompt from before"
    assert api.compiled_prompt(clean_letta, agent_id).startswith("NEW")


def test_a_block_edit_recompiles_too(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta, system="OLD")["id"]
    api.patch_agent(clean_letta, agent_id, system="NEW")
    api.patch_block(clean_letta, api.blocks(clean_letta, agent_id)["human"]["id"], value="h1")

    prompt = api.compiled_prompt(clean_letta, agent_id)
    assert prompt.startswith("NEW")
    assert "h1" in prompt


def test_tool_rules_are_spelled_so(clean_letta: LettaServer) -> None:
    agent_id = api.create_agent(clean_letta)["id"]
    patched = api.patch_agent(clean_letta, agent_id, tool_rules=RULES)

    assert rules_of(patched) == [(rule["type"], rule["tool_name"]) for rule in RULES]
    assert rules_of(api.patch_agent(clean_letta, agent_id, tool_rules=[])) == []


def test_a_create_adds_rules_unless_told_not_to(clean_letta: LettaServer) -> None:
    tools = {"tools": ["send_message", "core_memory_append"], "include_base_tools": False}
    added = api.create_agent(clean_letta, **tools, tool_rules=[])
    exact = api.create_agent(clean_letta, **tools, tool_rules=RULES[:1], include_base_tool_rules=False)

    base = [("continue_loop", "core_memory_append"), ("exit_loop", "send_message")]
    assert sorted(rules_of(added)) == base
    assert rules_of(exact) == [("exit_loop", "send_message")]
