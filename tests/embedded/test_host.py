"""One process serves a workspace's stand-in; others connect, and one of them takes over when it ends."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from reconciler.embedded.host import Address, embedded_letta

SERVE = """
import sys, time
from pathlib import Path
from reconciler.embedded.host import embedded_letta
with embedded_letta(Path(sys.argv[1])) as address:
    print(address.url, flush=True)
    sys.stdin.read()
"""


def agents(address: Address, token: str | None = None) -> bytes:
    asked = urllib.request.Request(f"{address.url}/v1/agents/")
    asked.add_header("Authorization", f"Bearer {address.token if token is None else token}")
    with urllib.request.urlopen(asked, timeout=5) as reply:
        return reply.read()


def another(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def patiently(address: Address) -> bytes:
    """Retried while nobody serves; the limit is for a broken build only."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return agents(address)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def test_it_is_served_on_loopback_for_who_has_the_password(tmp_path: Path) -> None:
    with embedded_letta(tmp_path / "embedded") as address:
        assert address.url.startswith("http://127.0.0.1:")
        assert agents(address) == b"[]"
        with pytest.raises(HTTPError, match="401"):
            agents(address, token="guess")
    mode = stat.S_IMODE((tmp_path / "embedded" / "letta.password").stat().st_mode)
    assert mode == 0o600


def test_the_address_stays_the_same_from_one_process_to_the_next(tmp_path: Path) -> None:
    with embedded_letta(tmp_path) as first:
        pass
    with embedded_letta(tmp_path) as second:
        assert second == first


def test_who_comes_second_connects_and_takes_over_when_the_first_is_killed(tmp_path: Path) -> None:
    process, url = another(tmp_path)
    try:
        with embedded_letta(tmp_path) as address:
            assert address.url == url
            assert agents(address) == b"[]"
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            assert patiently(address) == b"[]"
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_somebody_else_took_meanwhile_is_left_to_them(tmp_path: Path) -> None:
    with embedded_letta(tmp_path) as first:
        pass
    with socket.create_server(("127.0.0.1", urlsplit(first.url).port or 0)), embedded_letta(tmp_path) as second:
        assert second.url != first.url
        assert agents(second) == b"[]"


def test_two_in_one_process_share_it_too(tmp_path: Path) -> None:
    with embedded_letta(tmp_path) as first, embedded_letta(tmp_path) as second:
        assert first == second
        assert agents(second) == b"[]"
