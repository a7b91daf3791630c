"""Point 6: refusals, cut lines, a restart, a wiped database, an expired key: a clear word, and then all agree again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from reconciler.core.outcome import ERROR, NEEDS_A_PERSON, Report
from reconciler.policy import Ways
from tests.acceptance.web.conftest import in_sync
from tests.acceptance.web.place import WebPlace
from tests.acceptance.web.systems import Web
from tests.live.webui import grants, model_body

KEY_REFUSED = "does not accept the API key"


def _lived_in(place: WebPlace) -> None:
    """Something on each side that is no default, and in sync."""
    place.commit_as("Tess Teacher", place.ada, "journey", status="drafting")
    place.agent_learns(place.ada, "journey", blockers="from the agent")
    place.edits_note(place.ada, "journey", notes="from the note")
    place.commit_as("Ann Author", "courses", "staff", focus="the last line")
    assert place.sync().exit_code == 0


def _assert_as_lived_in(place: WebPlace, ada: str) -> None:
    wanted = {"status": "drafting", "blockers": "from the agent", "notes": "from the note", "milestones": ()}
    assert place.everywhere(ada, "journey") == [wanted] * 3
    assert place.in_note("courses", "staff")["focus"] == "the last line"
    place.assert_at_rest()


def _errors(report: Report) -> str:
    return " ".join(error.message for error in report.errors)


def _assert_nothing_doubled(place: WebPlace) -> None:
    made = [(row["meta"]["reconciler"]["scope"], row["meta"]["reconciler"]["ref"]) for row in place.our_notes()]
    assert len(made) == len(set(made))


# ------------------------------------------------------------------ refusals that are not about the key


def test_a_taken_model_id_is_no_bad_key_and_stops_only_itself(
    make_place: Callable[..., WebPlace],
) -> None:
    """Open WebUI says it with 401 as well."""
    place = make_place(names=("ada",))
    taken = f"reconciler-{place.workspace.uuid[:8]}-{place.course}"
    other = place.add_account("rita", role="admin")
    place.web.ask("POST", "/models/create", other.token, json=model_body(taken))
    report = place.one_pass(settle_seconds=5.0)

    assert report.exit_code == ERROR
    assert "model/essay-lab" in " ".join(f"{error.where} {error.message}" for error in report.errors)
    assert KEY_REFUSED not in _errors(report)
    assert place.in_note(place.ada, "journey")["status"] == "new"
    place.web.ask("POST", "/models/model/delete", json={"id": taken})
    assert place.sync().exit_code == 0
    place.assert_at_rest()


def test_an_account_that_is_gone_is_reported_and_nothing_of_it_is_deleted(place: WebPlace) -> None:
    """Asked for by its id it answers 400."""
    bob, before = place.bob, place.main_states()
    place.web.ask("DELETE", f"/users/{bob}")
    place.edits_note(place.ada, "journey", notes="others go on")
    report = place.again().sync()

    assert report.exit_code == 0, report
    assert [notice.where for notice in report.warnings if "no account" in notice.message] == [f"user/{bob}"]
    assert place.in_git(place.ada, "journey")["notes"] == "others go on"
    assert {who: log for who, log in place.main_states().items() if who != place.ada} == {
        who: log for who, log in before.items() if who != place.ada
    }
    assert place.in_letta(bob, "journey") == place.in_git(bob, "journey")


# ------------------------------------------------------------------ the line


CUTS: list[tuple[str, str, dict[str, bool]]] = [
    ("GET", "/users/all", {"refused": True}),
    ("GET", "/notes/search", {"refused": True}),
    ("GET", "/models/all", {"refused": True}),
    ("POST", "/notes/create", {"refused": True}),
    ("POST", "/notes/create", {"lost": True}),
    ("POST", "/access/update", {"lost": True}),
    ("POST", "/models/create", {"lost": True}),
    ("POST", "/update", {"lost": True}),
]


@pytest.mark.parametrize(("method", "path", "how"), CUTS)
def test_a_cut_line_in_the_first_apply_doubles_nothing(
    web: Web, make_place: Callable[..., WebPlace], method: str, path: str, how: dict[str, Any]
) -> None:
    if web.is_live and path != "/notes/create":
        pytest.skip("the hardest of them is enough")
    place = make_place(names=("ada",))
    web.tap.fail(method, path, **how)
    report = place.one_pass()
    assert report.exit_code == ERROR
    assert "cannot be reached" in _errors(report) or "disconnected" in _errors(report).lower(), report.errors
    assert KEY_REFUSED not in _errors(report)

    assert place.again().sync().exit_code == 0
    _assert_nothing_doubled(place)
    place.assert_at_rest()


@pytest.mark.parametrize("how", [{"refused": True}, {"lost": True}])
def test_a_cut_line_while_a_note_is_written_loses_neither_side(alone: WebPlace, how: dict[str, Any]) -> None:
    place, ada = alone, alone.ada
    note = place.note_row(ada, "journey")["id"]
    place.commit_as("Tess Teacher", ada, "journey", status="drafting")
    place.web.tap.fail("POST", f"/notes/{note}/update", **how)
    assert place.one_pass().exit_code == ERROR
    place.edits_note(ada, "journey", notes="typed meanwhile")
    assert place.again().sync().exit_code == 0

    assert {(side["status"], side["notes"]) for side in place.everywhere(ada, "journey")} == {
        ("drafting", "typed meanwhile")
    }
    place.assert_at_rest()


def test_letta_goes_on_while_open_webui_is_away(web: Web, make_place: Callable[..., WebPlace]) -> None:
    if web.is_live:
        pytest.skip("the next one restarts it, too")
    place = in_sync(make_place(names=("ada",)))
    ada = place.ada
    place.commit_as("Tess Teacher", ada, "journey", status="drafting")
    place.web.stop()
    try:
        report = place.again().one_pass(settle_seconds=5.0)
    finally:
        place.web.start()

    assert report.exit_code == ERROR
    assert "cannot be reached" in _errors(report)
    assert place.in_letta(ada, "journey")["status"] == "drafting"
    assert place.again().sync().exit_code == 0
    assert place.in_note(ada, "journey")["status"] == "drafting"
    place.assert_at_rest()


def test_a_restart_in_the_middle_of_a_pass_is_made_good_by_the_next(make_place: Callable[..., WebPlace]) -> None:
    place = make_place(names=("ada",))
    place.web.tap.fail("POST", "/notes/create", before=lambda: None)  # the first is made, the second never
    place.web.tap.fail("POST", "/notes/create", before=place.web.stop)
    report = place.one_pass()
    place.web.tap.faults.clear()
    assert report.exit_code == ERROR, report
    place.web.start()

    place.offer_base_model()
    assert place.again().sync().exit_code == 0
    _assert_nothing_doubled(place)
    place.assert_at_rest()


# ------------------------------------------------------------------ a wiped database


def test_a_wiped_open_webui_halts_first_and_is_made_again_from_git(alone: WebPlace) -> None:
    place, ada = alone, alone.ada
    _lived_in(place)
    place.web.wipe()
    place.offer_base_model()
    _assert_halts(place)

    place.add_account("ada")  # she signs up again, with the same address
    place.add_account("cleo")  # and somebody new
    _assert_halts(place)
    assert place.learners() == [ada], "of an accident no learner is made"

    place.web.ask("DELETE", f"/users/{place.people['cleo'].id}")
    assert place.again().sync(Ways(recreate=True)).exit_code == 0
    assert "reconciler|Take open_webui_id from Open WebUI" in place.log(ada)
    assert place.learners() == [ada], "the same learner, with another account"
    access = [("user", place.ada, "read"), ("user", place.ada, "write")]
    assert [each for each in grants(place.note_row(ada, "journey")) if each[0] == "user"] == access
    _assert_as_lived_in(place, ada)
    deleted = place.git(ada, "log", "--diff-filter=D", "--format=%s", "main")
    assert deleted == "", "nothing was deleted from git"


def test_a_wiped_open_webui_without_accounts_is_made_again_too(web: Web, make_place: Callable[..., WebPlace]) -> None:
    """Whoever is to read the notes can come later."""
    if web.is_live:
        pytest.skip("the one above is the harder one")
    place = in_sync(make_place(names=("ada",)))
    ada = place.ada
    _lived_in(place)
    place.web.wipe()
    place.offer_base_model()
    _assert_halts(place)
    report = place.again().sync(Ways(recreate=True))

    assert report.exit_code == 0, report
    assert [notice.where for notice in report.warnings if "no account" in notice.message] == [f"user/{ada}"]
    _assert_as_lived_in(place, ada)


def _assert_halts(place: WebPlace) -> None:
    before = _but_state(place)
    for report in (place.plan(), place.again().one_pass()):
        assert (report.exit_code, report.writes) == (NEEDS_A_PERSON, 0), report
        said = " ".join(halt.reason for halt in report.halts)
        assert "missing" in said, said
        assert "--recreate" in said
    assert _but_state(place) == before


def _but_state(place: WebPlace) -> Mapping[str, Any]:
    return {"main": place.main_states(), "web": place.web.everything(), "letta": place.system.everything()}


# ------------------------------------------------------------------ an expired key


@pytest.fixture
def rotating(web: Web) -> Iterator[Web]:
    yield web
    web.give_key(web.server.admin_key)


def test_an_expired_key_is_said_clearly_and_a_new_one_brings_everything_together(
    rotating: Web, make_place: Callable[..., WebPlace]
) -> None:
    place = in_sync(make_place(names=("ada",)))
    old, key = rotating.server.admin_key, rotating.new_key()
    place.edits_note(place.ada, "journey", note_id=_journey(place, key), notes="typed meanwhile")
    place.commit_as("Tess Teacher", place.ada, "journey", status="drafting")
    before = place.heads()
    report = place.again().one_pass(settle_seconds=5.0)

    assert report.exit_code == ERROR
    assert KEY_REFUSED in _errors(report)
    assert "RECONCILER_OPENWEBUI__TOKEN" in _errors(report)
    assert old not in str(report)
    assert place.heads() == before
    assert place.in_letta(place.ada, "journey")["status"] == "drafting", "Letta goes on"

    place.key = rotating.server.admin_key = key
    try:
        assert place.again().sync().exit_code == 0
        assert {(side["status"], side["notes"]) for side in place.everywhere(place.ada, "journey")} == {
            ("drafting", "typed meanwhile")
        }
        place.assert_at_rest()
    finally:
        rotating.server.admin_key = old


def _journey(place: WebPlace, key: str) -> str:
    old, place.web.server.admin_key = place.web.server.admin_key, key
    try:
        return str(place.note_row(place.ada, "journey")["id"])
    finally:
        place.web.server.admin_key = old
