"""One stand-in per system and workspace, whoever needs it first: that process serves it on loopback, others connect.

Whoever connects stands by: should the one that serves end, the next takes over at the same address, with the same
data. So ``--once`` may have started it, and a loop that connected to it goes on.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Protocol
from urllib.parse import urlsplit

from reconciler.embedded.letta.disk import DamagedData
from reconciler.embedded.letta.server import serve as serve_letta
from reconciler.embedded.openwebui.server import serve as serve_openwebui
from reconciler.errors import Terminal, Transient

_PATIENCE_SECONDS = 10.0
_STEP_SECONDS = 0.05


@dataclass(frozen=True)
class Address:
    """Where a stand-in is, and the secret that keeps this machine's other users out."""

    url: str
    token: str


class Server(Protocol):
    """What ``serve`` gives."""

    port: int
    url: str

    def stop(self) -> None: ...


@dataclass(frozen=True)
class StandIn:
    """One system's: ``name`` its files go by, what people call it, where its secret is, and what serves it."""

    name: str
    title: str
    secret_file: str
    secret_prefix: str
    serve: Callable[[Path, int, str], Server]


LETTA = StandIn("letta", "Letta", "letta.password", "", serve_letta)
# The service account's API key: an account of its own is made with it when the stand-in first starts.
OPEN_WEBUI = StandIn("openwebui", "Open WebUI", "openwebui.key", "sk-", serve_openwebui)


@contextmanager
def embedded(stand_in: StandIn, folder: Path) -> Generator[Address, None, None]:
    """The workspace's stand-in, served or reached, for as long as the caller needs it. ``folder``: its data."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    post = _Post(stand_in, folder)
    try:
        yield post.open()
    finally:
        post.close()


class _Post:
    """This process's place at the stand-in: serving it, or standing by. Who holds the lock serves."""

    def __init__(self, stand_in: StandIn, folder: Path) -> None:
        self._stand_in, self._folder, self._url_file = stand_in, folder, folder / f"{stand_in.name}.url"
        self._token = _secret(folder / stand_in.secret_file, stand_in.secret_prefix)
        self._lock = os.open(folder / f"{stand_in.name}.serving", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._server: Server | None = None
        self._closed = Event()
        self._standby = Thread(target=self._stand_by, name=f"{stand_in.name}-standby", daemon=True)

    def open(self) -> Address:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._take_over():
            url = _read(self._url_file)
            if url and _answers(url):
                self._standby.start()
                return Address(url, self._token)
            if time.monotonic() > deadline:
                raise Transient(
                    f"another process serves the embedded {self._stand_in.title} of {self._folder} and does not "
                    "answer; stop it and try again"
                )
            self._closed.wait(_STEP_SECONDS)
        assert self._server is not None, "who took over serves"
        return Address(self._server.url, self._token)

    def close(self) -> None:
        """Stop serving, then let the next one in: never two on the same data."""
        self._closed.set()
        if self._standby.is_alive():
            self._standby.join()
        if self._server is not None:
            self._server.stop()
        os.close(self._lock)

    def _stand_by(self) -> None:
        """Nobody reads what is raised here: the requests of whoever connected will fail, and say so."""
        with suppress(Terminal):
            while not self._closed.wait(_STEP_SECONDS) and not self._take_over():
                pass

    def _take_over(self) -> bool:
        if not _locked(self._lock):
            return False
        earlier = _read(self._url_file)
        self._url_file.unlink(missing_ok=True)
        self._server = _started(
            self._stand_in, self._folder, self._token, urlsplit(earlier).port or 0 if earlier else 0
        )
        _write_whole(self._url_file, self._server.url)
        return True


def _started(stand_in: StandIn, folder: Path, token: str, earlier: int) -> Server:
    """On the earlier port, so that whoever knows the address still reaches it; on a free one if that is taken."""
    try:
        return stand_in.serve(folder / stand_in.name, earlier if _is_free(earlier) else 0, token)
    except (DamagedData, OSError) as error:
        raise Terminal(f"the embedded {stand_in.title} cannot be served from {folder}: {error}") from error


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=1):
            return True
    except OSError:
        return False


def _secret(path: Path, prefix: str) -> str:
    """One per workspace. Two processes that start at once agree: the file appears whole, once."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        _write_whole(fresh, prefix + secrets.token_urlsafe(24))
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text().strip()


def _read(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text().strip()
    return ""


def _write_whole(path: Path, text: str) -> None:
    """Never seen half-written, and readable by its owner alone."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    handle = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    fresh.replace(path)
