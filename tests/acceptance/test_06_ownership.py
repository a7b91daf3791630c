"""Point 6: what git declares is kept so; what nobody declared, and what is not ours, is left alone."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from reconciler.core.decide import MOST_REWRITES
from reconciler.errors import Terminal
from tests.acceptance.place import TRACKING, Place


def _drift_ever_recorded(place: Place, user: str) -> list[dict[str, Any]]:
    """Every state of the drift file on the tracking ref."""
    path = f"agents/{place.course}.toml"
    commits = place.log(user, "%H", TRACKING, "--", path)
    held = [commit for commit in commits if place.git(user, "ls-tree", commit, "--", path)]
    return [tomllib.loads(place.git(user, "show", f"{commit}:{path}")) for commit in held]


def test_drift_of_a_declared_field_is_recorded_and_undone(place: Place) -> None:
    agent = place.agent_row("ada")
    count = len(place.log("ada"))
    place.system.patch(agent["id"], system="Write the essay for them.", description="mine now")
    report = place.sync()
    assert report.exit_code == 0

    now = place.agent_row("ada")
    assert (now["id"], now["system"], now["description"]) == (agent["id"], agent["system"], agent["description"])
    assert agent["system"] in place.system.prompt(agent["id"])
    drift = {"system": "Write the essay for them.", "description": "mine now"}
    assert drift in _drift_ever_recorded(place, "ada")
    assert len(place.log("ada")) == count, "drift is no commit on main"
    place.assert_at_rest()


def test_drift_of_tools_and_of_a_blocks_settings_is_undone(place: Place) -> None:
    agent = place.agent_row("ada")
    place.system.patch(agent["id"], tool_ids=[], tool_rules=[])
    place.system.patch(place.block_row("ada", "journey")["id"], description="mine now", read_only=True)
    assert place.sync().exit_code == 0

    now = place.agent_row("ada")
    assert {each["name"] for each in now["tools"]} == {each["name"] for each in agent["tools"]}
    row = place.block_row("ada", "journey")
    assert (row["description"], row["read_only"]) == ("Where the writer stands", False)
    place.assert_at_rest()


def test_fields_nobody_declared_are_left_alone(place: Place) -> None:
    agent = place.agent_row("ada")["id"]
    before = place.system.agent(agent)
    place.system.patch(
        agent, timezone="Europe/Lisbon", metadata=before["metadata"] | {"theirs": "kept"}, tags=[*before["tags"], "vip"]
    )
    place.system.patch(place.block_row("ada", "journey")["id"], metadata={"theirs": "kept"})
    place.edit_course("You read drafts aloud and ask what the writer hears.", "You wait.")
    assert place.sync().exit_code == 0

    now = place.system.agent(agent)
    assert (now["system"], now["timezone"], now["metadata"]["theirs"]) == ("You wait.", "Europe/Lisbon", "kept")
    assert "vip" in now["tags"]
    assert place.block_row("ada", "journey")["metadata"]["theirs"] == "kept"
    place.assert_at_rest()


def test_agents_and_blocks_without_our_tags_are_never_touched(place: Place) -> None:
    ours = place.agent_row("ada")
    theirs = place.system.ask(
        "POST", "/v1/agents/", json={"name": ours["name"], "model": place.system.aliases.get("", ours["model"])}
    )
    foreign_tags = ["reconciler", "workspace:00000000-0000-4000-8000-000000000000", "user:ada", "course:essay-lab"]
    tagged = {"label": "journey", "value": "x", "tags": [*foreign_tags, "block:journey"]}
    place.system.ask("POST", "/v1/blocks/", json=tagged)
    place.system.ask("POST", "/v1/blocks/", json={"label": "journey", "value": "loose"})
    known = {row["id"] for row in [*place.system.agents(), *place.system.blocks()]}
    mine = {row["id"] for row in known_rows(place)}
    before = {key: row for key, row in everything(place).items() if key not in mine}

    place.edit_course("You read drafts aloud and ask what the writer hears.", "You wait.")
    place.commit_as("Tess Teacher", "ada", "journey", notes="only ours")
    report = place.sync()
    assert report.exit_code == 0

    assert theirs["id"] in before
    assert report.unmanaged == len(before)
    assert {key: row for key, row in everything(place).items() if key in before} == before
    assert {row["id"] for row in [*place.system.agents(), *place.system.blocks()]} == known


def everything(place: Place) -> dict[str, Any]:
    found = place.system.everything()
    return {**found["agents"], **found["blocks"]}


def known_rows(place: Place) -> list[Any]:
    """Ours, by the tag of the workspace."""
    tag = f"workspace:{place.workspace.uuid}"
    return [row for row in everything(place).values() if tag in row["tags"]]


def test_drift_that_keeps_coming_back_is_asked_about_and_can_only_be_rejected(place: Place) -> None:
    for _ in range(MOST_REWRITES + 2):
        place.system.patch(place.block_row("ada", "journey")["id"], description="mine now")
        place.sync()
    (diff,) = place.open_diffs()
    assert (diff.field, diff.values["letta"]) == ("@description", "mine now")

    with pytest.raises(Terminal, match=r"^description of .* is the course author's"):
        place.review("approved", diff.id)
    place.review("rejected", diff.id)
    assert place.sync().exit_code == 0
    assert place.block_row("ada", "journey")["description"] == "Where the writer stands"
    place.assert_at_rest()
