"""The model behind one lock, its rows on disk before a request is answered, and faults where a test asked for them.

Knows no sockets: `server` turns bytes into a `Request` and an `Answer` into bytes.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from reconciler.embedded.letta.control import Fault, Faults, delayed
from reconciler.embedded.letta.disk import Disk
from reconciler.embedded.openwebui import control, routes
from reconciler.embedded.openwebui.delivery import Delivery, Weather
from reconciler.embedded.openwebui.fields import as_row
from reconciler.embedded.openwebui.model import OpenWebUI, Refused
from reconciler.embedded.openwebui.people import is_same
from reconciler.embedded.openwebui.request import NoPage, Request, found
from reconciler.embedded.openwebui.state import DENIED

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: object


@dataclass(frozen=True, slots=True)
class Cut:
    """No answer: the connection ends."""


@dataclass(frozen=True, slots=True)
class Page:
    """The front end's page, with 200: what every path gets that the API does not know."""


class Service:
    """Owns the model and its disk. Requests may come from many threads; each takes effect alone."""

    def __init__(self, webui: OpenWebUI, disk: Disk | None, is_guarded: bool = False) -> None:
        self._is_guarded = is_guarded
        self._webui = webui
        self._disk = disk
        self._faults = Faults()
        self._delivery = Delivery()
        self._lock = threading.Lock()
        self._persist()

    def answer(self, request: Request) -> Answer | Cut | Page:
        if request.path.startswith(control.PREFIX):
            return self._controlled(request)
        with self._lock:
            fault = self._faults.next_for(request.method, request.path)
        if fault is None:
            return self._refusable(request)
        fails = fault.cut or fault.status is not None
        honest = self._refusable(request) if fault.applied or not fails else None
        delayed(fault)
        if fault.cut:
            return Cut()
        if fault.status is not None:
            return Answer(fault.status, {"detail": _detail(fault.status)})
        return honest or Cut()

    def _controlled(self, request: Request) -> Answer | Page:
        admin = self._webui.state.find("users", self._webui.admin["id"]) or self._webui.admin
        if self._is_guarded and not is_same(admin["api_key"] or "", request.bearer):
            return Answer(401, {"detail": DENIED})
        return self._refusable(request)

    def act(self, change: Callable[[OpenWebUI], _T]) -> _T:
        """One step of the model, alone, and durable when this returns; then its events are on their way."""
        with self._lock:
            try:
                done = change(self._webui)
            except Refused:
                # Whoever is refused has told nobody of anything.
                self._webui.state.events = []
                raise
            finally:
                self._persist()
            self._delivery.give(self._webui.hooks.due())
            return done

    def close(self) -> None:
        """Everything into one file. Waits for the request at hand; later ones find the service closed."""
        self._delivery.close()
        with self._lock:
            if self._disk is not None:
                self._disk.save(self._webui.snapshot())
                self._disk.close()
                self._disk = None

    def _refusable(self, request: Request) -> Answer | Page:
        try:
            return Answer(200, self._routed(request))
        except Refused as refused:
            return Answer(refused.status, {"detail": refused.detail})
        except NoPage:
            return Page()

    def _routed(self, request: Request) -> object:
        match request.path:
            case "/health":
                return {"status": True}
            case "/_control/fail":
                return self.act(lambda _: self._faults.add(Fault.parse(request.body)))
            case "/_control/calm":
                return self.act(lambda _: self._faults.clear())
            case "/_control/events":
                return self._delivery.change(_weather(request))
            case path if path.startswith(control.PREFIX):
                handler, routed = found(control.ROUTES, request)
                return self.act(lambda webui: handler(webui, routed))
            case _:
                return self._of_api(request)

    def _of_api(self, request: Request) -> object:
        handler, routed = found(routes.ROUTES, request)
        if request.path in routes.OPEN:
            return self.act(lambda webui: handler(webui, routed))
        return self.act(lambda webui: handler(webui, replace(routed, caller=webui.people.caller(request.bearer))))

    def _persist(self) -> None:
        changes = self._webui.state.drain()
        if self._disk is not None and (changes is None or not self._disk.append(changes)):
            self._disk.save(self._webui.snapshot())


def as_json(body: object) -> bytes:
    """Rows are never changed once stored, so a body may be written out after the lock is gone."""
    return json.dumps(body, separators=(",", ":")).encode()


def _detail(status: int) -> object:
    """A 409 looks like the one that racing updates of a model get."""
    return {"code": "version_conflict"} if status == 409 else f"a fault was asked for: {status}"


def _weather(request: Request) -> Weather:
    try:
        return Weather(**as_row(request.body))
    except TypeError as error:
        raise Refused(422, str(error)) from error
