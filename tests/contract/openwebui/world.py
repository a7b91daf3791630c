"""The server a contract test looks at: the stand-in or a real one, behind a tap; and the people who use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from reconciler.core.snapshot import Unreadable
from reconciler.ports import Action, Applied, Live
from reconciler.remotes.openwebui import OpenWebUIRemote
from tests.contract.openwebui.things import WORKSPACE
from tests.contract.tap import Tap
from tests.http import HTTP


@dataclass
class Watch:
    """Time that passes only when told, except that it starts now: the server stamps with the real time."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def pass_seconds(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Account:
    """Somebody with a browser."""

    id: str
    token: str
    email: str

    @property
    def writes(self) -> str:
        return f"user:{self.id}:write"

    @property
    def reads(self) -> str:
        return f"user:{self.id}:read"


@dataclass
class World:
    """`key`: the service account's."""

    tap: Tap
    key: str
    watch: Watch = field(default_factory=Watch)
    remotes: list[OpenWebUIRemote] = field(default_factory=list)

    def remote(self, workspace: str = WORKSPACE, key: str | None = None) -> OpenWebUIRemote:
        """A fresh adapter: it remembers nothing of what another has read."""
        key = self.key if key is None else key
        made = OpenWebUIRemote(self.tap.url, key, workspace, now=self.watch.now, timeout=30)
        self.remotes.append(made)
        return made

    def close(self) -> None:
        for remote in self.remotes:
            remote.close()

    def call(self, method: str, path: str, who: Account | None = None, **options: Any) -> httpx.Response:
        """Somebody's own request, past the tap."""
        headers = {"Authorization": f"Bearer {who.token if who else self.key}"}
        path = path if path.startswith("/api/") else f"/api/v1{path}"
        return HTTP.request(method, self.tap.upstream + path, headers=headers, timeout=60, **options)

    def ask(self, method: str, path: str, who: Account | None = None, **options: Any) -> Any:
        reply = self.call(method, path, who, **options)
        assert reply.status_code < 400, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json() if reply.content else None

    def account(self, name: str, role: str = "user") -> Account:
        email = f"{name}@example.org"
        body = {"name": name.title(), "email": email, "password": "a long enough one", "role": role}
        made = self.ask("POST", "/auths/add", json=body)
        return Account(made["id"], made["token"], email)

    def note(self, handle: str) -> Any:
        return self.ask("GET", f"/notes/{handle}")

    def notes(self) -> list[Any]:
        return self.ask("GET", "/notes/search")["items"]

    def type(self, handle: str, markdown: str, who: Account | None = None, **more: Any) -> Any:
        body = {"data": {"content": {"md": markdown}}, **more}
        return self.ask("POST", f"/notes/{handle}/update", who, json=body)

    def make_note(self, markdown: str, who: Account | None = None, **more: Any) -> Any:
        body = {"title": "x", "data": {"content": {"md": markdown}}, "access_grants": [], **more}
        return self.ask("POST", "/notes/create", who, json=body)

    def model(self, handle: str) -> Any:
        return self.ask("GET", "/models/model", params={"id": handle})

    def save_model(self, handle: str, who: Account | None = None, words: str = "", **changes: Any) -> Any:
        """As the model editor does: everything it holds, with the changes."""
        row = self.model(handle)
        form = {name: row[name] for name in ("id", "name", "base_model_id", "meta", "params")}
        for name, value in changes.items():
            form[name] = form[name] | value if isinstance(value, dict) else value
        return self.ask("POST", "/models/model/update", who, json=form | {"commit_message": words or None})


def applied(remote: OpenWebUIRemote, action: Action) -> Live:
    outcome = remote.apply(action)
    assert isinstance(outcome, Applied), outcome
    assert outcome.live is not None
    return outcome.live


def found(remote: OpenWebUIRemote, live: Live) -> Live:
    """The same thing again, readable."""
    again = remote.reread([live])[live.handle]
    assert isinstance(again, Live), again
    return again


def unreadable(remote: OpenWebUIRemote, live: Live) -> Unreadable:
    again = remote.reread([live])[live.handle]
    assert isinstance(again, Unreadable), again
    return again
