"""What the stand-in for Open WebUI has beyond its API: its folder, its control routes, its faults and its events.

That it answers as the real server does is shown in tests/live, where the same tests run on both.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from reconciler.embedded.letta.disk import DamagedData
from reconciler.embedded.openwebui.markdown import opened
from reconciler.embedded.openwebui.model import OpenWebUI
from reconciler.embedded.openwebui.server import Server, serve
from reconciler.embedded.openwebui.state import TABLES
from tests.http import HTTP

NOTE = 'Help *you*.\n\n```toml\na = 1\nname = "x"\n```\n'


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


def call(server: "Server | Apart", method: str, path: str, body: object = None, key: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {key or server.admin_key}"}
    return HTTP.request(method, server.url + path, json=body, headers=headers, timeout=20)


def ask(server: "Server | Apart", method: str, path: str, body: object = None, key: str = "") -> Any:
    return call(server, method, path, body, key).raise_for_status().json()


def control(server: Server, verb: str, **body: object) -> Any:
    return ask(server, "POST", f"/_control/{verb}", body)


def make_note(server: "Server | Apart", md: str = NOTE) -> Any:
    return ask(server, "POST", "/api/v1/notes/create", {"title": "n", "data": {"content": {"md": md}}})


def text_of(server: Server, note_id: str) -> str:
    return ask(server, "GET", f"/api/v1/notes/{note_id}")["data"]["content"]["md"]


# --- what a browser does to a note ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("```toml\n```\n\nBye.\n", "Bye."),
        ('```toml\na = "x\u00a0y"\n```\n', '```toml\na = "x y"\n```'),
        ("~~~toml\na = 1\n~~~\n", "```toml\na = 1\n```"),
        ("```toml\r\na = 1\r\n```\r\n", "```toml\na = 1\n```"),
        ("Some *help*: https://x.org\n", "Some _help_: [https://x.org](https://x.org)"),
        ("---\ntitle: x\n---\n\n- a\n- b\n", "* * *\n\n## title: x\n\n*   a\n    \n*   b"),
        ("````text\n``` inside\n````\n", "````text\n``` inside\n````"),
        ("Help\n```toml\na = 1\n```\nafter", "Help\n\n```toml\na = 1\n```\n\nafter"),
        ("```text\na\n\n\n\nb\n\n\n```", "```text\na\n\n\n\nb\n\n```"),
        ('```toml\na = "\u200b\u2028\ufeff"   \n\n\n\nb = "<b>&amp; $x$"\n```', None),
        ("> **Not saved**, line 2.\n\n```toml\na = 1\n```", None),
    ],
)
def test_opening_rewrites_as_it_was_seen_in_a_real_browser(before: str, after: str | None) -> None:
    assert opened(before) == (before if after is None else after)


def test_an_opened_note_looks_edited_and_its_block_is_not(server: Server) -> None:
    made = make_note(server)
    control(server, "open_note", note_id=made["id"])
    got = ask(server, "GET", f"/api/v1/notes/{made['id']}")

    assert got["data"]["content"]["md"] == 'Help _you_.\n\n```toml\na = 1\nname = "x"\n```'
    assert got["updated_at"] > made["updated_at"]
    control(server, "open_note", note_id=made["id"])
    assert ask(server, "GET", f"/api/v1/notes/{made['id']}") == got


def test_a_browser_may_only_do_what_its_user_may(server: Server) -> None:
    body = {"name": "Ann", "email": "ann@example.org", "password": "p"}
    ann = ask(server, "POST", "/api/v1/auths/add", body)["id"]
    note_id = make_note(server)["id"]

    typed = {"note_id": note_id, "md": "x", "user_id": ann}
    assert call(server, "POST", "/_control/type_note", typed).status_code == 403


# --- its folder -----------------------------------------------------------------------------------------------------


@dataclass
class Apart:
    """The stand-in as a process of its own, to be killed."""

    process: "subprocess.Popen[str]"
    url: str
    admin_key: str = "sk-mine"


@contextmanager
def apart(folder: Path) -> Iterator[Apart]:
    command = [sys.executable, "-m", "reconciler.embedded.openwebui", "--data", str(folder)]
    env = os.environ | {"OPENWEBUI_ADMIN_KEY": Apart.admin_key}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        try:
            yield Apart(process, process.stdout.readline().split()[-1])
        finally:
            process.kill()


def live_in(server: "Server | Apart") -> None:
    """Something in every table."""
    account = {"name": "Ann", "email": "ann@example.org", "password": "p"}
    ann = ask(server, "POST", "/api/v1/auths/add", account)
    group = ask(server, "POST", "/api/v1/groups/create", {"name": "Staff", "description": ""})
    ask(server, "POST", f"/api/v1/groups/id/{group['id']}/users/add", {"user_ids": [ann["id"]]})
    make_note(server)
    ask(server, "DELETE", f"/api/v1/notes/{make_note(server)['id']}/delete")
    model = {"id": "m", "name": "M", "base_model_id": "gpt-4o", "meta": {}, "params": {"system": "Be kind."}}
    ask(server, "POST", "/api/v1/models/create", model)
    ask(server, "POST", "/api/v1/models/model/update", {**model, "params": {"system": "Be brief."}})
    ask(server, "POST", "/api/v1/folders/", {"name": "Runs"})
    ask(server, "POST", "/api/v1/chats/new", {"chat": {"title": "T", "models": ["m"], "history": {}}}, ann["token"])
    ask(server, "POST", "/api/events/webhooks", {"name": "h", "url": "http://127.0.0.1:9/", "events": ["x.*"]})


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
def test_a_new_start_has_everything_that_was_there(tmp_path: Path, signal_number: int) -> None:
    with apart(tmp_path) as first:
        live_in(first)
        before = ask(first, "GET", "/_control/state")
        first.process.send_signal(signal_number)
        first.process.wait()

    assert set(before) == set(TABLES)
    assert all(before.values())
    with apart(tmp_path) as again:
        assert ask(again, "GET", "/_control/state") == before


@pytest.mark.parametrize("writes", [1, 7, 30])
def test_killed_amid_writes_nothing_acknowledged_is_lost_and_nothing_is_half_written(
    tmp_path: Path, writes: int
) -> None:
    promised: dict[str, str] = {}
    enough = Event()

    def write(number: int) -> None:
        for count in itertools.count():
            md = f"{number} {count} {'x' * 200_000}."
            with suppress(httpx.TransportError):
                promised[make_note(first, md)["id"]] = md
            if len(promised) >= writes:
                enough.set()
            if first.process.poll() is not None:
                return

    with apart(tmp_path) as first:
        writers = [Thread(target=write, args=(number,)) for number in range(3)]
        for each in writers:
            each.start()
        assert enough.wait(20)
        first.process.kill()
        first.process.wait()
        for each in writers:
            each.join()
    with serve(tmp_path) as again:
        assert again.admin_key == Apart.admin_key
        there = {
            key: row["data"]["content"]["md"] for key, row in ask(again, "GET", "/_control/state")["notes"].items()
        }
    assert promised.items() <= there.items()
    assert all(md.endswith("x.") for md in there.values())


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with serve(tmp_path), pytest.raises(DamagedData, match="in use"):
        serve(tmp_path)


def test_learners_words_are_for_this_account_only(tmp_path: Path) -> None:
    with serve(tmp_path) as running:
        make_note(running)

    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


def test_a_key_of_ones_own_guards_the_control_routes(tmp_path: Path) -> None:
    with serve(tmp_path, admin_key="sk-mine") as running:
        bare = HTTP.get(f"{running.url}/_control/state")
        signed = {"email": running.admin_email, "password": "correct horse battery staple"}
        sign_in = HTTP.post(f"{running.url}/api/v1/auths/signin", json=signed)

        assert (bare.status_code, sign_in.status_code) == (401, 400)
        assert ask(running, "GET", "/_control/state")["users"]


# --- the whole state, and faults ------------------------------------------------------------------------------------


def test_the_state_goes_out_and_in_again(server: Server) -> None:
    note_id = make_note(server)["id"]
    kept = ask(server, "GET", "/_control/state")
    control(server, "wipe")
    wiped = call(server, "GET", f"/api/v1/notes/{note_id}").status_code
    ask(server, "PUT", "/_control/state", kept)

    assert wiped == 404, "and the key still opens"
    assert text_of(server, note_id) == NOTE


def test_the_same_seed_gives_the_same_rows() -> None:
    first, second = (OpenWebUI(seed=7) for _ in range(2))
    for webui in (first, second):
        webui.notes.create(webui.admin, {"title": "n", "data": {"content": {"md": "x"}}})

    assert first.snapshot() == second.snapshot()


def test_a_lost_reply_is_applied(server: Server) -> None:
    note_id = make_note(server)["id"]
    control(server, "fail", cut="after", method="POST", path="/update")
    with pytest.raises(httpx.TransportError):
        call(server, "POST", f"/api/v1/notes/{note_id}/update", {"data": {"content": {"md": "y"}}})

    assert text_of(server, note_id) == "y"


def test_a_race_of_two_editors_can_be_had(server: Server) -> None:
    control(server, "fail", status=409, path="/models/model/update")
    answer = call(server, "POST", "/api/v1/models/model/update", {})

    assert (answer.status_code, answer.json()) == (409, {"detail": {"code": "version_conflict"}})


# --- events ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def heard(server: Server) -> Iterator["Queue[Any]"]:
    """The names and subjects of events, as they arrive."""
    arrived: Queue[Any] = Queue()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.put(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    hook = {"name": "h", "url": f"http://127.0.0.1:{http.server_port}/?s=1", "events": ["note.*"]}
    ask(server, "POST", "/api/events/webhooks", hook)
    yield arrived
    http.shutdown()
    http.server_close()


def names(heard: "Queue[Any]", count: int) -> list[str]:
    return [json.loads(heard.get(timeout=5))["event"] for _ in range(count)]


def life_of_a_note(server: Server) -> None:
    note_id = make_note(server)["id"]
    ask(server, "POST", f"/api/v1/notes/{note_id}/update", {"title": "m"})
    ask(server, "DELETE", f"/api/v1/notes/{note_id}/delete")


def test_events_can_be_lost_and_doubled(server: Server, heard: "Queue[Any]") -> None:
    control(server, "events", lose=1, double=1)
    life_of_a_note(server)

    assert names(heard, 3) == ["note.updated", "note.updated", "note.deleted"]


def test_held_events_come_newest_first(server: Server, heard: "Queue[Any]") -> None:
    control(server, "events", hold=True)
    life_of_a_note(server)
    control(server, "events")

    assert names(heard, 3) == ["note.deleted", "note.updated", "note.created"]


def test_typing_in_a_browser_is_told_to_nobody(server: Server, heard: "Queue[Any]") -> None:
    note_id = make_note(server)["id"]
    names(heard, 1)
    control(server, "type_note", note_id=note_id, md="typed")
    control(server, "open_note", note_id=note_id)

    assert text_of(server, note_id) == "typed"
    with pytest.raises(Empty):
        heard.get(timeout=0.2)


def test_nobody_listening_holds_up_no_answer(server: Server) -> None:
    hook = {"name": "h", "url": "http://127.0.0.1:9/", "events": ["*"]}
    ask(server, "POST", "/api/events/webhooks", hook)
    began = time.monotonic()
    life_of_a_note(server)

    assert time.monotonic() - began < 2
