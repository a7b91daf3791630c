"""The receiver of events: only whoever knows the path is heard, and what they send is not looked at."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Lock

import pytest

from reconciler.controller.webhook import MOST_BYTES, Receiver, kept_secret
from reconciler.errors import Terminal
from tests.http import HTTP

SECRET = "s" * 43


class Ear:
    """Counts what was heard."""

    def __init__(self) -> None:
        self.count, self.rung, self._lock = 0, Event(), Lock()

    def __call__(self) -> None:
        with self._lock:
            self.count += 1
        self.rung.set()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def url(ear: Ear) -> Iterator[str]:
    receiver = Receiver("127.0.0.1", 0, SECRET, ear)
    yield f"http://127.0.0.1:{receiver.port}"
    receiver.stop()


@pytest.mark.parametrize("body", [b"", b"{}", b"no json", b"x" * MOST_BYTES])
def test_an_event_is_heard_whatever_it_carries(url: str, ear: Ear, body: bytes) -> None:
    reply = HTTP.post(f"{url}/{SECRET}", content=body)

    assert (reply.status_code, reply.content, ear.count) == (204, b"", 1)


@pytest.mark.parametrize("path", ["", "/", f"/{SECRET[1:]}", f"/{SECRET}x", f"/{SECRET}/", f"/x/../{SECRET}?", "/%73"])
def test_nobody_is_heard_without_the_secret(url: str, ear: Ear, path: str) -> None:
    assert (HTTP.post(f"{url}{path}", content=b"{}").status_code, ear.count) == (404, 0)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_only_posts_are_heard(url: str, ear: Ear, method: str) -> None:
    assert HTTP.request(method, f"{url}/{SECRET}").status_code == 501
    assert ear.count == 0


def test_a_body_that_is_too_large_is_not_read(url: str, ear: Ear) -> None:
    assert _raw(url, f"Content-Length: {MOST_BYTES + 1}") == "413"
    assert _raw(url, f"Content-Length: {'9' * 5000}") == "413"
    assert ear.count == 0


@pytest.mark.parametrize("length", ["", "Content-Length: -1", "Content-Length: ²", "Transfer-Encoding: chunked"])
def test_a_body_without_a_length_is_not_read(url: str, ear: Ear, length: str) -> None:
    assert (_raw(url, length), ear.count) == ("411", 0)


def _raw(url: str, header: str) -> str:
    """The status for a request that no client library would send."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(
            f"POST /{SECRET} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".replace("\r\n\r\n\r\n", "\r\n\r\n").encode()
        )
        return line.recv(200).decode().split()[1]


def test_nothing_of_a_request_is_printed(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    HTTP.post(f"{url}/{SECRET}", content=b"{}")
    HTTP.get(f"{url}/{SECRET}")

    assert capfd.readouterr() == ("", "")


def test_a_port_that_is_taken_is_said(url: str, ear: Ear) -> None:
    with pytest.raises(Terminal, match=r"events cannot be received at 127\.0\.0\.1:"):
        Receiver("127.0.0.1", int(url.rpartition(":")[2]), SECRET, ear)


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    first = kept_secret(tmp_path)

    assert len(first) >= 40
    assert kept_secret(tmp_path) == first
    path = tmp_path / "state" / "events-secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("short\n")
    assert kept_secret(tmp_path) not in (first, "short")
