"""Requests as they went over the wire, and the same ones sent again with nothing around them: "bare"."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

import httpx

_ID = re.compile(rb"(?:agent|block)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEPT_HEADERS = ("content-type", "accept", "authorization", "x-stainless-package-version")


@dataclass(frozen=True)
class Exchange:
    """One request, the id of what it made, whether it failed, and the thread that sent it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    made: bytes
    failed: bool
    thread: int


@contextmanager
def recorded() -> Iterator[list[Exchange]]:
    """Every request of this process while it is open."""
    exchanges: list[Exchange] = []
    send = httpx.Client.send

    def noting(client: httpx.Client, request: httpx.Request, **options: object) -> httpx.Response:
        reply = send(client, request, **options)  # type: ignore[arg-type]
        exchanges.append(_exchange(request, reply))
        return reply

    httpx.Client.send = noting  # type: ignore[method-assign]
    try:
        yield exchanges
    finally:
        httpx.Client.send = send  # type: ignore[method-assign]


def _exchange(request: httpx.Request, reply: httpx.Response) -> Exchange:
    headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
    made = _made(reply.content) if request.method == "POST" else b""
    return Exchange(
        request.method, str(request.url), headers, request.content, made, reply.is_error, threading.get_ident()
    )


def _made(reply: bytes) -> bytes:
    """The id of the thing that a reply shows, where it shows one."""
    shown = json.loads(reply) if reply.startswith(b"{") else None
    return str(shown.get("id", "")).encode() if isinstance(shown, dict) else b""


class Bare:
    """Sends recorded requests again and takes the replies as bytes: no checks, no parsing, no waiting."""

    def __init__(self) -> None:
        self._http = httpx.Client(timeout=120, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def read(self, exchanges: Sequence[Exchange]) -> int:
        """The reads one after the other; how many bytes came back."""
        return sum(len(self._send(each.method, each.url, each.headers, each.body)) for each in exchanges)

    def patch(self, url: str, body: Mapping[str, object]) -> None:
        self._send("PATCH", url, {"content-type": "application/json"}, json.dumps(body).encode())

    def again(self, exchanges: Sequence[Exchange], changed: Callable[[bytes], bytes]) -> None:
        """Everything in the order and in as many threads as it was, on new things: ``changed`` renames the old."""
        ids: dict[bytes, bytes] = {}
        main = threading.get_ident()
        for is_main, run in groupby(exchanges, key=lambda each: each.thread == main):
            lanes: dict[int, list[Exchange]] = {}
            for each in run:
                lanes.setdefault(each.thread, []).append(each)
            if is_main:
                self._lane(lanes[main], changed, ids)
            else:
                threads = [threading.Thread(target=self._lane, args=(lane, changed, ids)) for lane in lanes.values()]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()

    def _lane(self, lane: Sequence[Exchange], changed: Callable[[bytes], bytes], ids: dict[bytes, bytes]) -> None:
        def renamed(sent: bytes) -> bytes:
            return changed(_ID.sub(lambda found: ids.get(found[0], found[0]), sent))

        for each in lane:
            url = renamed(each.url.encode()).decode()
            reply = self._send(each.method, url, each.headers, renamed(each.body))
            if each.made:
                ids[each.made] = _made(reply)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
        reply = self._http.request(method, url, headers=dict(headers), content=body or None)
        reply.raise_for_status()
        return reply.content
