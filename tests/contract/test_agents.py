"""Agents: created whole, changed in place, compiled, and never more of them touched than was declared."""

from __future__ import annotations

import pytest

from reconciler.core.value import Value
from reconciler.ports import Applied, Failed, Live, Stale
from reconciler.remotes.letta import LettaRemote, compiled_mark
from tests.contract.things import (
    AGENT,
    ANN,
    BEN,
    CLAUDE,
    COURSES,
    OTHER_MODEL,
    PROFILE,
    RULES,
    STUDENT,
    SYSTEM,
    agent_fields,
    change,
    create_agent,
    create_block,
    delete,
    marks,
)
from tests.contract.world import World, applied


@pytest.fixture
def agent(remote: LettaRemote) -> Live:
    for action in (create_block(), create_block(PROFILE, "p"), create_block(RULES, "r", scope=COURSES)):
        applied(remote, action)
    return applied(remote, create_agent(blocks=(RULES, STUDENT)))


def test_an_agent_is_made_as_declared(world: World, agent: Live) -> None:
    assert agent.fields == agent_fields(blocks=(RULES, STUDENT))
    for depth in ("full", "values", "recent"):
        assert world.remote().observe(None, depth).seen[ANN][AGENT] == agent
    assert world.remote().observe([ANN, COURSES], "full").seen[ANN][AGENT] == agent
    assert world.prompt(agent.handle).startswith(SYSTEM)


CHANGES: dict[str, Value] = {
    "name": "another name",
    "description": "",
    "model": OTHER_MODEL,
    "context_window": 16000,
    "max_response_tokens": 700,
    "tools": ("core_memory_append", "memory_insert"),
    "tool_rules": ("exit:core_memory_append", "first:memory_insert"),
    "blocks": (STUDENT, PROFILE),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_field_changes_alone(world: World, remote: LettaRemote, agent: Live, name: str) -> None:
    changed = applied(remote, change(agent, **{name: CHANGES[name]}))

    assert changed.handle == agent.handle
    assert changed.fields == {**agent.fields, name: CHANGES[name]}
    assert world.remote().observe(None, "full").seen[ANN][AGENT] == changed


def test_all_fields_change_at_once(remote: LettaRemote, agent: Live) -> None:
    changed = applied(remote, change(agent, **CHANGES))

    assert changed.fields == {**agent.fields, **CHANGES}


def test_another_provider_keeps_window_and_length(remote: LettaRemote, agent: Live) -> None:
    changed = applied(remote, change(agent, model=CLAUDE))

    assert changed.fields == {**agent.fields, "model": CLAUDE}


def test_settings_nobody_declared_survive_a_change(world: World, remote: LettaRemote, agent: Live) -> None:
    settings = world.agent(agent.handle)["model_settings"]
    world.patch(agent.handle, model_settings=settings | {"temperature": 0.25})

    applied(remote, change(agent, max_response_tokens=900))

    kept = world.agent(agent.handle)["model_settings"]
    assert (kept["temperature"], kept["max_output_tokens"]) == (0.25, 900)


def test_a_new_system_text_is_in_the_prompt(world: World, remote: LettaRemote, agent: Live) -> None:
    metadata = {**agent_fields(system="Be brief.")["metadata"]}  # type: ignore[dict-item]

    changed = applied(remote, change(agent, system="Be brief.", metadata=metadata))

    assert changed.fields["metadata"] == metadata
    assert world.prompt(agent.handle).startswith("Be brief.")


def test_a_stop_before_the_recompile_shows_and_is_healed(world: World, remote: LettaRemote, agent: Live) -> None:
    metadata = {**agent_fields(system="Be brief.")["metadata"]}  # type: ignore[dict-item]
    world.tap.fail("POST", "/recompile", status=500)

    outcome = remote.apply(change(agent, system="Be brief.", metadata=metadata))

    assert isinstance(outcome, Failed)
    assert outcome.transient
    found = world.remote().observe(None, "full").seen[ANN][AGENT]
    assert isinstance(found, Live)
    assert found.fields["system"] == "Be brief."
    assert found.fields["metadata"]["compiled"] == compiled_mark(SYSTEM)  # type: ignore[index]
    assert not world.prompt(agent.handle).startswith("Be brief.")

    assert applied(remote, change(found, metadata=metadata)).fields["metadata"] == metadata
    assert world.prompt(agent.handle).startswith("Be brief.")


DRIFT = {
    "name": ({"name": "x"}, "name"),
    "description": ({"description": "x"}, "description"),
    "system": ({"system": "x"}, "system"),
    "model": ({"model": OTHER_MODEL, "context_window_limit": 32000, "max_tokens": 1000}, "model"),
    "window": ({"model": OTHER_MODEL, "context_window_limit": 8000, "max_tokens": 1000}, "context_window"),
    "tools": ({"tool_ids": []}, "tools"),
    "rules": ({"tool_rules": [{"type": "required_before_exit", "tool_name": "t"}]}, "tool_rules"),
    "blocks": ({"block_ids": []}, "blocks"),
    "tags": ({"tags": ["reconciler", "theirs"]}, "tags"),
    "metadata": ({"metadata": {"course": "x", "theirs": 1}}, "metadata"),
}


@pytest.mark.parametrize("case", DRIFT)
def test_drift_is_seen_and_repaired(world: World, remote: LettaRemote, agent: Live, case: str) -> None:
    body, name = DRIFT[case]
    world.patch(agent.handle, **body)

    (found,) = remote.reread([agent]).values()
    assert isinstance(found, Live)
    differing = {key: agent.fields[key] for key in agent.fields if found.fields[key] != agent.fields[key]}
    assert name in differing

    assert applied(remote, change(found, **differing)).fields == agent.fields
    assert remote.observe(None, "full").seen[ANN][AGENT] == agent


def test_a_rule_of_another_type_is_visible(world: World, remote: LettaRemote, agent: Live) -> None:
    world.patch(agent.handle, tool_rules=[{"type": "required_before_exit", "tool_name": "t"}])

    (found,) = remote.reread([agent]).values()

    assert isinstance(found, Live)
    assert found.fields["tool_rules"] == ("other:required_before_exit:t",)


def test_what_others_put_on_an_agent_stays(world: World, remote: LettaRemote, agent: Live) -> None:
    theirs = world.ask("POST", "/v1/blocks/", json={"label": "theirs", "value": "v"})["id"]
    world.ask("PATCH", f"/v1/agents/{agent.handle}/core-memory/blocks/attach/{theirs}")
    world.patch(agent.handle, tags=[*marks(ANN), "theirs"], metadata={**agent.fields["metadata"], "theirs": 1})  # type: ignore[dict-item]

    (found,) = remote.reread([agent]).values()
    assert found == agent
    metadata = {**agent_fields(system="B")["metadata"], "course_version": "2"}  # type: ignore[dict-item]
    applied(remote, change(agent, tags=marks(ANN), metadata=metadata, blocks=(PROFILE,), system="B"))

    row = world.agent(agent.handle)
    assert theirs in [block["id"] for block in row["blocks"]]
    assert len(row["blocks"]) == 2
    assert "theirs" in row["tags"]
    assert row["metadata"]["theirs"] == 1


def test_a_field_that_moved_is_not_overwritten_and_others_may_move(
    world: World, remote: LettaRemote, agent: Live
) -> None:
    world.patch(agent.handle, name="theirs")

    assert isinstance(remote.apply(change(agent, name="ours")), Stale)
    assert applied(remote, change(agent, description="ours")).fields["name"] == "theirs"


def test_a_tool_the_server_lacks_is_left_out_and_the_rest_is_made(remote: LettaRemote) -> None:
    applied(remote, create_block())

    live = applied(remote, create_agent(tools=("core_memory_append", "no_such_tool")))

    assert live.fields["tools"] == ("core_memory_append",)
    offers = remote.observe(None, "recent").offers
    assert "no_such_tool" not in offers["tools"]
    assert "core_memory_append" in offers["tools"]
    assert OTHER_MODEL in offers["models"]
    assert offers["embeddings"]


def test_an_agent_waits_for_its_blocks(remote: LettaRemote) -> None:
    outcome = remote.apply(create_agent())

    assert isinstance(outcome, Failed)
    assert outcome.transient
    assert "not there yet" in outcome.reason
    assert remote.observe(None, "full").seen == {}


def test_an_unknown_model_says_so_in_the_servers_words(remote: LettaRemote) -> None:
    applied(remote, create_block())

    outcome = remote.apply(create_agent(model="openai-proxy/gpt-99"))

    assert isinstance(outcome, Failed)
    assert not outcome.transient
    assert "gpt-99" in outcome.reason


def test_a_deleted_agent_leaves_its_blocks(world: World, remote: LettaRemote, agent: Live) -> None:
    assert remote.apply(delete(agent)) == Applied(None)
    assert remote.apply(delete(agent)) == Applied(None)

    seen = remote.observe(None, "full").seen
    assert set(seen[ANN]) == {STUDENT, PROFILE}
    assert applied(remote, create_agent()).handle != agent.handle


def test_an_agent_without_our_marks_is_not_deleted(world: World, remote: LettaRemote, agent: Live) -> None:
    world.patch(agent.handle, tags=["reconciler", "workspace:other", "user:ann", "course:essay"])

    assert isinstance(remote.apply(delete(agent)), Stale)
    assert isinstance(remote.apply(change(agent, name="x")), Stale)
    assert world.agent(agent.handle)["name"] == agent.fields["name"]


def test_a_shared_block_is_held_by_every_agent(world: World, remote: LettaRemote, agent: Live) -> None:
    applied(remote, create_block(scope=BEN))
    other = applied(remote, create_agent(BEN, blocks=(RULES, STUDENT)))

    seen = world.remote().observe(None, "full").seen

    holders = {(scope, ref): live.holders for scope, refs in seen.items() for ref, live in refs.items()}  # type: ignore[union-attr]
    assert holders[COURSES, RULES] == {agent.handle, other.handle}
    assert holders[ANN, STUDENT] == {agent.handle}
    assert holders[BEN, STUDENT] == {other.handle}
    assert holders[ANN, PROFILE] == frozenset()


def test_a_name_letta_would_answer_with_a_500_is_refused_before(world: World, remote: LettaRemote) -> None:
    outcome = remote.apply(create_agent(name="youlab_ann@example.org_essay", blocks=()))

    assert isinstance(outcome, Failed)
    assert not outcome.transient
    assert "ann@example.org" in outcome.reason
    assert world.tap.writes() == []
