"""Point 3: what agents and people change in Letta becomes commits with the right author, and no wider than the edit."""

from __future__ import annotations

from tests.acceptance.place import Place


def _last(place: Place, who: str) -> tuple[str, dict[str, str]]:
    """The author and the trailers of the newest commit on ``main``."""
    author, _, body = place.git(who, "log", "-1", "--format=%an%n%(trailers:only,unfold)", "main").partition("\n")
    return author, dict(line.split(": ", 1) for line in body.splitlines() if ": " in line)


def _changed_lines(place: Place, who: str) -> list[str]:
    diff = place.git(who, "diff", "-U0", "main~1", "main").splitlines()
    return [line for line in diff if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_an_agents_own_edit_is_a_commit_by_that_agent(place: Place) -> None:
    agent = place.agent_row("ada")
    count = len(place.log("ada"))
    place.agent_learns("ada", "journey", notes="She writes at night")
    assert place.sync().exit_code == 0

    assert len(place.log("ada")) == count + 1
    author, said = _last(place, "ada")
    assert author == agent["name"] == "youlab_ada_essay-lab"
    assert (said["Remote"], said["Actor"], said["Attribution"]) == ("letta", f"agent:{agent['id']}", "known")
    assert {"Observed-At", "Pass"} <= said.keys()
    assert _changed_lines(place, "ada") == ['-notes = ""', '+notes = "She writes at night"']
    assert place.git("ada", "log", "-1", "--format=%cn").strip() == "reconciler"
    place.assert_at_rest()


def test_an_edit_through_the_api_is_a_commit_by_letta_api(place: Place) -> None:
    place.api_edits("bob", "student", interests=["rowing", "fog"])
    assert place.sync().exit_code == 0

    author, said = _last(place, "bob")
    assert author == "Letta API"
    assert (said["Remote"], said["Actor"], said["Attribution"]) == ("letta", "api", "presumed")
    lines = _changed_lines(place, "bob")
    assert all("interests" in line for line in lines if line.startswith("-")), lines
    assert place.in_git("bob", "student")["interests"] == ("rowing", "fog")
    place.assert_at_rest()


def test_both_at_once_are_two_commits_each_by_its_own_author(place: Place) -> None:
    place.agent_learns("ada", "journey", notes="from the agent")
    place.api_edits("ada", "journey", blockers="from the API")
    assert place.sync().exit_code == 0

    authors = place.log("ada", "%an")[-2:]
    assert sorted(authors) == ["Letta API", "youlab_ada_essay-lab"]
    place.assert_at_rest()


def test_a_field_nobody_declared_and_free_prose_are_captured_too(place: Place) -> None:
    text = place.text("eve", "journey")
    place.api_writes("eve", "journey", text + 'mood = "glad"\n')
    place.api_writes("eve", "diary", "She came.\n\nShe stayed.\n")
    assert place.sync().exit_code == 0

    assert place.in_git("eve", "journey")["mood"] == "glad"
    assert "She stayed." in place.git("eve", "show", f"main:{place.path('eve', 'diary')}")
    place.assert_at_rest()


def test_an_agents_edit_of_a_shared_block_is_a_commit_to_the_course(place: Place) -> None:
    place.agent_learns("bob", "staff", owner="courses", focus="the last line")
    assert place.sync().exit_code == 0

    author, said = _last(place, "courses")
    assert author == "youlab_bob_essay-lab"
    assert said["Attribution"] == "known"
    assert place.in_git("courses", "staff")["focus"] == "the last line"
    place.assert_at_rest()


def test_comments_and_order_of_the_file_survive_a_capture(place: Place) -> None:
    path = place.path("ada", "journey")
    text = "# Hands off the order.\n" + (place.folder("ada") / path).read_text().replace(
        "blockers", "# why not yet\nblockers"
    )
    place.commit_text("ada", path, text)
    place.sync()
    place.api_edits("ada", "journey", blockers="a cold")
    assert place.sync().exit_code == 0

    now = place.git("ada", "show", f"main:{path}")
    assert now == text.replace('blockers = ""', 'blockers = "a cold"')
    place.assert_at_rest()
