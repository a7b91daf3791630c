"""Blocks: what is written is what is read, by any adapter, and nothing is written over what was not seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.snapshot import Unreadable
from reconciler.desired import NAMED
from reconciler.ports import Action, Applied, Failed, Live, Stale
from reconciler.remotes.letta import LettaRemote
from tests.contract.things import (
    ANN,
    BEN,
    COURSES,
    PROFILE,
    RULES,
    STUDENT,
    block_fields,
    change,
    create_block,
    delete,
    shown_fields,
    write,
)
from tests.contract.world import World, applied

TEXTS = {
    "empty": "",
    "one line": 'name = "Ann"',
    "windows line ends": "a = 1\r\nb = 2\r\n",
    "other scripts": 'name = "Ådne Łuk 李雷 🙂 e\u0301 \u200d"\n',
    "blanks": "\n\n  \t x \n ",
    "quotes": """s = "\\"\\\\ '" \n""",
    "prose": "Ann likes tea.\nShe writes at night.\n",
    "long": "x = 1\n" * 4000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_text_survives_exactly(world: World, remote: LettaRemote, text: str) -> None:
    live = applied(remote, create_block(text=text))

    assert live.text == text
    assert world.remote().observe(None, "full").seen[ANN][STUDENT] == Live(
        STUDENT, live.handle, text, shown_fields(), frozenset()
    )
    assert applied(remote, write(live, text + "y = 2\n")).text == text + "y = 2\n"
    assert world.block(live.handle)["value"] == text + "y = 2\n"


def test_a_text_is_cleared_with_an_empty_one(world: World, remote: LettaRemote) -> None:
    live = applied(remote, create_block())

    assert applied(remote, write(live, "")).text == ""
    assert world.block(live.handle)["value"] == ""


def test_every_scope_and_kind_of_block_is_told_apart_by_its_tags(world: World, remote: LettaRemote) -> None:
    remote.observe(None, "full")
    for action in (
        create_block(STUDENT, "a"),
        create_block(STUDENT, "b", scope=BEN),
        create_block(PROFILE, "c"),
        create_block(RULES, "d", scope=COURSES),
    ):
        applied(remote, action)

    seen = world.remote().observe(None, "values").seen

    texts = {(scope, ref): live.text for scope, refs in seen.items() for ref, live in refs.items() if live}
    assert texts == {(ANN, STUDENT): "a", (BEN, STUDENT): "b", (ANN, PROFILE): "c", (COURSES, RULES): "d"}


def test_settings_drift_is_seen_and_repaired(world: World, remote: LettaRemote) -> None:
    live = applied(remote, create_block())
    world.patch(live.handle, label="other", description="", limit=9, read_only=True)

    (found,) = remote.reread([live]).values()

    assert isinstance(found, Live)
    drifted = {"@label": "other", "@description": "", "@limit": 9, "@read_only": True}
    assert found.fields == {**drifted, NAMED: STUDENT}
    assert applied(remote, change(found, **block_fields())).fields == shown_fields()


def test_a_renamed_block_keeps_its_id_and_is_known_by_its_new_name_alone(world: World, remote: LettaRemote) -> None:
    live, new = applied(remote, create_block()), "block/essay/learner"
    was = replace(live, ref=new)
    named = applied(remote, Action(ANN, new, "update", was, None, {NAMED: new}))

    assert (named.handle, named.ref, named.text, named.fields) == (live.handle, new, live.text, shown_fields(new))
    for each in (remote, world.remote()):
        assert list(each.observe(None, "full").seen[ANN]) == [new]
    assert isinstance(remote.apply(write(live, "an old plan")), Stale)
    assert isinstance(remote.reread([was])[live.handle], Live)


def test_a_block_that_is_another_by_now_is_not_renamed(world: World, remote: LettaRemote) -> None:
    live, new = applied(remote, create_block()), "block/essay/learner"
    applied(remote, Action(ANN, PROFILE, "update", replace(live, ref=PROFILE), None, {NAMED: PROFILE}))
    found = remote.apply(Action(ANN, new, "update", replace(live, ref=new), None, {NAMED: new}))

    assert isinstance(found, Stale)
    assert list(world.remote().observe(None, "full").seen[ANN]) == [PROFILE]


def test_only_what_is_asked_for_is_written(world: World, remote: LettaRemote) -> None:
    live = applied(remote, create_block())
    world.patch(
        live.handle, description="theirs", metadata={"theirs": 1}, tags=[*world.block(live.handle)["tags"], "x"]
    )

    applied(remote, write(live, "new"))

    row = world.block(live.handle)
    assert (row["value"], row["description"], row["metadata"]) == ("new", "theirs", {"theirs": 1})
    assert "x" in row["tags"]


def test_a_text_that_moved_is_not_overwritten(world: World, remote: LettaRemote) -> None:
    live = applied(remote, create_block())
    world.patch(live.handle, value="theirs")

    outcome = remote.apply(write(live, "ours"))

    assert isinstance(outcome, Stale)
    assert world.block(live.handle)["value"] == "theirs"


def test_a_block_that_is_gone_is_stale_to_write_and_done_to_delete(world: World, remote: LettaRemote) -> None:
    live = applied(remote, create_block())
    world.ask("DELETE", f"/v1/blocks/{live.handle}")

    assert remote.reread([live]) == {live.handle: None}
    assert isinstance(remote.apply(write(live, "x")), Stale)
    assert remote.apply(delete(live)) == Applied(None)
    applied(remote, create_block())


def test_a_delete_never_beats_an_edit(world: World, remote: LettaRemote) -> None:
    live = applied(remote, create_block())
    edited = applied(remote, write(live, "edited"))

    assert isinstance(remote.apply(delete(live)), Stale)
    assert remote.apply(delete(edited)) == Applied(None)
    assert remote.observe(None, "full").seen == {}


@pytest.mark.parametrize("text", ["nul \0", "half a pair \ud800", "x" * 1_100_000])
def test_a_text_letta_would_not_hold_is_refused_before_any_write(remote: LettaRemote, world: World, text: str) -> None:
    outcome = remote.apply(create_block(text=text))

    assert isinstance(outcome, Failed)
    assert not outcome.transient
    assert world.tap.writes() == []


def test_a_value_of_three_megabytes_is_unreadable_and_not_empty(world: World, remote: LettaRemote) -> None:
    live = applied(remote, create_block())
    world.patch(live.handle, value="x" * 3_000_000)

    found = remote.observe(None, "full").seen[ANN][STUDENT]

    assert isinstance(found, Unreadable)
    assert "too large" in found.reason


def test_many_are_reread_by_one_listing(world: World, remote: LettaRemote) -> None:
    lives = [applied(remote, create_block(f"block/essay/b{n}", str(n))) for n in range(35)]
    world.ask("DELETE", f"/v1/blocks/{lives[0].handle}")
    world.tap.forget()

    found = remote.reread(lives)

    assert found == {live.handle: live if n else None for n, live in enumerate(lives)}
    assert len(world.tap.seen) == 2
