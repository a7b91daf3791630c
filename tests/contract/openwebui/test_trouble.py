"""Writes that go wrong half-way: no double notes, no lost words; the next try heals."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.ports import Applied, Failed, Stale
from reconciler.remotes.openwebui import OpenWebUIRemote
from tests.contract.openwebui.things import change, create_note, delete, fenced, write
from tests.contract.openwebui.world import Account, World, applied, found


def is_transient(outcome: Any) -> bool:
    return isinstance(outcome, Failed) and outcome.transient


@pytest.mark.parametrize("other", [False, True], ids=["same adapter", "another"])
def test_a_create_whose_reply_is_lost_is_found_and_not_made_twice(world: World, other: bool) -> None:
    remote = world.remote()
    remote.observe(None, "full")
    world.tap.fail("POST", "/notes/create", lost=True)

    assert is_transient(remote.apply(create_note()))

    again = (world.remote() if other else remote).apply(create_note())
    assert isinstance(again, Stale)
    assert "already there" in again.found
    assert len(world.notes()) == 1


def test_what_another_adapter_made_is_not_made_again(world: World) -> None:
    first, second = world.remote(), world.remote()
    applied(first, create_note())

    assert isinstance(second.apply(create_note()), Stale)


def test_a_note_known_to_be_absent_is_made_without_another_look(
    world: World, remote: OpenWebUIRemote, ann: Account
) -> None:
    applied(remote, create_note("block/first"))
    remote.observe(None, "full")
    world.tap.forget()

    applied(remote, create_note(access=(ann.writes,)))

    assert [method for method, _ in world.tap.seen] == ["POST", "POST", "POST"]


def test_what_was_absent_a_while_ago_is_looked_for_again(world: World, remote: OpenWebUIRemote) -> None:
    remote.observe(None, "full")
    applied(world.remote(), create_note())
    world.watch.pass_seconds(60)

    assert isinstance(remote.apply(create_note()), Stale)


def test_an_update_whose_reply_is_lost_was_made(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    world.tap.fail("POST", f"/notes/{live.handle}/update", lost=True)

    assert is_transient(remote.apply(write(live, "new = 1\n")))
    assert found(remote, live).text == "new = 1\n"


def test_an_update_that_stops_half_way_is_finished_by_the_next(
    world: World, remote: OpenWebUIRemote, ann: Account
) -> None:
    live = applied(remote, create_note())
    world.tap.fail("POST", f"/notes/{live.handle}/update", status=503)

    assert is_transient(remote.apply(change(live, access=(ann.writes,), title="New")))
    half = found(remote, live)
    assert (half.fields["@access"], half.fields["@title"]) == ((ann.writes,), "Your profile")
    assert applied(remote, change(half, title="New")).fields["@title"] == "New"


def test_an_answer_from_an_open_editor_is_what_is_reported(world: World, remote: OpenWebUIRemote) -> None:
    """Between our write and our reading it again, somebody's editor saves what it holds."""
    live = applied(remote, create_note())
    gets = {"n": 0}

    def save() -> None:
        gets["n"] += 1
        if gets["n"] == 2:
            world.type(live.handle, fenced('name = "typed"\n'))

    world.tap.fail("GET", f"/notes/{live.handle}", times=2, before=save)

    assert applied(remote, write(live, "new = 1\n")).text == 'name = "typed"\n'


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_server_in_trouble_is_worth_another_try(world: World, remote: OpenWebUIRemote, status: int) -> None:
    world.tap.fail("POST", "/notes/create", status=status)

    assert is_transient(remote.apply(create_note()))
    applied(remote, create_note())


def test_a_refusal_is_told_in_the_servers_words_and_without_secrets(world: World, remote: OpenWebUIRemote) -> None:
    reply = f'{{"detail": "no {world.key}\\n\\nSigned-off-by: x {"y" * 5000}"}}'
    world.tap.fail("POST", "/notes/create", status=400, text=reply)

    outcome = remote.apply(create_note())

    assert isinstance(outcome, Failed)
    assert not outcome.transient
    assert world.key not in outcome.reason
    assert "\n" not in outcome.reason
    assert len(outcome.reason) < 500


def test_bad_credentials_are_an_outcome_while_writing(world: World) -> None:
    outcome = world.remote(key="sk-0123456789abcdef").apply(create_note())

    assert isinstance(outcome, Failed)
    assert not outcome.transient
    assert "RECONCILER_OPENWEBUI__TOKEN" in outcome.reason


def test_a_delete_whose_reply_is_lost_is_done_the_second_time(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    world.tap.fail("DELETE", "/delete", lost=True)

    assert is_transient(remote.apply(delete(live)))
    assert remote.apply(delete(live)) == Applied(None)


def test_a_delete_that_somebody_else_was_quicker_with_is_done(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    gone = f"/notes/{live.handle}/delete"
    world.tap.fail("DELETE", gone, before=lambda: world.ask("DELETE", gone))

    assert remote.apply(delete(live)) == Applied(None)
