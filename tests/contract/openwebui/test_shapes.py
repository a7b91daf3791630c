"""Models, marks and grants, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifest.names import NameRefused
from reconciler.remotes.openwebui.grants import access_sent, access_shown, writers
from reconciler.remotes.openwebui.history import in_order
from reconciler.remotes.openwebui.marks import (
    Identity,
    Unclear,
    check_identity,
    model_id,
    model_identity,
    note_identity,
    seal,
)
from reconciler.remotes.openwebui.models import joined, parted
from tests.contract.openwebui.things import WORKSPACE

PROSE = st.text(alphabet="ab \n\xa0\u200b", max_size=12)
SECRET = "hush"


@given(PROSE, PROSE)
def test_description_and_welcome_come_apart_as_they_went_in(description: str, welcome: str) -> None:
    assert parted(joined(description, welcome)) == (description, welcome)


def test_a_person_may_write_two_lines_or_leave_one_blank() -> None:
    assert parted("About it.\nHello!\nAnd more.") == ("About it.", "Hello!\nAnd more.")
    assert parted("About it.\r\nHello!") == ("About it.", "Hello!")
    assert parted("About it.") == ("About it.", "")


# ---------------------------------------------------------------------- who may


def test_to_write_is_to_read_too() -> None:
    sent = access_sent(("user:ann:write", "group:staff:read"))

    assert [each["permission"] for each in sent] == ["read", "write", "read"]
    assert access_shown({"access_grants": sent}) == ("group:staff:read", "user:ann:write")


def test_a_right_to_write_without_reading_is_shown_as_no_right_at_all() -> None:
    row = {"access_grants": [{"principal_type": "user", "principal_id": "ann", "permission": "write"}]}

    assert access_shown(row) == ("user:ann:write-only",)


@pytest.mark.parametrize("wrong", ["ann:write", "user:ann:own", "user::read", "robot:x:read", ""])
def test_access_that_the_server_would_drop_in_silence_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="is no access"):
        access_sent((wrong,))


@pytest.mark.parametrize(
    ("access", "sole"),
    [
        (("user:ann:write",), (["ann"], False)),
        (("group:staff:read", "user:ann:write"), (["ann"], False)),
        (("group:staff:write", "user:ann:write"), (["ann"], True)),
        (("user:*:write",), ([], True)),
        (("user:ann:read",), ([], False)),
    ],
)
def test_who_may_have_written(access: tuple[str, ...], sole: Any) -> None:
    assert writers(access) == sole


# ---------------------------------------------------------------------- whose it is


def row(note: str = "n1", owner: str = "me", **mark: str) -> dict[str, Any]:
    said = {"workspace": WORKSPACE, "scope": "user/ann", "ref": "block/essay/student", **mark}
    return {"id": note, "user_id": owner, "created_at": 10**18, "updated_at": 2 * 10**18, "meta": {"reconciler": said}}


OURS = Identity("user/ann", "block/essay/student")
SEAL = seal(SECRET, WORKSPACE, OURS, "n1")


def test_a_sealed_note_is_ours() -> None:
    assert note_identity(row(seal=SEAL), WORKSPACE, "me", SECRET) == OURS


@pytest.mark.parametrize(
    "forged",
    [
        row(note="n2", seal=SEAL),
        row(seal=SEAL, scope="user/ben"),
        row(seal=SEAL, ref="block/essay/other"),
        row(seal="ü" * 64),
        row(),
        row(seal=SEAL, scope="user/../../etc"),
        row(seal=SEAL, ref="model/essay"),
    ],
    ids=["of another note", "another scope", "another ref", "no seal at all", "unsealed", "outside", "a model"],
)
def test_a_forged_mark_is_not_believed(forged: Any) -> None:
    assert isinstance(note_identity(forged, WORKSPACE, "me", SECRET), Unclear)


@pytest.mark.parametrize("foreign", [row(owner="ann", seal=SEAL), row(workspace="another", seal=SEAL), {"id": "n1"}])
def test_what_others_own_is_not_ours(foreign: Any) -> None:
    assert note_identity(foreign, WORKSPACE, "me", SECRET) is None


def test_nothing_is_ours_while_nobody_knows_who_we_are() -> None:
    assert note_identity(row(owner="", seal=SEAL), WORKSPACE, "", SECRET) is None


@pytest.mark.parametrize("ref", ["model/essay", "model/essay/daily", "model/a-b_c/D"])
def test_a_model_is_known_by_its_id(ref: str) -> None:
    shown = {"id": model_id(WORKSPACE, ref), "user_id": "me", "meta": {}}

    assert model_identity(shown, WORKSPACE, "me") == Identity("courses", ref)
    assert model_identity(shown | {"user_id": "ann"}, WORKSPACE, "me") is None
    assert model_identity(shown | {"meta": {"reconciler": {"workspace": "other"}}}, WORKSPACE, "me") is None


@pytest.mark.parametrize(
    ("scope", "ref"),
    [
        ("user/a/b", "block/x"),
        ("user/", "block/x"),
        ("nobody", "block/x"),
        ("user/ann", "model/essay"),
        ("courses", "agent/essay"),
        ("courses", "block/a/b/c"),
        ("courses", "block/.."),
        ("courses", "block/a b"),
        ("courses", "block"),
    ],
)
def test_a_name_off_the_list_is_refused(scope: str, ref: str) -> None:
    with pytest.raises(NameRefused):
        check_identity(scope, ref)


def test_saves_of_one_second_stand_in_the_order_they_were_made() -> None:
    saves = [{"id": f"v{n}", "parent_id": f"v{n - 1}" if n else None, "created_at": 5 + n // 4} for n in range(6)]

    listed = sorted(saves, key=lambda each: (-each["created_at"], each["id"]))

    assert [each["id"] for each in in_order(listed)] == ["v5", "v4", "v3", "v2", "v1", "v0"]
