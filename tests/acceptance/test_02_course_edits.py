"""Point 2: a commit to a course reaches every agent there is, by one pass, and the prompt the model reads."""

from __future__ import annotations

import pytest

from tests.acceptance.place import THREE, Place
from tests.live.server import ANTHROPIC_MODEL


def test_a_new_system_prompt_reaches_the_same_agents_and_the_compiled_prompt(place: Place) -> None:
    before = place.agent_ids()
    place.edit_course("You read drafts aloud and ask what the writer hears.", "You count the verbs first.")
    assert place.one_pass(settle_seconds=10).exit_code == 0

    assert place.agent_ids() == before
    for agent in before.values():
        assert place.system.agent(agent)["system"] == "You count the verbs first."
        prompt = place.system.prompt(agent)
        assert "You count the verbs first." in prompt
        assert "read drafts aloud" not in prompt
    place.assert_at_rest()


def test_a_new_model_keeps_window_and_answer_length(place: Place) -> None:
    before = place.agent_ids()
    place.edit_course('model = "openai/gpt-4o"', f'model = "{ANTHROPIC_MODEL}"')
    assert place.one_pass(settle_seconds=10).exit_code == 0

    assert place.agent_ids() == before
    for agent in before.values():
        found = place.system.agent(agent)["llm_config"]
        assert (found["handle"], found["context_window"], found["max_tokens"]) == (ANTHROPIC_MODEL, 64000, 2048)
    place.assert_at_rest()


@pytest.mark.parametrize(
    ("after", "rules"),
    [
        ('"memory_insert:continue", "memory_replace:exit"', {"continue_loop": 1, "exit_loop": 2}),
        ('"memory_insert:first"', {"run_first": 1, "exit_loop": 1}),
    ],
)
def test_new_tools_and_rules_reach_every_agent(place: Place, after: str, rules: dict[str, int]) -> None:
    before = place.agent_ids()
    place.edit_course('"memory_insert:continue", "memory_replace:continue"', after)
    assert place.one_pass(settle_seconds=10).exit_code == 0

    assert place.agent_ids() == before
    for agent in before.values():
        found = place.system.agent(agent)
        types = [rule["type"] for rule in found["tool_rules"]]
        assert {name: types.count(name) for name in types} == rules
        assert len(found["tools"]) == sum(rules.values())
    place.assert_at_rest()


def test_a_new_block_reaches_every_learner_and_nothing_else_changes(place: Place) -> None:
    place.commit_as("Tess Teacher", "ada", "journey", notes="kept as it is")
    place.sync()
    before = place.agent_ids()
    path = f"{place.course}/course.toml"
    text = (place.folder("courses") / path).read_text()
    more = '\n[block.goals]\nlabel = "goals"\nfield.term = { type = "string", default = "finish one" }\n'
    place.commit_text("courses", path, text + more)
    assert place.sync().exit_code == 0

    assert place.agent_ids() == before
    for user in THREE:
        assert place.in_letta(user, "goals") == {"term": "finish one"}
        assert "goals" in {block["label"] for block in place.agent_row(user)["blocks"]}
    assert place.in_letta("ada", "journey")["notes"] == "kept as it is"
    place.assert_at_rest()
