"""Bulk reads: what each depth costs, what it proves, and what it says of what is still being typed."""

from __future__ import annotations

import pytest

from reconciler.errors import Terminal, Transient
from reconciler.ports import Depth, Live, Observation
from reconciler.remotes.openwebui import OpenWebUIRemote
from tests.contract.openwebui.things import (
    ANN,
    BEN,
    COURSE,
    COURSES,
    PROFILE,
    RULES,
    STUDENT,
    create_model,
    create_note,
    fenced,
    md_of,
    write,
)
from tests.contract.openwebui.world import Account, World, applied, found

LONG = 'essay = "' + "word " * 400 + '"\n'
DEPTHS: list[Depth] = ["recent", "values", "full"]


def texts(shown: Observation) -> dict[str, str | None]:
    return {
        f"{scope}:{ref}": live.text
        for scope, refs in shown.seen.items()
        for ref, live in refs.items()
        if isinstance(live, Live) and ref.startswith("block/")
    }


# ---------------------------------------------------------------------- depths


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_first_look_sees_everything_at_any_depth(world: World, remote: OpenWebUIRemote, depth: Depth) -> None:
    applied(remote, create_note(text=LONG))
    applied(remote, create_note(PROFILE, "b = 1\n"))
    applied(remote, create_model())

    shown = world.remote().observe(None, depth)

    assert texts(shown) == {f"{ANN}:{STUDENT}": LONG, f"{ANN}:{PROFILE}": "b = 1\n"}
    assert shown.seen[COURSES].keys() == {COURSE}
    assert shown.complete == {"block", "model"}
    assert shown.warnings == ()


def test_an_empty_server_is_known_to_be_empty(remote: OpenWebUIRemote) -> None:
    for depth in DEPTHS:
        shown = remote.observe(None, depth)
        assert shown.seen == {}
        assert shown.complete >= {"model"}


def test_the_everyday_look_is_two_requests(world: World, remote: OpenWebUIRemote) -> None:
    applied(remote, create_note(text=LONG))
    remote.observe(None, "full")
    world.tap.forget()

    shown = remote.observe(None, "recent")

    assert [path.partition("?")[0] for _, path in world.tap.seen] == ["/api/v1/notes/search", "/api/v1/models/all"]
    assert texts(shown) == {f"{ANN}:{STUDENT}": LONG}
    assert shown.complete == {"model"}


def test_all_values_again_are_two_requests_where_nothing_moved(world: World, remote: OpenWebUIRemote) -> None:
    for n in range(70):
        applied(remote, create_note(f"block/essay/b{n}", f"n = {n}\n"))
    remote.observe(None, "full")
    world.tap.forget()

    shown = remote.observe(None, "values")

    assert [path.partition("?")[0] for _, path in world.tap.seen] == ["/api/v1/notes/", "/api/v1/models/all"]
    assert texts(shown) == {f"{ANN}:block/essay/b{n}": f"n = {n}\n" for n in range(70)}
    assert shown.complete == {"block", "model"}


@pytest.mark.parametrize("depth", DEPTHS)
def test_an_edit_is_seen_at_every_depth(world: World, remote: OpenWebUIRemote, depth: Depth) -> None:
    live = applied(remote, create_note())
    remote.observe(None, "full")
    world.type(live.handle, fenced(LONG))
    world.watch.pass_seconds(5)

    assert texts(remote.observe(None, depth))[f"{ANN}:{STUDENT}"] == LONG


@pytest.mark.parametrize("depth", DEPTHS)
def test_more_edits_than_a_page_holds_are_all_seen(world: World, remote: OpenWebUIRemote, depth: Depth) -> None:
    made = [applied(remote, create_note(f"block/essay/b{n}", "n = 0\n")) for n in range(130)]
    remote.observe(None, "full")
    for live in made[:125]:
        world.type(live.handle, fenced("n = 1\n"))
    world.watch.pass_seconds(60)

    shown = remote.observe(None, depth)

    assert sum(text == "n = 1\n" for text in texts(shown).values()) == 125


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_deleted_note_is_missed_at_every_depth(world: World, remote: OpenWebUIRemote, depth: Depth) -> None:
    live = applied(remote, create_note())
    applied(remote, create_note(PROFILE))
    remote.observe(None, "full")
    world.ask("DELETE", f"/notes/{live.handle}/delete")

    shown = remote.observe(None, depth)

    assert "block" in shown.complete
    assert shown.seen[ANN].keys() == {PROFILE}


def test_a_note_that_seemed_gone_is_seen_again_on_the_same_page(world: World, remote: OpenWebUIRemote) -> None:
    text = 'essay = "' + "word " * 180 + '"\n'
    lives = [applied(remote, create_note(ref, text, scope)) for scope in (ANN, BEN) for ref in (STUDENT, PROFILE)]
    before = remote.observe(None, "full")
    world.tap.fail("GET", f"/notes/{lives[0].handle}", status=404)
    assert remote.reread(lives[:1]) == {lives[0].handle: None}

    assert texts(remote.observe(None, "full")) == texts(before)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_note_made_elsewhere_is_seen_at_every_depth(world: World, remote: OpenWebUIRemote, depth: Depth) -> None:
    remote.observe(None, "full")
    applied(world.remote(), create_note())

    assert texts(remote.observe(None, depth)) == {f"{ANN}:{STUDENT}": 'name = "Ann"\n'}


def test_access_that_changed_is_seen_though_nothing_else_moved(
    world: World, remote: OpenWebUIRemote, ann: Account
) -> None:
    live = applied(remote, create_note(access=(ann.writes,)))
    remote.observe(None, "full")
    world.ask("POST", f"/notes/{live.handle}/access/update", json={"access_grants": []})

    shown = remote.observe(None, "full").seen[ANN][STUDENT]

    assert isinstance(shown, Live)
    assert shown.fields["@access"] == ()


def test_a_scope_is_known_whole_from_the_newest_page(world: World, remote: OpenWebUIRemote) -> None:
    applied(remote, create_note())
    applied(remote, create_note(scope=BEN))
    applied(remote, create_note(RULES, scope=COURSES))
    remote.observe(None, "full")
    world.tap.forget()

    shown = remote.observe([ANN], "values")

    assert shown.seen.keys() == {ANN}
    assert "block" in shown.complete
    assert len(world.tap.seen) == 1
    assert remote.observe([COURSES], "values").seen[COURSES].keys() == {RULES}


def test_who_is_there_is_offered(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    assert ann.id in remote.observe(None, "full").offers["users"]


# ---------------------------------------------------------------------- still being typed


@pytest.mark.parametrize("depth", DEPTHS)
def test_what_is_being_typed_is_held_until_it_is_quiet(world: World, remote: OpenWebUIRemote, depth: Depth) -> None:
    live = applied(remote, create_note())
    remote.observe(None, "full")
    world.type(live.handle, fenced('name = "Ba'))

    shown = remote.observe(None, depth)
    assert shown.held == {ANN: frozenset({STUDENT})}
    assert STUDENT not in shown.seen.get(ANN, {})

    world.type(live.handle, fenced('name = "Bab"\n'))
    world.watch.pass_seconds(2.5)
    assert texts(remote.observe(None, depth)) == {f"{ANN}:{STUDENT}": 'name = "Bab"\n'}
    assert remote.observe(None, depth).held == {}


def test_our_own_writing_is_not_typing(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    applied(remote, write(live, "mine = 1\n"))

    assert world.remote().observe(None, "full").held == {}


def test_a_server_whose_clock_is_ahead_holds_nothing_for_ever(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    world.type(live.handle, fenced("a = 1\n"))
    world.watch.pass_seconds(-3600)

    assert remote.observe(None, "full").held
    world.watch.pass_seconds(2.5)
    assert not remote.observe(None, "full").held


# ---------------------------------------------------------------------- trouble


@pytest.mark.parametrize("status", [500, 503, 429, 408])
@pytest.mark.parametrize("path", ["/notes/search", "/models/all", "/users/all"])
def test_a_server_in_trouble_is_asked_again_later(world: World, path: str, status: int) -> None:
    world.tap.fail("GET", path, status=status)

    with pytest.raises(Transient):
        world.remote().observe(None, "full")


def test_a_cut_connection_is_tried_again_later(world: World, remote: OpenWebUIRemote) -> None:
    world.tap.fail("GET", "/notes/search", refused=True)

    with pytest.raises(Transient, match="cannot be reached"):
        remote.observe(None, "full")
    remote.observe(None, "full")


def test_a_page_instead_of_an_answer_is_no_empty_list(world: World, remote: OpenWebUIRemote) -> None:
    world.tap.fail("GET", "/notes/search", status=200, text="<!doctype html>")

    with pytest.raises(Transient, match="not JSON"):
        remote.observe(None, "full")


def test_a_short_listing_never_looks_like_a_deletion(world: World, remote: OpenWebUIRemote) -> None:
    applied(remote, create_note())
    applied(remote, create_note(PROFILE))
    world.tap.fail("GET", "/notes/search", times=2, spoil=lambda reply: reply | {"items": reply["items"][:1]})

    shown = world.remote().observe(None, "full")

    assert "block" not in shown.complete
    assert any("incomplete" in each for each in shown.warnings)


def test_a_401_with_a_good_key_is_not_about_the_key(world: World, remote: OpenWebUIRemote) -> None:
    world.tap.fail("GET", "/models/all", status=401)

    with pytest.raises(Terminal) as raised:
        remote.observe(None, "full")
    assert "TOKEN" not in str(raised.value)


def test_a_key_that_is_not_accepted_says_what_to_do_and_not_what_it_is(world: World) -> None:
    with pytest.raises(Terminal) as raised:
        world.remote(key="sk-0123456789abcdef").observe(None, "full")

    assert "RECONCILER_OPENWEBUI__TOKEN" in str(raised.value)
    assert "0123456789" not in str(raised.value)


def test_a_key_of_somebody_who_is_no_admin_says_so(world: World, ann: Account) -> None:
    with pytest.raises(Terminal, match="admin"):
        world.remote(key=ann.token).observe(None, "full")


def test_user_status_may_be_switched_off(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    world.tap.fail("GET", "/users/user/status", status=403)

    assert found(world.remote(), live).text == md_of(world.note(live.handle)).split("toml\n")[1].split("```")[0]
