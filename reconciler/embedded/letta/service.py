"""The model behind one lock, its rows on disk before a request is answered, and faults where a test asked for them.

Knows no sockets: `server` turns bytes into a `Request` and an `Answer` into bytes.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from reconciler.embedded.letta import control, routes, talk
from reconciler.embedded.letta.disk import Disk
from reconciler.embedded.letta.model import Letta, Refused
from reconciler.embedded.letta.request import Request

_MESSAGES = re.compile("/v1/agents/([^/]+)/messages")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: object


@dataclass(frozen=True, slots=True)
class Cut:
    """No answer: the connection ends."""


class Service:
    """Owns the model and its disk. Requests may come from many threads; each takes effect alone."""

    def __init__(self, letta: Letta, disk: Disk | None) -> None:
        self._letta = letta
        self._disk = disk
        self._faults = control.Faults()
        self._lock = threading.Lock()
        self._persist()

    def answer(self, request: Request) -> Answer | Cut:
        if request.path.startswith(control.PREFIX):
            return self._refusable(request)
        with self._lock:
            fault = self._faults.next_for(request.method, request.path)
        if fault is None:
            return self._refusable(request)
        fails = fault.cut or fault.status is not None
        honest = self._refusable(request) if fault.applied or not fails else None
        control.delayed(fault)
        if fault.cut:
            return Cut()
        if fault.status is not None:
            return Answer(fault.status, {"detail": f"a fault was asked for: {fault.status}"})
        return honest or Cut()

    def act(self, change: Callable[[Letta], _T]) -> _T:
        """One step of the model, alone, and durable when this returns: also what a refused request left behind."""
        with self._lock:
            try:
                return change(self._letta)
            finally:
                self._persist()

    def close(self) -> None:
        """Everything into one file. Waits for the request at hand; later ones find the service closed."""
        with self._lock:
            if self._disk is not None:
                self._disk.save(self._letta.snapshot())
                self._disk.close()
                self._disk = None

    def _refusable(self, request: Request) -> Answer:
        try:
            return Answer(200, self._routed(request))
        except Refused as refused:
            return Answer(refused.status, {"detail": refused.detail})

    def _routed(self, request: Request) -> object:
        match = _MESSAGES.fullmatch(request.path)
        if match and request.method == "POST":
            return talk.turn(self.act, match.group(1), request.body)
        if request.path == f"{control.PREFIX}fail" and request.method == "POST":
            return self.act(lambda _letta: self._faults.add(control.Fault.parse(request.body)))
        if request.path == f"{control.PREFIX}calm" and request.method == "POST":
            return self.act(lambda _letta: self._faults.clear())
        table = control.ROUTES if request.path.startswith(control.PREFIX) else routes.ROUTES
        handler, routed = routes.found(table, request)
        return self.act(lambda letta: handler(letta, routed))

    def _persist(self) -> None:
        changes = self._letta.state.drain()
        if self._disk is not None and (changes is None or not self._disk.append(changes)):
            self._disk.save(self._letta.snapshot())


def as_json(body: object) -> bytes:
    """Rows are never changed once stored, so a body may be written out after the lock is gone."""
    return json.dumps(body, separators=(",", ":")).encode()
