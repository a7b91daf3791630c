"""Open WebUI in memory: the stand-in's own model, and the real adapter over it, without a socket in between.

So the Markdown of notes, the forms of models, and everything the adapter remembers between its reads are the true ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from reconciler.core.snapshot import Ref, Scope
from reconciler.embedded.openwebui import routes
from reconciler.embedded.openwebui.model import OpenWebUI
from reconciler.embedded.openwebui.request import Request, found
from reconciler.embedded.openwebui.state import Refused as SaidNo
from reconciler.embedded.openwebui.state import Row
from reconciler.errors import Transient
from reconciler.policy import WebPolicy
from reconciler.ports import Live, People, WebGroup, WebUser
from reconciler.remotes.openwebui.client import Api, Refused
from reconciler.remotes.openwebui.marks import mark_of
from reconciler.remotes.openwebui.models import live_model
from reconciler.remotes.openwebui.notes import live_note, markdown_of
from reconciler.remotes.openwebui.wire import Json, table, text
from reconciler.simulation.documents import model_text
from reconciler.simulation.faults import Hazard

T = TypeVar("T")
STAFF = "staff"
POLICY = WebPolicy(base_model="gpt-4o", staff={"c1": (STAFF,)})

Changed = Callable[[Row, Row], None]
"""Told of a note or a model before and after the engine's own writes."""


class WebServer:
    """The whole state of Open WebUI, by the simulation's clock.

    teacher: writes in the notes of shared blocks. editor: an admin, who edits models.
    """

    def __init__(self, now: Callable[[], datetime], workspace: str) -> None:
        self._now, self._last = now, 0
        self._read: dict[str, tuple[Row, tuple[Scope, Ref, str | None] | None]] = {}
        self.webui = OpenWebUI(now=self._moment)
        self.admin: str = self.webui.admin["id"]
        # Made beforehand, for the adapter would make it by chance.
        self.webui.people.tell_of_me(self.account(self.admin), {f"reconciler-{workspace}": "5" * 64})
        self.teacher = self.add_account("tess")
        self.editor = self.add_account("otto", "admin")
        group = self.webui.people.add_group(self.account(self.admin), {"name": STAFF})
        self.webui.people.change_members(self.account(self.admin), group["id"], "add", {"user_ids": [self.teacher]})

    def _moment(self) -> int:
        """Nanoseconds that never stand still."""
        self._last = max(self._last + 1, int(self._now().timestamp() * 1_000_000) * 1_000)
        return self._last

    def add_account(self, name: str, role: str = "user") -> str:
        body = {"name": name.title(), "email": f"{name}@example.org", "password": name, "role": role}
        made = self.webui.people.add(self.account(self.admin), body)
        return str(made["id"])

    def account(self, key: str) -> Row:
        row = self.webui.state.find("users", key)
        assert row is not None, "no account is deleted here"
        return row

    def asked(self, method: str, path: str, query: dict[str, str], body: object) -> object:
        """One request of the service account, as the server answers it."""
        handler, routed = found(routes.ROUTES, Request(method, path, query, body))
        try:
            return handler(self.webui, replace(routed, caller=self.account(self.admin)))
        except SaidNo as refusal:
            raise Refused(refusal.status, str(refusal.detail)) from refusal

    def drained(self) -> int:
        """How many events there were since the last call."""
        told, self.webui.state.events = self.webui.state.events, []
        return len(told)

    # ------------------------------------------------------------------ what is ours there

    def notes(self) -> list[Row]:
        return [row for row in self.webui.state.rows("notes") if mark_of(row)]

    def models(self) -> list[Row]:
        return [row for row in self.webui.state.rows("models") if mark_of(row)]

    def row(self, handle: str) -> Row | None:
        return self.webui.state.find("notes", handle) or self.webui.state.find("models", handle)

    def of(self, scope: Scope, ref: Ref) -> Row | None:
        """The note or the model that is this resource."""
        things = [*self.notes(), *self.models()]
        return next((row for row in things if (scope_of(row), ref_of_row(row)) == (scope, ref)), None)

    def lives(self, scope: Scope) -> Iterator[tuple[Ref, str]]:
        """What can be read of a scope, each as a document."""
        tables = self.webui.state.tables
        for row in (*tables["notes"].values(), *tables["models"].values()):
            shown = self._shown(row)
            if shown is not None and shown[0] == scope and shown[2] is not None:
                yield shown[1], shown[2]

    def _shown(self, row: Row) -> tuple[Scope, Ref, str | None] | None:
        """What a row is and says, where it is ours; rows are replaced and never changed, so each is read once."""
        if self._read.get(row["id"], (None, None))[0] is not row:
            self._read[row["id"]] = row, (scope_of(row), ref_of_row(row), text_of(row)) if mark_of(row) else None
        return self._read[row["id"]][1]


def scope_of(row: Row) -> Scope:
    return str(mark_of(row)["scope"])


def ref_of_row(row: Row) -> Ref:
    return str(mark_of(row)["ref"])


def is_note(row: Row) -> bool:
    return "params" not in row


def text_of(row: Row) -> str | None:
    """The document as the adapter reads it; None where it cannot."""
    live = live_note(row, ref_of_row(row)) if is_note(row) else live_model(row, ref_of_row(row))
    if not isinstance(live, Live):
        return None
    return live.text if is_note(row) else model_text(live.fields)


def markdown(row: Row) -> str:
    return markdown_of(row)


class MemoryApi(Api):
    """The adapter's requests, answered by the model itself. Of those that write each may fail, or be the last."""

    def __init__(self, server: WebServer, hazard: Hazard, changed: Changed) -> None:
        self._server, self._hazard, self._changed = server, hazard, changed  # nothing is connected

    def close(self) -> None:
        pass

    def get(self, path: str, **query: object) -> object:
        return self._server.asked("GET", _whole(path), _texts(query), None)

    def made(self, path: str, make: Callable[[object], T], **query: object) -> T:
        return make(self.get(path, **query))

    def post(self, path: str, body: Mapping[str, object], **query: object) -> Json:
        return table(self._told("POST", _whole(path), _texts(query), table(json.loads(json.dumps(body)))))

    def put(self, path: str, body: Mapping[str, object]) -> Json:
        raise NotImplementedError("nothing is put in these histories")

    def delete(self, path: str) -> None:
        self._told("DELETE", _whole(path), {}, {})

    def _told(self, method: str, path: str, query: dict[str, str], body: Json) -> object:
        self._hazard.step()
        if self._hazard.fails():
            raise Transient("Open WebUI cannot be reached")
        reply = self._written(method, path, query, body)
        if self._hazard.fails():
            raise Transient("Open WebUI did not answer in time")
        return reply

    def _written(self, method: str, path: str, query: dict[str, str], body: Json) -> object:
        named = text(body, "id") or path.removeprefix("/api/v1/notes/").partition("/")[0]
        before = self._server.row(named)
        reply = self._server.asked(method, path, query, body)
        after = self._server.row(named)
        if before is not None and after is not None and before is not after:
            self._changed(before, after)
        return reply


def _whole(path: str) -> str:
    return path if path.startswith("/api/") else f"/api/v1{path}"


def _texts(query: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items()}


class SimPeople:
    """Accounts and groups, which may fail to be listed. ``unmet``: whether they did in this pass."""

    def __init__(self, inner: People, hazard: Hazard) -> None:
        self._inner, self._hazard = inner, hazard
        self.unmet = False

    def users(self) -> Sequence[WebUser]:
        self._touch("the accounts are listed")
        return self._inner.users()

    def groups(self) -> Sequence[WebGroup]:
        self._touch("the groups are listed")
        return self._inner.groups()

    def _touch(self, what: str) -> None:
        self._hazard.touch(what)
        if self._hazard.fails():
            self.unmet = True
            raise Transient("the accounts cannot be listed")
