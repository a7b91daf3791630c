"""Reads: what each depth shows and proves, at what number of requests, and what is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.snapshot import Unreadable
from reconciler.errors import Terminal, Transient
from reconciler.ports import Live
from reconciler.remotes.letta import LettaRemote
from tests.contract.things import (
    AGENT,
    ANN,
    BEN,
    COURSES,
    RULES,
    STUDENT,
    WORKSPACE,
    create_agent,
    create_block,
)
from tests.contract.world import World, applied

OURS = ["reconciler", f"workspace:{WORKSPACE}"]


@pytest.fixture
def two(remote: LettaRemote) -> dict[str, Live]:
    """Two learners with a shared block, and an adapter that made them."""
    shared = applied(remote, create_block(RULES, "r", scope=COURSES))
    made = {"shared": shared}
    for scope, name in ((ANN, "ann"), (BEN, "ben")):
        made[f"{name}-block"] = applied(remote, create_block(scope=scope, text=name))
        made[name] = applied(remote, create_agent(scope, blocks=(RULES, STUDENT)))
    return made


def texts(seen: Any) -> set[tuple[str, str, str | None]]:
    return {(scope, ref, live.text) for scope, refs in seen.items() for ref, live in refs.items()}


EVERYTHING = {
    (COURSES, RULES, "r"),
    (ANN, STUDENT, "ann"),
    (BEN, STUDENT, "ben"),
    (ANN, AGENT, None),
    (BEN, AGENT, None),
}


@pytest.mark.parametrize("depth", ["full", "values", "recent"])
@pytest.mark.usefixtures("two")
def test_every_depth_shows_what_is_there_to_an_adapter_that_knows_nothing(world: World, depth: Any) -> None:
    found = world.remote().observe(None, depth)

    assert texts(found.seen) == EVERYTHING
    assert found.complete == {"full": {"agent", "block"}, "values": {"block"}, "recent": set()}[depth]
    assert found.warnings == ()
    assert found.unmanaged == 0


@pytest.mark.usefixtures("two")
def test_the_number_of_requests_does_not_grow_with_the_number_of_things(world: World, remote: LettaRemote) -> None:
    remote.observe(None, "full")
    counted: dict[str, int] = {}
    for name, scopes, depth in (
        ("full", None, "full"),
        ("values", None, "values"),
        ("recent", None, "recent"),
        ("scoped", [COURSES, ANN], "full"),
    ):
        world.tap.forget()
        remote.observe(scopes, depth)
        counted[name] = len(world.tap.seen)
    world.tap.forget()
    remote.active_runs()
    counted["runs"] = len(world.tap.seen)

    assert counted == {"full": 6, "values": 4, "recent": 2, "scoped": 2, "runs": 1}
    assert world.tap.writes() == []


def test_a_scoped_read_shows_its_scopes_and_who_holds_what(world: World, two: dict[str, Live]) -> None:
    found = world.remote().observe([ANN, COURSES], "recent")

    assert texts(found.seen) >= {(COURSES, RULES, "r"), (ANN, STUDENT, "ann"), (ANN, AGENT, None)}
    assert found.complete == {"agent", "block"}
    block, shared = found.seen[ANN][STUDENT], found.seen[COURSES][RULES]
    assert isinstance(block, Live)
    assert block.holders == {two["ann"].handle}
    assert isinstance(shared, Live)
    assert shared.holders is None, "the agents of other learners were not read"
    assert found.seen[ANN][AGENT] == two["ann"]


def test_an_agent_that_has_not_moved_is_not_read_again_for_its_scope(
    world: World, remote: LettaRemote, two: dict[str, Live]
) -> None:
    whole = remote.observe([ANN, COURSES], "full")
    world.tap.forget()
    assert remote.observe([ANN, COURSES], "recent") == whole
    assert len(world.tap.seen) == 2

    world.patch(two["ann"].handle, system="Somebody's own.")
    moved = remote.observe([ANN, COURSES], "recent").seen[ANN][AGENT]
    assert isinstance(moved, Live)
    assert moved.fields["system"] == "Somebody's own."

    agent, block = two["ann"].handle, two["ann-block"].handle
    world.ask("PATCH", f"/v1/agents/{agent}/core-memory/blocks/detach/{block}")
    alone = remote.observe([ANN, COURSES], "recent").seen[ANN][AGENT]
    assert isinstance(alone, Live)
    assert alone.fields["blocks"] == (RULES,)

    world.ask("DELETE", f"/v1/agents/{agent}")
    assert AGENT not in remote.observe([ANN, COURSES], "recent").seen.get(ANN, {})


def test_a_scoped_read_of_one_who_has_nothing_is_complete_and_empty(world: World, two: dict[str, Live]) -> None:
    found = world.remote().observe(["user/nobody"], "full")

    assert found.complete == {"agent", "block"}
    assert found.seen.get("user/nobody", {}) == {}


def test_a_listing_of_many_pages_misses_nothing(world: World, remote: LettaRemote) -> None:
    for n in range(7):
        applied(remote, create_block(f"block/essay/b{n}", str(n)))
    wanted = {f"block/essay/b{n}" for n in range(7)}

    from reconciler.remotes.letta import read

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "BLOCKS_A_PAGE", 3)
        world.tap.forget()
        found = world.remote().observe(None, "values")

    assert set(found.seen[ANN]) == wanted
    assert len([path for path in world.tap.asked("GET") if path.startswith("/v1/blocks/?")]) == 3


def test_a_deleted_agent_is_noticed_at_the_everyday_depth(world: World, remote: LettaRemote, two: Any) -> None:
    remote.observe(None, "full")
    world.ask("DELETE", f"/v1/agents/{two['ann'].handle}")

    found = remote.observe(None, "recent")

    assert found.complete == {"agent"}
    assert AGENT not in found.seen.get(ANN, {})
    assert remote.observe(None, "recent").complete == set()


def test_a_turn_or_a_patch_brings_an_agent_to_the_newest(world: World, remote: LettaRemote, two: Any) -> None:
    remote.observe(None, "full")
    world.agent_calls(two["ann"].handle, "core_memory_append", {"label": "student", "content": "Has a dog."})

    found = remote.observe(None, "recent").seen[ANN][STUDENT]

    assert isinstance(found, Live)
    assert found.text == "ann\nHas a dog."
    assert found.holders == {two["ann"].handle}


# ---------------------------------------------------------------------------- what is not ours, and what is odd


def test_things_of_others_are_counted_and_left_alone(world: World, remote: LettaRemote, two: Any) -> None:
    for tags in ([], ["reconciler"], ["reconciler", "workspace:another", "user:ann", "course:essay", "block:student"]):
        world.ask("POST", "/v1/blocks/", json={"label": "x", "value": "v", "tags": tags})

    found = remote.observe(None, "full")

    assert texts(found.seen) == EVERYTHING
    assert found.unmanaged == 3
    assert found.warnings == ()
    other = world.remote("another").observe(None, "full")
    assert texts(other.seen) == {(ANN, STUDENT, "v")}


HOSTILE = ["user:../../etc", "user:-rf", "user:a\nb", "user:" + "x" * 300, "user:李雷", "user:", "user:a/b"]


@pytest.mark.parametrize("tag", HOSTILE)
def test_a_tag_that_cannot_be_a_name_makes_a_thing_nobodys(world: World, remote: LettaRemote, tag: str) -> None:
    made = world.ask(
        "POST", "/v1/blocks/", json={"label": "x", "value": "v", "tags": [*OURS, tag, "course:c", "block:b"]}
    )

    found = remote.observe(None, "full")

    assert ANN not in found.seen
    if found.seen:  # an empty user tag is no tag: the block reads as a shared one
        assert tag == "user:"
        return
    assert found.unmanaged == 1
    (warning,) = found.warnings
    assert made["id"] in warning
    assert "\n" not in warning


def test_of_two_things_with_the_same_marks_the_older_counts(world: World, remote: LettaRemote) -> None:
    tags = [*OURS, "user:ann", "course:essay", "block:student"]
    ids = [
        world.ask("POST", "/v1/blocks/", json={"label": "student", "value": value, "tags": tags})["id"]
        for value in ("older", "newer")
    ]

    found = remote.observe(None, "full")

    assert texts(found.seen) == {(ANN, STUDENT, "older")}
    (warning,) = found.warnings
    assert all(each in warning for each in ids)


def test_a_damaged_entry_is_unreadable_and_neither_absent_nor_empty(
    world: World, remote: LettaRemote, two: Any
) -> None:
    def spoil(rows: Any) -> Any:
        for row in rows:
            if row["id"] in (two["ann-block"].handle, two["ann"].handle):
                row.update({"value": None, "system": None})
        return rows

    world.tap.fail("GET", "/v1/blocks", spoil=spoil)
    world.tap.fail("GET", "/v1/agents", spoil=spoil)

    seen = remote.observe(None, "full").seen

    assert isinstance(seen[ANN][STUDENT], Unreadable)
    assert isinstance(seen[ANN][AGENT], Unreadable)
    assert isinstance(seen[BEN][STUDENT], Live)


# ---------------------------------------------------------------------------- when reading goes wrong


@pytest.mark.parametrize("kind", ["agent", "block"])
def test_a_listing_short_once_is_read_again(world: World, remote: LettaRemote, two: Any, kind: str) -> None:
    world.tap.fail("GET", f"/v1/{kind}s", spoil=lambda rows: rows[:1])

    found = remote.observe(None, "full")

    assert texts(found.seen) == EVERYTHING
    assert found.complete == {"agent", "block"}


@pytest.mark.parametrize("kind", ["agent", "block"])
@pytest.mark.parametrize("scopes", [None, [ANN, COURSES]])
def test_a_listing_that_stays_short_never_looks_like_a_deletion(
    world: World, remote: LettaRemote, two: Any, kind: str, scopes: Any
) -> None:
    world.tap.fail("GET", f"/v1/{kind}s", spoil=lambda rows: rows[1:] if len(rows) < 3 else rows[2:], times=9)

    found = remote.observe(scopes, "full")

    assert found.complete == {"agent", "block"} - {kind}
    assert any("incomplete" in warning for warning in found.warnings)


def test_a_cursor_that_restarts_is_not_walked_forever(world: World, remote: LettaRemote) -> None:
    for n in range(5):
        applied(remote, create_block(f"block/essay/b{n}", str(n)))

    from reconciler.remotes.letta import read

    first: list[Any] = []

    def again(rows: Any) -> Any:
        first.extend(rows if not first else [])
        return first

    world.tap.fail("GET", "/v1/blocks", spoil=again, times=9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "BLOCKS_A_PAGE", 2)
        with pytest.raises(Transient, match="again from its start"):
            world.remote().observe(None, "values")


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_in_trouble_is_worth_another_try(world: World, remote: LettaRemote, status: int) -> None:
    world.tap.fail("GET", "/v1/blocks", status=status)

    with pytest.raises(Transient, match=str(status)):
        remote.observe(None, "full")
    remote.observe(None, "full")


def test_a_cut_connection_is_worth_another_try(world: World, remote: LettaRemote) -> None:
    world.tap.fail("GET", "/v1/blocks", refused=True)

    with pytest.raises(Transient):
        remote.observe(None, "full")


def test_an_answer_that_is_not_json_is_worth_another_try(world: World, remote: LettaRemote) -> None:
    world.tap.fail("GET", "/v1/blocks", status=200, text="<html>")

    with pytest.raises(Transient, match="not JSON"):
        remote.observe(None, "full")


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_need_a_person_and_never_show_the_token(world: World, status: int) -> None:
    world.tap.fail("GET", "/v1/blocks", status=status, text='{"detail": "no: hush-hush-token"}')

    with pytest.raises(Terminal, match="RECONCILER_LETTA__TOKEN") as caught:
        world.remote(token="hush-hush-token").observe(None, "full")
    assert "hush" not in str(caught.value)


def test_the_models_providers_trouble_is_not_taken_for_ours(world: World, remote: LettaRemote) -> None:
    reply = '{"error": {"type": "llm_authentication", "message": "Incorrect API key provided: sk-abcdef123456"}}'
    world.tap.fail("GET", "/v1/blocks", status=401, text=reply)

    with pytest.raises(Terminal, match="model provider") as caught:
        remote.observe(None, "full")
    assert "sk-abc" not in str(caught.value)


def test_offers_that_cannot_be_read_are_left_out_and_asked_for_again(world: World, remote: LettaRemote) -> None:
    world.tap.fail("GET", "/v1/tools", status=500)

    found = remote.observe(None, "recent")

    assert set(found.offers) == {"models", "embeddings"}
    assert len(found.warnings) == 1
    assert set(remote.observe(None, "recent").offers) == {"models", "embeddings", "tools"}


def test_offers_are_asked_for_once_a_minute(world: World, remote: LettaRemote) -> None:
    def asked() -> int:
        world.tap.forget()
        remote.observe(None, "recent")
        return len([path for path in world.tap.asked("GET") if "/tools" in path or "/models" in path])

    assert (asked(), asked()) == (3, 0)
    world.watch.pass_seconds(61)
    assert asked() == 3


# ---------------------------------------------------------------------------- runs


def test_active_runs_are_those_that_have_not_ended(world: World, remote: LettaRemote, two: Any) -> None:
    assert remote.active_runs() == []

    end = world.begin_turn(two["ann"].handle)
    (run,) = remote.active_runs()
    end()

    assert run.agent == two["ann"].handle
    assert run.started.utcoffset() is not None
    assert abs((run.started - world.watch.now()).total_seconds()) < 120
    assert remote.active_runs() == []
