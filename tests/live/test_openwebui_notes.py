"""What the Open WebUI adapter relies on: notes as the editing surface of a memory block."""

from typing import Any

import pytest

from tests.live import webui
from tests.live.openwebui_api import WebUI
from tests.live.webui import V1, Person, grant, grants, text, titles

MD = 'Help.\n\n```toml\na = 1\nname = "x"\n```\n'


@pytest.fixture
def ann(either: WebUI) -> Person:
    return webui.person(either, "ann")


@pytest.fixture
def bob(either: WebUI) -> Person:
    return webui.person(either, "bob")


def edits(server: WebUI, note_id: str, token: str) -> list[int]:
    """The statuses of reading, writing, sharing and deleting the note."""
    path = f"{V1}/notes/{note_id}"
    return [
        server.call("GET", path, token).status_code,
        server.call("POST", f"{path}/update", token, json={"title": "t"}).status_code,
        server.call("POST", f"{path}/access/update", token, json={"access_grants": [grant("read", "*")]}).status_code,
        server.call("DELETE", f"{path}/delete", token).status_code,
    ]


def test_a_note_keeps_what_it_was_created_with(either: WebUI, ann: Person) -> None:
    meta = {"reconciler": {"workspace": "w", "ref": "block/c/student"}}
    made = webui.note(either, MD, webui.writer(ann), meta=meta)
    got = webui.get_note(either, made["id"])

    assert (got["title"], got["data"], got["meta"]) == ("n", {"content": {"md": MD}}, meta)
    assert grants(got) == [("user", ann.id, "read"), ("user", ann.id, "write")]
    assert got["user_id"] == either.admin.id
    assert len(str(got["updated_at"])) == 19, "nanoseconds"


def test_write_alone_cannot_read(either: WebUI, ann: Person) -> None:
    blind = webui.note(either, MD, [grant("write", ann.id)])["id"]
    seen = webui.note(either, MD, webui.writer(ann))["id"]

    listed = either.request("GET", f"{V1}/notes/", ann.token)
    assert [row["id"] for row in listed] == [seen]
    assert edits(either, blind, ann.token)[:2] == [403, 200]
    assert edits(either, seen, ann.token)[:2] == [200, 200]


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ([], [403, 403, 403, 403]),
        (["read"], [200, 403, 403, 403]),
        (["read", "write"], [200, 200, 403, 200]),
    ],
    ids=["stranger", "reader", "writer"],
)
def test_what_a_grant_allows(either: WebUI, ann: Person, permissions: list[str], expected: list[int]) -> None:
    made = webui.note(either, MD, [grant(permission, ann.id) for permission in permissions])

    assert edits(either, made["id"], ann.token) == expected


def test_a_group_reads_what_it_is_granted(either: WebUI, bob: Person) -> None:
    group = either.request("POST", f"{V1}/groups/create", json={"name": "staff", "description": ""})["id"]
    made = webui.note(either, MD, [grant("read", group, "group")])["id"]
    before = either.call("GET", f"{V1}/notes/{made}", bob.token).status_code
    either.request("POST", f"{V1}/groups/id/{group}/users/add", json={"user_ids": [bob.id]})

    assert (before, either.call("GET", f"{V1}/notes/{made}", bob.token).status_code) == (403, 200)


def test_new_grants_replace_the_old_and_leave_the_time(either: WebUI, ann: Person) -> None:
    made = webui.note(either, MD, webui.writer(ann))
    body = {"access_grants": [grant("read", ann.id)]}
    changed = either.request("POST", f"{V1}/notes/{made['id']}/access/update", json=body)

    assert grants(changed) == [("user", ann.id, "read")]
    assert changed["updated_at"] == made["updated_at"]


def test_data_and_meta_merge_at_their_top_level_only(either: WebUI) -> None:
    made = webui.note(either, MD, meta={"a": {"x": 1}, "b": 1})["id"]
    webui.set_note(either, made, data={"content": {"md": "1", "html": "<p>", "json": None}, "own": 1})
    got = webui.set_note(either, made, data={"content": {"md": "2"}}, meta={"a": {"y": 2}})

    assert got["data"] == {"content": {"md": "2"}, "own": 1}
    assert got["meta"] == {"a": {"y": 2}, "b": 1}


def test_an_equal_write_does_not_move_the_time(either: WebUI, ann: Person) -> None:
    made = webui.note(either, MD, webui.writer(ann))
    same = webui.set_text(either, made["id"], MD, ann.token)
    other = webui.set_text(either, made["id"], "else", ann.token)

    assert same["updated_at"] == made["updated_at"] < other["updated_at"]


def test_search_shows_the_administrator_every_note(either: WebUI, ann: Person) -> None:
    ours = webui.note(either, "y" * 1500, title="ours", meta={"mine": 1})
    body = {"title": "hers", "data": {"content": {"md": "z"}, "more": 1}}
    either.request("POST", f"{V1}/notes/create", ann.token, json=body)
    found: Any = either.request("GET", f"{V1}/notes/search", params={"order_by": "updated_at"})

    assert (titles(found), found["total"]) == (["hers", "ours"], 2)
    hers, mine = found["items"]
    assert (mine["id"], mine["meta"], mine["user_id"]) == (ours["id"], {"mine": 1}, either.admin.id)
    assert mine["data"] == {"content": {"md": "y" * 1000}}, "cut at 1,000 characters"
    assert hers["data"] == {"content": {"md": "z"}}, "and only the Markdown"


def test_search_pages_hold_sixty(either: WebUI) -> None:
    for number in range(61):
        webui.note(either, "x", title=f"{number:02}")
    first, second, third = (either.request("GET", f"{V1}/notes/search", params={"page": page}) for page in (1, 2, 3))

    assert [len(page["items"]) for page in (first, second, third)] == [60, 1, 0]
    assert {page["total"] for page in (first, second, third)} == {61}
    assert (titles(first)[0], titles(second)) == ("60", ["00"])


def test_the_plain_list_tells_less(either: WebUI, ann: Person) -> None:
    """All of the caller's own and shared in one answer, but cut, and without meta or grants."""
    webui.note(either, "y" * 1500, meta={"mine": 1})
    either.request("POST", f"{V1}/notes/create", ann.token, json={"title": "hers"})
    (row,) = either.request("GET", f"{V1}/notes/")

    assert sorted(row) == ["created_at", "data", "id", "is_pinned", "title", "updated_at", "user"]
    assert len(text(row)) == 1000


def test_a_user_searches_what_they_may_write(either: WebUI, ann: Person) -> None:
    for title, access in (("w", webui.writer(ann)), ("r", [grant("read", ann.id)]), ("none", [])):
        webui.note(either, "x", access, title=title)

    assert titles(either.request("GET", f"{V1}/notes/search", ann.token)) == ["w"]
    readable = either.request("GET", f"{V1}/notes/search", ann.token, params={"permission": "read"})
    assert titles(readable) == ["r", "w"]


def test_a_deleted_note_is_not_found(either: WebUI, ann: Person) -> None:
    made = webui.note(either, MD, webui.writer(ann))["id"]
    deleted = either.request("DELETE", f"{V1}/notes/{made}/delete", ann.token)

    path = f"{V1}/notes/{made}"
    assert deleted is True
    assert [
        either.call("GET", path).status_code,
        either.call("POST", f"{path}/update", json={}).status_code,
        either.call("DELETE", f"{path}/delete").status_code,
    ] == [404, 404, 404]
