"""Open WebUI with many accounts and notes, without the minutes that making each by its API takes (13 ms a request).

The engine makes the notes, as it does everywhere; a remote around the real one keeps their rows, as the adapter words
them, and puts all of them into the server's database at the end. Whatever is measured reads them through the API.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Mapping, Sequence

from reconciler.core.snapshot import Unreadable
from reconciler.ports import Action, Applied, Live, Outcome
from reconciler.remotes.openwebui import OpenWebUIRemote
from reconciler.remotes.openwebui.client import Api
from reconciler.remotes.openwebui.grants import access_sent
from reconciler.remotes.openwebui.marks import Identity
from reconciler.remotes.openwebui.me import Me
from reconciler.remotes.openwebui.notes import live_note, new_note, sealed
from reconciler.remotes.openwebui.wire import Json
from tests.live.openwebui import OpenWebUIServer
from tests.live.openwebui_home import in_database

_NOTE = "INSERT INTO note (id, user_id, title, data, meta, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
_GRANT = (
    "INSERT INTO access_grant (id, resource_type, resource_id, principal_type, principal_id, permission, created_at) "
    "VALUES (?, 'note', ?, ?, ?, ?, ?)"
)
_ACCOUNT = (
    "INSERT INTO user (id, name, email, role, profile_image_url, last_active_at, updated_at, created_at, "
    "oauth, info, settings, scim) VALUES (?, ?, ?, 'user', '/user.png', ?, ?, ?, 'null', 'null', 'null', 'null')"
)


def add_accounts(server: OpenWebUIServer, count: int) -> None:
    """People who never log in: hashing a password takes longer than all the rest of making one."""
    now = int(time.time())
    named = [(str(uuid.uuid4()), f"Learner {at}", f"u{at:05}@example.org", now, now, now) for at in range(count)]
    in_database(server.folder, lambda database: database.executemany(_ACCOUNT, named) and None)


class Stock(OpenWebUIRemote):
    """The adapter, but what it creates of notes waits for ``fill``."""

    def __init__(self, server: OpenWebUIServer, workspace: str, **options: object) -> None:
        super().__init__(server.url, server.admin_key, workspace, **options)  # type: ignore[arg-type]
        self._server, self._uuid = server, workspace
        api = Api(server.url, server.admin_key, 60)
        self._secret = Me(api, workspace).secret_to_write_with()
        api.close()
        self._rows: list[Json] = []
        self._lives: dict[str, Live] = {}

    def apply(self, action: Action) -> Outcome:
        if action.verb != "create" or action.ref.startswith("model/"):
            return super().apply(action)
        row = self._row(action)
        live = live_note(row, action.ref)
        assert isinstance(live, Live)
        self._rows.append(row)
        self._lives[live.handle] = live
        return Applied(live)

    def reread(self, lives: Sequence[Live]) -> Mapping[str, Live | Unreadable | None]:
        others = [live for live in lives if live.handle not in self._lives]
        return {**self._lives, **super().reread(others)}

    def _row(self, action: Action) -> Json:
        now = time.time_ns()
        owned = {"id": str(uuid.uuid4()), "user_id": self._server.admin.id, "created_at": now, "updated_at": now}
        row = owned | new_note(self._uuid, action) | {"access_grants": access_sent(action.fields["@access"])}
        return row | sealed(self._secret, self._uuid, Identity(action.scope, action.ref), row)

    def fill(self) -> None:
        """Put the notes where the server finds them."""
        in_database(self._server.folder, self._insert)

    def _insert(self, database: sqlite3.Connection) -> None:
        database.executemany(_NOTE, map(_columns, self._rows))
        database.executemany(_GRANT, [grant for row in self._rows for grant in _grants(row)])


def _columns(row: Json) -> tuple[object, ...]:
    told = (json.dumps(row["data"]), json.dumps(row["meta"]))
    return (row["id"], row["user_id"], row["title"], *told, row["created_at"], row["updated_at"])


def _grants(row: Mapping[str, object]) -> list[tuple[object, ...]]:
    kinds = ("principal_type", "principal_id", "permission")
    return [
        (str(uuid.uuid4()), row["id"], *(grant[kind] for kind in kinds), int(time.time()))
        for grant in row["access_grants"]  # type: ignore[attr-defined]
    ]
