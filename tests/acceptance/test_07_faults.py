"""Point 7: whatever fails, and wherever the process dies: nothing is lost, nothing deleted, the next pass heals it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.killing import Steps, counting, killed_pass
from tests.acceptance.place import Place

LIVE = {
    "test_a_kill_at_any_step_is_healed_by_the_next_process",
    "test_a_write_that_fails_is_made_by_the_next_pass",
    "test_somebody_writing_between_read_and_write_is_not_overwritten_unseen",
    "test_a_commit_made_during_the_pass_is_kept",
}


def _edit_all_over(place: Place) -> None:
    """A bit of everything for one pass: pushes, captures, a merge, a conflict, a new prompt, a new learner."""
    place.commit_as("Tess Teacher", "ada", "journey", notes="git's", status="drafting", milestones=["from git"])
    place.agent_learns("ada", "student", insights="She writes at night")
    place.api_edits("ada", "journey", notes="Letta's", blockers="live", milestones=["from Letta"])
    place.api_writes("ada", "diary", "Day one.\n")
    place.api_edits("courses", "staff", focus="the last line")
    place.edit_course("You read drafts aloud and ask what the writer hears.", "You wait.")
    place.add_user("zoe")


def _outcome(place: Place) -> Mapping[str, Any]:
    """What both sides hold in the end, without ids and dates."""
    rows = list(place.ours())
    mine = f"workspace:{place.workspace.uuid}"
    agents = [row for row in place.system.agents() if mine in row["tags"]]
    return {
        "letta": {(who, block): text for who, block, text in rows},
        "copies": Counter((who, block) for who, block, _ in rows),
        "git": {who: _files(place, who) for who in place.everybody()},
        "agents": sorted((row["name"], row["system"], len(row["blocks"]), len(row["tools"])) for row in agents),
        "questions": [(diff.ref, diff.field, dict(diff.values)) for diff in place.open_diffs()],
        "captures": Counter(line for who in place.everybody() for line in place.log(who) if "by " in line),
    }


def _files(place: Place, who: str) -> Mapping[str, str]:
    repo = place.repo(who)
    files = repo.files(place.head(who))
    kept = {path: blob for path, blob in files.items() if not path.startswith("pending_diffs/")}
    return {path: repo.read(blob).decode() for path, blob in kept.items() if path != "workspace.toml"}


def _assert_same(found: Mapping[str, Any], expected: Mapping[str, Any], when: object) -> None:
    for part, value in expected.items():
        assert found[part] == value, (when, part)


def _edited(make_place: Callable[..., Place], name: str) -> Place:
    place = make_place(name, users=("ada",))
    assert place.sync().exit_code == 0
    _edit_all_over(place)
    return place


def _edited_places(make_place: Callable[..., Place]) -> Callable[[str], Place]:
    """Makes workspaces all in the same state: copies of one, where the server can be brought back with it."""
    first = _edited(make_place, "first")
    if first.system.freeze is None:
        return lambda name: _edited(make_place, name)
    thaw = first.system.freeze()

    def copied(name: str) -> Place:
        thaw()
        copy = first.again()
        copy.root = Path(shutil.copytree(first.root, first.root.with_name(name)))
        return copy

    return copied


# ------------------------------------------------------------------ killed


def test_a_kill_at_any_step_is_healed_by_the_next_process(make_place: Callable[..., Place]) -> None:
    """A workspace per step, each compared with the one whose pass was left in peace."""
    edited = _edited_places(make_place)
    calm, steps = edited("calm"), Steps(None)
    calm.new_engine(counting(steps)).run(apply=True)
    assert calm.sync().exit_code == 3
    expected = _outcome(calm)
    assert expected["questions"] == [
        ("block/essay-lab/journey", "notes", {"git": "git's", "letta": "Letta's"}),
    ]

    wanted = 6 if calm.system.is_live else 25
    for number in range(wanted):
        at = 1 + number * (len(steps.names) - 1) // wanted
        place = edited(f"killed-{at}")
        assert killed_pass(place, at), (at, steps.names)
        assert place.again().sync().exit_code == 3, (at, steps.names[at - 1])
        _assert_same(_outcome(place), expected, (at, steps.names[at - 1]))


def test_a_process_killed_over_and_over_gets_there_in_the_end(make_place: Callable[..., Place]) -> None:
    edited = _edited_places(make_place)
    calm = edited("calm")
    calm.sync()
    expected = _outcome(calm)
    place = edited("killed")
    for at in (3, 9, 12, 15, 18, 21, 24, 27):
        killed_pass(place, at)
    assert place.again().sync().exit_code == 3
    _assert_same(_outcome(place), expected, "all")


# ------------------------------------------------------------------ failing requests

READS = {
    "a listing of blocks that fails": ("GET", "/v1/blocks", {"status": 500}),
    "a listing of agents that fails": ("GET", "/v1/agents", {"status": 500}),
    "a listing that is cut off": ("GET", "/v1/blocks", {"refused": True}),
    "a listing that loses its reply": ("GET", "/v1/agents", {"lost": True}),
    "a listing of blocks that is empty": ("GET", "/v1/blocks", {"spoil": lambda rows: []}),
    "a listing of agents that is empty": ("GET", "/v1/agents", {"spoil": lambda rows: []}),
    "a listing that is short": ("GET", "/v1/blocks", {"spoil": lambda rows: rows[:2]}),
    "a listing that is no list": ("GET", "/v1/blocks", {"spoil": lambda rows: {"detail": "hm"}}),
    "a listing of nonsense": ("GET", "/v1/agents", {"spoil": lambda rows: [{"id": None}, 3, "x"]}),
    "a server that wants a password": ("GET", "/v1/blocks", {"status": 401}),
    "a gateway in the way": ("GET", "/v1/blocks", {"status": 502, "text": "<html>bad gateway</html>"}),
}


@pytest.mark.parametrize("trouble", READS)
def test_trouble_while_reading_is_never_taken_for_a_deletion(place: Place, trouble: str) -> None:
    place.commit_as("Tess Teacher", "ada", "journey", notes="waits for better times")
    before, heads = place.system.everything(), place.heads()
    method, path, how = READS[trouble]
    place.system.tap.fail(method, path, times=3, **how)
    alive = place.again()
    report = alive.one_pass()
    place.system.tap.faults.clear()

    assert report.exit_code in (1, 3), report
    assert not any(action.verb in ("create", "delete") for action in report.actions)
    after = place.system.everything()
    assert after.keys() == before.keys()
    assert [row["id"] for row in after["blocks"].values()] == [row["id"] for row in before["blocks"].values()]
    assert {who: head for who, head in place.heads().items() if head != heads[who]} == {}
    assert alive.sync().exit_code == 0
    assert place.in_letta("ada", "journey")["notes"] == "waits for better times"
    place.assert_at_rest()


WRITES = {
    "a 500": {"status": 500},
    "a 409": {"status": 409},
    "a 503": {"status": 503, "text": "busy"},
    "a reset connection": {"refused": True},
    "a time-out after the write was applied": {"lost": True},
}


@pytest.mark.parametrize("trouble", WRITES)
def test_a_write_that_fails_is_made_by_the_next_pass(place: Place, trouble: str) -> None:
    place.commit_as("Tess Teacher", "ada", "journey", notes="written twice, if need be")
    place.commit_as("Tess Teacher", "bob", "journey", notes="not held up")
    handle = place.block_row("ada", "journey")["id"]
    place.system.tap.fail("PATCH", handle, **WRITES[trouble])
    report = place.one_pass()
    assert report.exit_code == 1
    assert place.in_letta("bob", "journey")["notes"] == "not held up", "one failure stops nothing else"
    assert place.again().sync().exit_code == 0

    assert place.history("ada", "journey", "notes") == ["", "written twice, if need be"]
    assert place.in_letta("ada", "journey")["notes"] == "written twice, if need be"
    place.assert_at_rest()


@pytest.mark.parametrize("path", ["/v1/blocks", "/v1/agents"])
@pytest.mark.parametrize("trouble", WRITES)
def test_a_create_that_fails_leaves_neither_orphans_nor_twins(bare: Place, trouble: str, path: str) -> None:
    bare.system.tap.fail("POST", path, **WRITES[trouble])
    assert bare.one_pass().exit_code == 1
    assert bare.again().sync().exit_code == 0

    outcome = _outcome(bare)
    assert set(outcome["copies"].values()) == {1}
    assert [name for name, *_ in outcome["agents"]] == [f"youlab_{user}_essay-lab" for user in ("ada", "bob", "eve")]
    assert len(bare.system.blocks()) == len(outcome["copies"])
    bare.assert_at_rest()


def test_somebody_writing_between_read_and_write_is_not_overwritten_unseen(place: Place) -> None:
    """Compare, then write: what changed after it was observed is left for the next pass to look at."""
    place.commit_as("Tess Teacher", "ada", "journey", notes="git's")
    handle = place.block_row("ada", "journey")["id"]
    place.system.tap.fail(
        "GET", handle, times=1, before=lambda: place.api_edits("ada", "journey", blockers="in the nick of time")
    )
    place.one_pass()
    assert place.sync().exit_code == 0

    for side in (place.in_git, place.in_letta):
        found = side("ada", "journey")
        assert (found["notes"], found["blockers"]) == ("git's", "in the nick of time")
    place.assert_at_rest()


@pytest.mark.parametrize("how", [{"status": 500}, {"refused": True}, {"spoil": lambda rows: {"detail": "hm"}}])
def test_when_the_runs_cannot_be_listed_nothing_is_believed(place: Place, how: Mapping[str, Any]) -> None:
    """A failed listing of runs is not an empty one: the turn that still runs would bring the old value back."""
    turn = place.turn("ada", "student", insights="by the agent")
    place.commit_as("Tess Teacher", "ada", "journey", notes="written during a turn")
    for _ in range(3):
        place.system.tap.fail("GET", "/v1/runs", times=3, **how)
        assert place.again().one_pass().unsettled >= 1
        place.system.tap.faults.clear()
    turn.finish()
    assert place.again().sync().exit_code == 0

    assert place.history("ada", "journey", "notes") == ["", "written during a turn"]
    assert place.in_letta("ada", "journey")["notes"] == "written during a turn"
    assert place.in_git("ada", "student")["insights"] == "by the agent"
    place.assert_at_rest()


def test_a_commit_made_during_the_pass_is_kept(place: Place) -> None:
    """``main`` moves between the read and our commit: the compare-and-set fails, and the scope starts over."""
    place.agent_learns("ada", "journey", notes="by the agent")
    agent = place.agent_row("ada")["id"]
    place.system.tap.fail(
        "GET",
        f"{agent}/messages",
        before=lambda: place.commit_as("Tess Teacher", "ada", "journey", blockers="meanwhile"),
    )
    assert place.sync().exit_code == 0

    found = place.in_letta("ada", "journey")
    assert (found["notes"], found["blockers"]) == ("by the agent", "meanwhile")
    assert place.log("ada", "%an")[-2:] == ["Tess Teacher", "youlab_ada_essay-lab"]
    place.assert_at_rest()
