"""The tables of the stand-in, its ids and its time, and the events that wait to be delivered.

A row is never changed once stored: it is replaced. So a snapshot is a shallow copy, and a row may be handed out.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from reconciler.embedded.letta.state import Refused, Row, Rows, Table, seeded_uuids

__all__ = ["TABLES", "Refused", "Row", "Rows", "State", "Table", "denied", "not_found", "seeded_uuids", "ticking"]

TABLES = ("users", "groups", "notes", "models", "versions", "folders", "chats", "webhooks")

NOT_FOUND = "We could not find what you're looking for :/"
DENIED = "You do not have permission to access this resource. Please contact your administrator for assistance."
WRONG = "Something went wrong :/"


def not_found(status: int = 404) -> Refused:
    """Which status it is depends on the route."""
    return Refused(status, NOT_FOUND)


def denied(status: int = 401) -> Refused:
    return Refused(status, DENIED)


def ticking(start: int = 1_767_225_600_000_000_000) -> Callable[[], int]:
    """A clock that moves one millisecond whenever it is read."""
    at = start

    def now() -> int:
        nonlocal at
        at += 1_000_000
        return at

    return now


class State:
    """Everything the server remembers. `now` counts nanoseconds and never stands still."""

    def __init__(self, new_uuid: Callable[[], UUID], now: Callable[[], int]) -> None:
        self._new_uuid = new_uuid
        self.now = now
        self.events: Rows = []
        self._changed: dict[tuple[str, str], None] | None = None
        self.load({})

    def load(self, tables: dict[str, Table]) -> None:
        """Replace everything. Rows may be shared with the caller: nobody changes a row."""
        self._changed = None
        self.tables: dict[str, Table] = {name: dict(tables.get(name, {})) for name in TABLES}

    def snapshot(self) -> dict[str, Table]:
        return {name: dict(rows) for name, rows in self.tables.items()}

    def seconds(self) -> int:
        return self.now() // 1_000_000_000

    def new_id(self) -> str:
        return str(self._new_uuid())

    def find(self, table: str, key: str) -> Row | None:
        return self.tables[table].get(key)

    def rows(self, table: str) -> Rows:
        return list(self.tables[table].values())

    def put(self, table: str, row: Row) -> Row:
        self.tables[table][row["id"]] = row
        self._note(table, row["id"])
        return row

    def amend(self, table: str, row: Row, **changes: Any) -> Row:
        return self.put(table, {**row, **changes})

    def drop(self, table: str, key: str) -> None:
        del self.tables[table][key]
        self._note(table, key)

    def drain(self) -> list[tuple[str, str, Row | None]] | None:
        """What was written since the last call, with `None` for a row that is gone; `None`: everything was replaced."""
        changed, self._changed = self._changed, {}
        if changed is None:
            return None
        return [(table, key, self.tables[table].get(key)) for table, key in changed]

    def tell(self, event: str, caller: Row, subject: tuple[str, str], **told: object) -> None:
        """Something happened. Said also of a note's update that changed nothing."""
        actor = {name: caller[name] for name in ("id", "name", "email", "role", "created_at", "updated_at")}
        resource, _, operation = event.rpartition(".")
        self.events.append(
            {
                "schema": "0.12.4",
                "id": self.new_id(),
                "event": event,
                "resource": resource,
                "operation": operation,
                "created_at": self.seconds(),
                "instance_id": "embedded",
                "version": "0.12.4",
                "source": "api",
                "actor": {**actor, "type": "user"},
                "subject": dict(zip(("type", "id"), subject, strict=True)),
                "data": told,
                "message": None,
            }
        )

    def _note(self, table: str, key: str) -> None:
        if self._changed is not None:
            self._changed[table, key] = None
