"""A tiny receiver of Open WebUI's events. An event says "look" and nothing else: what it carries is thrown away.

So a forged, doubled or reordered one costs a look, and a lost one is made up for by the loop's own looks. The secret is
the URL's path: Open WebUI signs nothing (0.12.4).
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

from reconciler.errors import Terminal

MOST_BYTES: Final = 64 * 1024
SECRET_FILE: Final = "state/events-secret"
_SECRET = re.compile(r"[A-Za-z0-9_-]{40,}")
_PATIENCE_SECONDS = 5.0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: somebody hung up, and what they sent is theirs."""


class Receiver:
    """Listens from its making until ``stop``. ``heard`` is called, on a thread of ours, for every event."""

    def __init__(self, host: str, port: int, secret: str, heard: Callable[[], None]) -> None:
        try:
            self._server = _Server((host, port), _handler(f"/{secret}", heard))
        except OSError as error:
            raise Terminal(f"events cannot be received at {host}:{port}: {error.strerror}") from error
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="events", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(path: str, heard: Callable[[], None]) -> type[BaseHTTPRequestHandler]:
    expected = path.encode()

    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE_SECONDS
        server_version = "reconciler"
        sys_version = ""

        def do_POST(self) -> None:
            self.close_connection = True
            if not compare_digest(self.path.encode(errors="replace"), expected):
                return self._answer(HTTPStatus.NOT_FOUND)
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdigit():
                return self._answer(HTTPStatus.LENGTH_REQUIRED)
            if len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
                return self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            with suppress(OSError):  # whoever hung up said "look" too
                self.rfile.read(int(length))
            heard()
            self._answer(HTTPStatus.NO_CONTENT)

        def _answer(self, status: HTTPStatus) -> None:
            with suppress(OSError):
                self.send_response_only(status)
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a log of requests would hold the secret."""

    return Handler


def kept_secret(workspace: Path) -> str:
    """The secret of this workspace, made where there is none. Only its owner may read the file."""
    path = workspace / SECRET_FILE
    with suppress(FileNotFoundError):
        found = path.read_text(errors="replace").strip()
        if _SECRET.fullmatch(found):
            return found
    made, spare = secrets.token_urlsafe(32), path.with_name("events-secret.new")
    spare.unlink(missing_ok=True)
    with open(os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{made}\n")
    spare.replace(path)
    return made
