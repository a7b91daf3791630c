"""Writes that go wrong half-way: no double things, no orphans, no lost words; the next try heals."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.ports import Action, Applied, Failed, Live, Stale
from reconciler.remotes.letta import LettaRemote
from tests.contract.things import AGENT, ANN, STUDENT, change, create_agent, create_block, delete, write
from tests.contract.world import World, applied


def is_transient(outcome: Any) -> bool:
    return isinstance(outcome, Failed) and outcome.transient


def rows(world: World, kind: str) -> list[Any]:
    return world.ask("GET", f"/v1/{kind}s/", params={"limit": 100})


@pytest.mark.parametrize("action", [create_block(), create_agent(blocks=())], ids=["block", "agent"])
@pytest.mark.parametrize("other", [False, True], ids=["same adapter", "another"])
def test_a_create_whose_reply_is_lost_is_found_and_not_made_twice(world: World, action: Action, other: bool) -> None:
    kind = action.ref.partition("/")[0]
    remote = world.remote()
    remote.observe(None, "full")
    world.tap.fail("POST", f"/v1/{kind}s", lost=True)

    assert is_transient(remote.apply(action))

    again = (world.remote() if other else remote).apply(action)
    assert isinstance(again, Stale)
    assert "already there" in again.found
    assert len(rows(world, kind)) == 1
    assert set(remote.observe(None, "full").seen[ANN]) == {action.ref}


def test_what_another_adapter_made_is_not_made_again(world: World) -> None:
    first, second = world.remote(), world.remote()
    applied(first, create_block())

    assert isinstance(second.apply(create_block()), Stale)


def test_a_thing_known_to_be_absent_is_created_in_one_request(world: World, remote: LettaRemote) -> None:
    remote.observe(None, "full")
    world.tap.forget()

    applied(remote, create_block())
    applied(remote, create_agent())

    assert [method for method, _ in world.tap.seen] == ["POST", "POST"]


def test_what_was_absent_a_while_ago_is_looked_for_again(world: World, remote: LettaRemote) -> None:
    remote.observe(None, "full")
    applied(world.remote(), create_block())
    world.watch.pass_seconds(60)

    assert isinstance(remote.apply(create_block()), Stale)


def test_an_update_whose_reply_is_lost_was_made(world: World, remote: LettaRemote) -> None:
    live = applied(remote, create_block())
    world.tap.fail("PATCH", f"/v1/blocks/{live.handle}", lost=True)

    assert is_transient(remote.apply(write(live, "new")))
    found = remote.reread([live])[live.handle]
    assert isinstance(found, Live)
    assert found.text == "new"


def test_a_conflict_of_two_writers_is_worth_another_try(world: World, remote: LettaRemote) -> None:
    live = applied(remote, create_block())
    world.tap.fail("PATCH", f"/v1/blocks/{live.handle}", status=409)

    assert is_transient(remote.apply(write(live, "new")))
    assert applied(remote, write(live, "new")).text == "new"


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_server_in_trouble_is_worth_another_try(world: World, remote: LettaRemote, status: int) -> None:
    world.tap.fail("POST", "/v1/blocks", status=status)

    assert is_transient(remote.apply(create_block()))
    applied(remote, create_block())


def test_a_refusal_is_told_in_the_servers_words_and_without_secrets(world: World) -> None:
    remote = world.remote(token="hush-hush-token")
    reply = '{"detail": "no hush-hush-token\\n\\nSigned-off-by: x ' + "y" * 5000 + '"}'
    world.tap.fail("POST", "/v1/blocks", status=400, text=reply)

    outcome = remote.apply(create_block())

    assert isinstance(outcome, Failed)
    assert not outcome.transient
    assert "hush" not in outcome.reason
    assert "\n" not in outcome.reason
    assert len(outcome.reason) < 400


def test_bad_credentials_are_an_outcome_while_writing(world: World, remote: LettaRemote) -> None:
    world.tap.fail("POST", "/v1/blocks", status=401)

    outcome = remote.apply(create_block())

    assert isinstance(outcome, Failed)
    assert not outcome.transient
    assert "RECONCILER_LETTA__TOKEN" in outcome.reason


def test_a_delete_whose_reply_is_lost_is_done_the_second_time(world: World, remote: LettaRemote) -> None:
    live = applied(remote, create_block())
    world.tap.fail("DELETE", f"/v1/blocks/{live.handle}", lost=True)

    assert is_transient(remote.apply(delete(live)))
    assert remote.apply(delete(live)) == Applied(None)


def test_a_delete_that_somebody_else_was_quicker_with_is_done(world: World, remote: LettaRemote) -> None:
    live = applied(remote, create_block())
    gone = f"/v1/blocks/{live.handle}"
    world.tap.fail("DELETE", gone, before=lambda: world.ask("DELETE", gone))

    assert remote.apply(delete(live)) == Applied(None)


def test_a_block_that_vanished_before_its_agent_was_made_is_said(world: World, remote: LettaRemote) -> None:
    block = applied(remote, create_block())
    world.ask("DELETE", f"/v1/blocks/{block.handle}")

    outcome = remote.apply(create_agent())

    assert is_transient(outcome)
    again = applied(remote, create_block())
    found = remote.observe(None, "full").seen[ANN][AGENT]
    assert isinstance(found, Live)
    assert found.fields["blocks"] == ()
    healed = applied(remote, change(found, blocks=(STUDENT,)))
    assert healed.fields["blocks"] == (STUDENT,)
    assert [each["id"] for each in world.agent(found.handle)["blocks"]] == [again.handle]


@pytest.mark.parametrize("step", ["/attach", "/recompile", "PATCH"])
def test_an_update_that_stops_half_way_is_finished_by_the_next(world: World, remote: LettaRemote, step: str) -> None:
    applied(remote, create_block())
    applied(remote, create_block("block/profile", "p"))
    agent = applied(remote, create_agent())
    wanted = create_agent(system="New.", blocks=(STUDENT, "block/profile")).fields
    profile = next(row["id"] for row in rows(world, "block") if row["value"] == "p")
    faults = {
        "/attach": ("PATCH", f"/attach/{profile}"),
        "/recompile": ("POST", "/recompile"),
        "PATCH": ("PATCH", f"/v1/agents/{agent.handle}"),
    }
    method, path = faults[step]
    world.tap.fail(method, path, lost=True)

    def differing(live: Live) -> dict[str, Any]:
        return {name: value for name, value in wanted.items() if live.fields[name] != value}

    assert is_transient(remote.apply(change(agent, **differing(agent))))

    found = world.remote().observe(None, "full").seen[ANN][AGENT]
    assert isinstance(found, Live)
    assert differing(found)
    assert applied(remote, change(found, **differing(found))).fields == wanted
    assert world.prompt(agent.handle).startswith("New.")


def test_marks_taken_off_a_block_are_put_back_with_the_next_write(world: World, remote: LettaRemote) -> None:
    live = applied(remote, create_block())
    tags = world.block(live.handle)["tags"]
    world.patch(live.handle, tags=["theirs"])

    (found,) = remote.reread([live]).values()
    assert found == live
    applied(remote, write(live, "new"))

    assert set(world.block(live.handle)["tags"]) == {*tags, "theirs"}
