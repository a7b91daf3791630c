"""A proxy between the adapter and a server: it counts requests, and spoils them when a test says so.

Faults come from here, and not from a server's own switches, so that the real server can be tested with the same ones.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Spoil = Callable[[Any], Any]


@dataclass
class Fault:
    """For the next `times` requests that match. lost: applied, and the reply cut off. before: do this first."""

    method: str
    path: str
    times: int = 1
    status: int | None = None
    text: str = '{"detail": "as the test wished"}'
    lost: bool = False
    refused: bool = False
    spoil: Spoil | None = None
    before: Callable[[], None] | None = None

    def matches(self, method: str, path: str) -> bool:
        return self.times > 0 and method == self.method and path.rstrip("/").endswith(self.path)


@dataclass
class Tap:
    """`url` is where the adapter goes; `seen` is what it asked for."""

    upstream: str
    seen: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def __enter__(self) -> Tap:
        self._client = httpx.Client(timeout=120)
        handler = type("Bound", (_Handler,), {"tap": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        return self

    def __exit__(self, *_raised: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        self._client.close()

    def fail(self, method: str, path: str, **how: Any) -> None:
        self.faults.append(Fault(method, path, **how))

    def asked(self, method: str) -> list[str]:
        return [path for each, path in self.seen if each == method]

    def writes(self) -> list[tuple[str, str]]:
        return [each for each in self.seen if each[0] != "GET"]

    def forget(self) -> None:
        self.seen.clear()

    def fault_for(self, method: str, path: str) -> Fault | None:
        found = next((fault for fault in self.faults if fault.matches(method, path)), None)
        if found:
            found.times -= 1
        return found

    def forward(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return self._client.request(method, self.upstream + path, content=body, headers=headers)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    tap: Tap

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.tap.seen.append((self.command, self.path))
        fault = self.tap.fault_for(self.command, path)
        if fault and fault.before:
            fault.before()
        if fault and fault.refused:
            self.close_connection = True
            return
        if fault and fault.status:
            self._send(fault.status, fault.text.encode())
            return
        kept = ("authorization", "content-type", "x-stainless-package-version")
        headers = {name: value for name, value in self.headers.items() if name.lower() in kept}
        reply = self.tap.forward(self.command, self.path, body, headers)
        if fault and fault.lost:
            self.close_connection = True
            return
        content = json.dumps(fault.spoil(reply.json())).encode() if fault and fault.spoil else reply.content
        self._send(reply.status_code, content)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
