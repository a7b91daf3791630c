"""The tables of the stand-in and the two things a state machine may not invent: ids and time.

A row is never changed once stored: it is replaced. So a snapshot is a shallow copy, a row may be handed out as it
is, and what changed since the last save is a set of keys.
"""

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

# Rows are JSON objects whose shape the real server's API document fixes; typing them again here would only
# repeat it. They do not leave this package except as JSON.
Row = dict[str, Any]
Rows = list[Row]
Ids = list[str]
Table = dict[str, Row]

TABLES = ("agents", "blocks", "tools", "runs", "messages")
_PREFIX = {"agents": "agent", "blocks": "block", "tools": "tool", "runs": "run", "messages": "message"}
_UUID4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_WELL_FORMED = {table: re.compile(f"{prefix}-{_UUID4}") for table, prefix in _PREFIX.items()}


class Refused(Exception):
    """The request is answered with this HTTP status and changes nothing more than the docstring of the call says."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail


def seeded_uuids(seed: int) -> Callable[[], UUID]:
    """The same ids in the same order for the same seed."""
    bits = random.Random(seed).getrandbits
    return lambda: UUID(int=bits(128), version=4)


def ticking(start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> Callable[[], datetime]:
    """A clock that moves one millisecond whenever it is read."""
    at = start

    def now() -> datetime:
        nonlocal at
        at += timedelta(milliseconds=1)
        return at

    return now


def stamp(at: datetime) -> str:
    """Always six digits of a second, so that stamps sort as text."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}Z"


class State:
    """All tables, two indexes derived from them, and the keys written since `drain`."""

    def __init__(self, new_uuid: Callable[[], UUID], now: Callable[[], datetime]) -> None:
        self._new_uuid = new_uuid
        self._now = now
        self._changed: dict[tuple[str, str], None] | None = None
        self.load({})

    def load(self, tables: dict[str, Table]) -> None:
        """Replace everything. Rows may be shared with the caller: nobody changes a row."""
        self._changed = None
        self.tables: dict[str, Table] = {name: dict(tables.get(name, {})) for name in TABLES}
        self.active_runs = {key: None for key, run in self.tables["runs"].items() if is_active(run)}
        self.messages_of: dict[str, list[str]] = {}
        for key, message in self.tables["messages"].items():
            self.messages_of.setdefault(message["agent_id"], []).append(key)

    def snapshot(self) -> dict[str, Table]:
        return {name: dict(rows) for name, rows in self.tables.items()}

    def now(self) -> str:
        return stamp(self._now())

    def new_id(self, table: str) -> str:
        return f"{_PREFIX[table]}-{self._new_uuid()}"

    def new_step_id(self) -> str:
        return f"step-{self._new_uuid()}"

    def get(self, table: str, key: str) -> Row:
        """The row; a malformed id is 422, an unknown one 404."""
        row = self.tables[table].get(key)
        if row is not None:
            return row
        self.check_id(table, key)
        raise Refused(404, f"{_PREFIX[table].capitalize()} not found with id={key!r}")

    def check_id(self, table: str, key: str) -> None:
        if not _WELL_FORMED[table].fullmatch(key):
            raise Refused(422, f"String should match pattern for {_PREFIX[table]} ids: {key!r}")

    def put(self, table: str, row: Row) -> Row:
        key = row["id"]
        if table == "messages" and key not in self.tables[table]:
            self.messages_of.setdefault(row["agent_id"], []).append(key)
        if table == "runs":
            self._index_run(row)
        self.tables[table][key] = row
        self._note(table, key)
        return row

    def amend(self, table: str, row: Row, **changes: Any) -> Row:
        return self.put(table, {**row, **changes})

    def drop(self, table: str, key: str) -> None:
        row = self.tables[table].pop(key)
        self.active_runs.pop(key, None)
        if table == "messages":
            self.messages_of[row["agent_id"]].remove(key)
        self._note(table, key)

    def drain(self) -> list[tuple[str, str, Row | None]] | None:
        """What was written since the last call, in order, with `None` for a row that is gone.

        `None` for the list: everything was replaced.
        """
        changed, self._changed = self._changed, {}
        if changed is None:
            return None
        return [(table, key, self.tables[table].get(key)) for table, key in changed]

    def _note(self, table: str, key: str) -> None:
        if self._changed is not None:
            self._changed[table, key] = None

    def _index_run(self, run: Row) -> None:
        if is_active(run):
            self.active_runs[run["id"]] = None
        else:
            self.active_runs.pop(run["id"], None)


def is_active(run: Row) -> bool:
    return run["status"] in ("created", "running")
