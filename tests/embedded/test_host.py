"""One process serves a workspace's stand-in of a system; others connect, and one of them takes over when it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from reconciler.embedded import host
from reconciler.embedded.host import LETTA, OPEN_WEBUI, Address, StandIn, embedded
from reconciler.errors import Terminal

SERVE = """
import sys
from pathlib import Path
from reconciler.embedded import host
with host.embedded(getattr(host, sys.argv[1]), Path(sys.argv[2])) as address:
    print(address.url, flush=True)
    sys.stdin.read()
"""
LISTS = {"letta": "/v1/agents/", "openwebui": "/api/v1/notes/"}


@pytest.fixture(params=["LETTA", "OPEN_WEBUI"])
def stand_in(request: pytest.FixtureRequest) -> StandIn:
    return getattr(host, request.param)


def asked(address: Address, path: str, token: str | None = None, body: object = None) -> Any:
    text = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address.url + path, text, {"Content-Type": "application/json"})
    request.add_header("Authorization", f"Bearer {address.token if token is None else token}")
    with urllib.request.urlopen(request, timeout=5) as reply:
        return json.load(reply)


def listed(stand_in: StandIn, address: Address, token: str | None = None) -> Any:
    """Agents, or notes."""
    return asked(address, LISTS[stand_in.name], token)


def another(stand_in: StandIn, folder: Path) -> tuple[subprocess.Popen[str], str]:
    constant = "LETTA" if stand_in is LETTA else "OPEN_WEBUI"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, constant, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def patiently(stand_in: StandIn, address: Address) -> Any:
    """Retried while nobody serves; the limit is for a broken build only."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return listed(stand_in, address)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def test_it_is_served_on_loopback_for_who_has_the_secret(stand_in: StandIn, tmp_path: Path) -> None:
    with embedded(stand_in, tmp_path / "embedded") as address:
        assert address.url.startswith("http://127.0.0.1:")
        assert listed(stand_in, address) == []
        with pytest.raises(HTTPError, match="401"):
            listed(stand_in, address, token="guess")
    mode = stat.S_IMODE((tmp_path / "embedded" / stand_in.secret_file).stat().st_mode)
    assert mode == 0o600


def test_the_address_stays_the_same_from_one_process_to_the_next(stand_in: StandIn, tmp_path: Path) -> None:
    with embedded(stand_in, tmp_path) as first:
        pass
    with embedded(stand_in, tmp_path) as second:
        assert second == first


def test_who_comes_second_connects_and_takes_over_when_the_first_is_killed(stand_in: StandIn, tmp_path: Path) -> None:
    process, url = another(stand_in, tmp_path)
    try:
        with embedded(stand_in, tmp_path) as address:
            assert address.url == url
            assert listed(stand_in, address) == []
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            assert patiently(stand_in, address) == []
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_somebody_else_took_meanwhile_is_left_to_them(stand_in: StandIn, tmp_path: Path) -> None:
    with embedded(stand_in, tmp_path) as first:
        pass
    with (
        socket.create_server(("127.0.0.1", urlsplit(first.url).port or 0)),
        embedded(stand_in, tmp_path) as second,
    ):
        assert second.url != first.url
        assert listed(stand_in, second) == []


def test_two_in_one_process_share_it_too(stand_in: StandIn, tmp_path: Path) -> None:
    with embedded(stand_in, tmp_path) as first, embedded(stand_in, tmp_path) as second:
        assert first == second
        assert listed(stand_in, second) == []


def test_a_damaged_folder_says_which_system_cannot_be_served(stand_in: StandIn, tmp_path: Path) -> None:
    (tmp_path / stand_in.name).mkdir()
    (tmp_path / stand_in.name / f"{stand_in.name}.json").write_text("{")

    with pytest.raises(Terminal, match=f"the embedded {stand_in.title} cannot be served"), embedded(stand_in, tmp_path):
        pass


def test_both_systems_are_served_from_one_folder_each_with_a_secret_of_its_own(tmp_path: Path) -> None:
    with embedded(LETTA, tmp_path) as letta, embedded(OPEN_WEBUI, tmp_path) as openwebui:
        assert listed(LETTA, letta) == listed(OPEN_WEBUI, openwebui) == []
        for stand_in, address, wrong in ((LETTA, letta, openwebui.token), (OPEN_WEBUI, openwebui, letta.token)):
            with pytest.raises(HTTPError, match="401"):
                listed(stand_in, address, token=wrong)


def test_open_webui_begins_with_a_service_account_and_its_key_and_keeps_both(tmp_path: Path) -> None:
    with embedded(OPEN_WEBUI, tmp_path) as address:
        (first,) = asked(address, "/api/v1/users/all")["users"]
        made = asked(address, "/api/v1/notes/create", body={"title": "n", "data": {"content": {"md": "x"}}})
    with embedded(OPEN_WEBUI, tmp_path) as again:
        (second,) = asked(again, "/api/v1/users/all")["users"]
        assert (second["id"], second["role"]) == (first["id"], "admin")
        assert asked(again, f"/api/v1/notes/{made['id']}")["data"] == made["data"]


def test_a_note_written_through_one_process_is_there_when_that_one_is_killed(tmp_path: Path) -> None:
    process, _ = another(OPEN_WEBUI, tmp_path)
    try:
        with embedded(OPEN_WEBUI, tmp_path) as address:
            asked(address, "/api/v1/notes/create", body={"title": "n", "data": {"content": {"md": "x"}}})
            process.kill()
            process.wait()
            assert [row["title"] for row in patiently(OPEN_WEBUI, address)] == ["n"]
    finally:
        process.kill()
        process.communicate()
