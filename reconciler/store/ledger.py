"""A cache in one SQLite file: handles, fingerprints, and what recent passes did. Nothing here is ever needed.

Deleting or damaging the file, at any time, costs the next pass some speed. It is the one place of the store where
what cannot be read counts as empty: every fact in it is also in git or in a live system.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final, TypeVar, cast

from reconciler.core.snapshot import Ref, Scope

T = TypeVar("T")

_KEPT_PASSES: Final = 500
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS ids (
    remote TEXT, scope TEXT, ref TEXT, handle TEXT NOT NULL, PRIMARY KEY (remote, scope, ref)
);
CREATE TABLE IF NOT EXISTS fingerprints (scope TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS passes (
    id TEXT PRIMARY KEY, started TEXT NOT NULL, finished TEXT NOT NULL, counts TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class PassSummary:
    """One pass in numbers."""

    id: str
    started: datetime
    finished: datetime
    counts: Mapping[str, int]


class Ledger:
    """The cache at ``path``. read_only: for plans, which leave even this file as it is. Safe for threads."""

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self._path, self._read_only = path, read_only
        self._lock = Lock()

    def handles(self, remote: str) -> Mapping[tuple[Scope, Ref], str]:
        """The live system's own id of every resource, as last seen."""

        def read(db: sqlite3.Connection) -> dict[tuple[Scope, Ref], str]:
            rows = db.execute("SELECT scope, ref, handle FROM ids WHERE remote = ?", (remote,))
            return {(str(scope), str(ref)): str(handle) for scope, ref, handle in rows}

        return self._try(read, {})

    def remember_handles(self, remote: str, found: Mapping[tuple[Scope, Ref], str | None]) -> None:
        """Keep these; None forgets."""
        kept = [(remote, *key, handle) for key, handle in found.items() if handle is not None]
        gone = [(remote, *key) for key, handle in found.items() if handle is None]

        def write(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO ids VALUES (?, ?, ?, ?)", kept)
            db.executemany("DELETE FROM ids WHERE remote = ? AND scope = ? AND ref = ?", gone)

        self._write(write)

    def fingerprints(self) -> Mapping[Scope, str]:
        """What each scope looked like when there was last nothing to do in it."""

        def read(db: sqlite3.Connection) -> dict[Scope, str]:
            return {str(scope): str(text) for scope, text in db.execute("SELECT scope, text FROM fingerprints")}

        return self._try(read, {})

    def remember_fingerprints(self, found: Mapping[Scope, str | None]) -> None:
        """Keep these; None forgets."""
        kept = [(scope, text) for scope, text in found.items() if text is not None]
        gone = [(scope,) for scope, text in found.items() if text is None]

        def write(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO fingerprints VALUES (?, ?)", kept)
            db.executemany("DELETE FROM fingerprints WHERE scope = ?", gone)

        self._write(write)

    def record(self, done: PassSummary) -> None:
        """Add a pass; the oldest fall off."""
        row = (done.id, done.started.isoformat(), done.finished.isoformat(), json.dumps(dict(done.counts)))
        newest = "SELECT id FROM passes ORDER BY finished DESC LIMIT ?"

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO passes VALUES (?, ?, ?, ?)", row)
            db.execute(f"DELETE FROM passes WHERE id NOT IN ({newest})", (_KEPT_PASSES,))

        self._write(write)

    def passes(self, limit: int = 20) -> Sequence[PassSummary]:
        """The passes that finished last, newest first."""

        def read(db: sqlite3.Connection) -> list[PassSummary]:
            rows = db.execute("SELECT * FROM passes ORDER BY finished DESC LIMIT ?", (limit,))
            return [_summary(*map(str, row)) for row in rows]

        return self._try(read, [])

    def _write(self, work: Callable[[sqlite3.Connection], None]) -> None:
        if not self._read_only:
            self._try(work, None)

    def _try(self, work: Callable[[sqlite3.Connection], T], empty: T) -> T:
        """Do the work; on a damaged file once more on a new one, and then without."""
        with self._lock:
            for _ in range(2):
                try:
                    with closing(self._open()) as db, db:
                        return work(db)
                except (sqlite3.Error, ValueError, TypeError, OSError) as error:
                    if self._read_only or _is_busy(error):
                        return empty
                    self._forget()
            return empty

    def _open(self) -> sqlite3.Connection:
        """A connection for one piece of work: another process may have replaced the file since the last."""
        if self._read_only:
            return sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=1)
        self._path.parent.mkdir(exist_ok=True)
        db = sqlite3.connect(self._path, timeout=5)
        # No waiting for the disk: after a power cut the file may be damaged, and that is harmless here.
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(_SCHEMA)
        return db

    def _forget(self) -> None:
        for name in (self._path, self._path.with_name(self._path.name + "-journal")):
            try:
                name.unlink(missing_ok=True)
            except OSError:  # a folder in its place, or a read-only disk: then there is no cache
                return


def _is_busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def _summary(name: str, started: str, finished: str, counts: str) -> PassSummary:
    found = cast("dict[str, int]", json.loads(counts))
    return PassSummary(name, datetime.fromisoformat(started), datetime.fromisoformat(finished), found)
