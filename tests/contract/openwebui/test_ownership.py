"""Whose a note is: only what the service account owns and has sealed is ours, whatever a note says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.ports import Live, Stale
from reconciler.remotes.openwebui import OpenWebUIRemote
from tests.contract.openwebui.things import ANN, BEN, STUDENT, change, create_note, delete, fenced, md_of, write
from tests.contract.openwebui.world import Account, World, applied, found


def claim(world: World, handle: str, who: Account | None, **mark: Any) -> None:
    """Somebody who may write to a note says that it is another."""
    meta = world.note(handle)["meta"]["reconciler"] | mark
    world.ask("POST", f"/notes/{handle}/update", who, json={"meta": {"reconciler": meta}})


def test_a_forged_mark_in_a_users_own_note_is_nothing(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    ours = applied(remote, create_note(scope=BEN))
    mark = world.note(ours.handle)["meta"]
    theirs = world.make_note(fenced("x = 1\n"), ann, meta=mark)

    seen = world.remote().observe(None, "full").seen

    assert seen.keys() == {BEN}
    assert isinstance(remote.apply(write(Live(STUDENT, theirs["id"], "x = 1\n"), "y", BEN)), Stale)
    assert md_of(world.note(theirs["id"])) == fenced("x = 1\n")


def test_a_student_cannot_make_their_note_another_learners(
    world: World, remote: OpenWebUIRemote, ann: Account, ben: Account
) -> None:
    anns = applied(remote, create_note(access=(ann.writes,)))
    bens = applied(remote, create_note(scope=BEN, text="secret = 1\n", access=(ben.writes,)))
    claim(world, anns.handle, ann, scope=BEN)

    fresh = world.remote()
    shown = fresh.observe(None, "full")

    assert shown.seen.keys() == {BEN}
    assert any(anns.handle in each for each in shown.warnings)
    outcome = fresh.apply(write(Live(STUDENT, anns.handle, 'name = "Ann"\n'), "secret = 2\n", BEN))
    assert isinstance(outcome, Stale)
    assert applied(fresh, write(found(fresh, bens), "secret = 2\n", BEN)).handle == bens.handle
    assert "secret" not in md_of(world.note(anns.handle))


def test_a_seal_is_of_no_use_on_another_note(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    anns = applied(remote, create_note(access=(ann.writes,)))
    bens = applied(remote, create_note(scope=BEN))
    claim(world, anns.handle, ann, **world.note(bens.handle)["meta"]["reconciler"])

    seen = world.remote().observe(None, "full").seen

    assert isinstance(live := seen[BEN][STUDENT], Live)
    assert live.handle == bens.handle
    assert ANN not in seen


def test_a_note_known_by_its_id_stays_what_it_was_and_is_mended(
    world: World, remote: OpenWebUIRemote, ann: Account
) -> None:
    anns = applied(remote, create_note(access=(ann.writes,)))
    claim(world, anns.handle, ann, scope=BEN)

    applied(remote, write(found(remote, anns), "mended = 1\n"))

    shown = world.remote().observe(None, "full")
    assert shown.seen.keys() == {ANN}
    assert shown.warnings == ()


def test_what_is_foreign_is_counted_and_left_alone(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    applied(remote, create_note())
    world.make_note("a note of the service account's own")
    world.make_note("another", meta={"reconciler": {"workspace": "another", "scope": ANN, "ref": STUDENT}})
    world.make_note("somebody's", ann)

    shown = world.remote().observe(None, "full")

    assert shown.seen.keys() == {ANN}
    assert shown.unmanaged == 2
    assert shown.warnings == ()


def test_another_workspace_sees_nothing_of_ours(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    other = world.remote(workspace="11111111-other")

    assert other.observe(None, "full").seen == {}
    assert isinstance(other.apply(write(live, "x")), Stale)
    assert isinstance(other.apply(delete(live)), Stale)
    theirs = applied(other, create_note())
    assert theirs.handle != live.handle
    assert found(world.remote(), live).text == live.text


def test_a_dry_look_writes_nothing(world: World) -> None:
    for depth in ("recent", "values", "full"):
        world.remote().observe(None, depth)

    assert world.tap.writes() == []


@pytest.mark.parametrize("step", ["/update", "/access/update"])
def test_a_create_cut_short_is_found_and_finished(world: World, ann: Account, step: str) -> None:
    first = world.remote()  # has the account's secret made, whose address ends like a note's
    first.apply(delete(applied(first, create_note())))
    action = create_note(access=(ann.writes,))
    world.tap.fail("POST", step, refused=True)
    assert not isinstance(world.remote().apply(action), Stale)

    fresh = world.remote()
    live = fresh.observe(None, "full").seen[ANN][STUDENT]
    assert isinstance(live, Live)
    assert live.fields["@access"] == ()
    assert isinstance(fresh.apply(action), Stale)
    applied(fresh, change(live, access=(ann.writes,)))

    world.type(live.handle, fenced("a = 1\n"), ann)
    world.watch.pass_seconds(5)
    again = world.remote().observe(None, "full")
    assert isinstance(seen := again.seen[ANN][STUDENT], Live)
    assert (seen.handle, seen.text) == (live.handle, "a = 1\n")
    assert len(world.notes()) == 1
