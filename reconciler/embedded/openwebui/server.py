"""HTTP around the service: loopback only, keep-alive, every request by somebody's key or token."""

import json
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from reconciler.embedded.letta.disk import Disk
from reconciler.embedded.openwebui.model import ADMIN_PASSWORD, OpenWebUI, Refused
from reconciler.embedded.openwebui.people import ADMIN_EMAIL
from reconciler.embedded.openwebui.request import Request
from reconciler.embedded.openwebui.service import Answer, Cut, Page, Service, as_json
from reconciler.embedded.openwebui.state import TABLES

HOST = "127.0.0.1"
LARGEST_BODY_BYTES = 64_000_000
_LOOPBACK = frozenset({HOST, "localhost", "::1"})
_PAGE = b"<!doctype html><title>Open WebUI</title><p>The stand-in has an API only."
_log = logging.getLogger(__name__)


def serve(data_dir: Path | str | None = None, port: int = 0, admin_key: str | None = None) -> "Server":
    """Start in a thread of this process. Without a folder nothing outlives it; port 0 takes a free one.

    `admin_key`: the service account's from now on, and asked for by the control routes too. Without one the server
    is a test's: it keeps its key or is given one, its password is known and its control routes are open. With one,
    everybody may use what the provider offers: there is no page on which an admin could say so.
    """
    disk = Disk(Path(data_dir), "openwebui", TABLES) if data_dir is not None else None
    password = secrets.token_urlsafe(24) if admin_key else ADMIN_PASSWORD
    webui = OpenWebUI(new_uuid=uuid4, now=_ever_later(), password=password)
    saved = disk.load() if disk is not None else None
    if saved is not None:
        webui.restore(saved)
    key = admin_key or webui.admin["api_key"] or f"sk-{secrets.token_hex(16)}"
    webui.admin = webui.people.ensure_admin(password, key)
    if admin_key and saved is None:
        webui.models.open_bases(webui.admin)
    return Server(Service(webui, disk, is_guarded=admin_key is not None), port, key)


class Server:
    """A running server. `stop` it, or use it in a `with`."""

    admin_email = ADMIN_EMAIL

    def __init__(self, service: Service, port: int, admin_key: str) -> None:
        self._service = service
        self._http = _Http(service, port)
        self.admin_key = admin_key
        self.port: int = self._http.server_address[1]
        self.url = f"http://{HOST}:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="openwebui", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered, save, and give the port and the folder back. Safe to call twice."""
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._service.close()
        self._http.hang_up()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_raised: object) -> None:
        self.stop()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        self.connections: set[socket.socket] = set()
        super().__init__((HOST, port), _Handler)

    def hang_up(self) -> None:
        """Kept-alive connections would go on being answered by their threads."""
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # its client closed it first


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def _http(self) -> _Http:
        return cast(_Http, self.server)

    def setup(self) -> None:
        super().setup()
        self._http.connections.add(self.connection)

    def finish(self) -> None:
        self._http.connections.discard(self.connection)
        try:
            super().finish()
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        _log.debug(format, *args)

    def do_GET(self) -> None:
        match self._answered():
            case Cut():
                self.close_connection = True
            case Page():
                self._send(200, "text/html; charset=utf-8", _PAGE)
            case Answer(status, body):
                self._send(status, "application/json", as_json(body))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _answered(self) -> Answer | Cut | Page:
        try:
            return self._http.service.answer(self._request())
        except Refused as refused:
            return Answer(refused.status, {"detail": refused.detail})
        except Exception:
            _log.exception("a request failed: %s %s", self.command, self.path)
            return Answer(500, {"detail": "Internal Server Error"})

    def _request(self) -> Request:
        """The body is read before anything is refused: what is left unread would be taken for the next request."""
        raw = self._raw_body()
        self._check_sender()
        at = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(at.query, keep_blank_values=True).items()}
        kind, _, bearer = self.headers.get("Authorization", "").partition(" ")
        return Request(self.command, at.path, query, _json(raw), bearer.strip() if kind == "Bearer" else "")

    def _raw_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > LARGEST_BODY_BYTES:
            self.close_connection = True
            raise Refused(413, f"a body needs a Content-Length of at most {LARGEST_BODY_BYTES}")
        return self.rfile.read(int(length))

    def _check_sender(self) -> None:
        """A web page in a browser on this machine can reach loopback too: its Host or Origin gives it away."""
        origin = self.headers.get("Origin")
        hosts = [f"//{self.headers.get('Host', HOST)}", *([origin] if origin else [])]
        if not all(urlsplit(host).hostname in _LOOPBACK for host in hosts):
            raise Refused(403, "this server answers to this machine only")

    def _send(self, status: int, kind: str, body: bytes) -> None:
        """Head and body in one write, so that small answers are one packet."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        head = cast(list[bytes], getattr(self, "_headers_buffer"))  # noqa: B009
        head.extend((b"\r\n", body))
        self.flush_headers()


def _json(raw: bytes) -> object:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused(422, f"JSON decode error: {error}") from error


def _ever_later() -> Callable[[], int]:
    """Nanoseconds, one on where the clock stood still: notes sort by them."""
    last = 0

    def now() -> int:
        nonlocal last
        last = max(time.time_ns(), last + 1)
        return last

    return now
