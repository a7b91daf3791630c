"""What an author takes out of a course leaves its model too: empty, and nothing else, is what people see then."""

from __future__ import annotations

from tests.acceptance.web.place import WebPlace

SAID = {
    "description": 'description = "One essay, many drafts"\n',
    "welcome": 'welcome_first = "Hello! Which sentence shall we hear first?"\n',
    "prompts": 'suggestion_prompts = ["Read my first line aloud"]\n',
    "system": 'system = "You read drafts aloud and ask what the writer hears."\n',
}


def test_lines_taken_out_of_a_course_are_empty_in_its_model(alone: WebPlace) -> None:
    place = alone
    for line in SAID.values():
        place.edit_course(line, "")
    assert place.sync().exit_code == 0

    row = place.model_row()
    assert row["name"]
    assert row["meta"]["description"] == ""
    assert row["meta"]["suggestion_prompts"] == []
    assert "system" not in row["params"]
    assert place.system.agent(place.agent_row(place.ada)["id"])["system"] == ""
    place.assert_at_rest()
