"""A stand-in's folder: one file with everything, and a journal of the rows written since.

A request is acknowledged after its rows are in the journal and on the disk, so a killed process loses nothing that
was promised. A journal line holds whole rows, so replaying a line twice, or over a newer file, changes nothing: that
is why a crash between writing the file and emptying the journal is harmless.
"""

import fcntl
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from reconciler.embedded.letta.state import TABLES, Row, Table

VERSION = 1
_SMALLEST_COMPACTION_BYTES = 4_000_000

Change = tuple[str, str, Row | None]


class DamagedData(Exception):
    """The folder cannot be read, and starting empty would look like a wiped server: a person must look."""


class Disk:
    """Owns one folder; a second process on it is refused."""

    def __init__(self, folder: Path, name: str = "letta", tables: Sequence[str] = TABLES) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._tables = tables
        self._file = folder / f"{name}.json"
        self._lock = os.open(folder / f"{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        self._take_lock(folder)
        self._journal = os.open(folder / f"{name}.journal", os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        self._saved_bytes = 0
        self._behind = False

    def load(self) -> dict[str, Table] | None:
        """What was acknowledged last; `None` for a new folder."""
        lines = self._journal_lines()
        if not self._file.exists() and not lines:
            return None
        tables = self._read_file()
        for number, line in enumerate(lines, 1):
            self._replay(tables, line, number)
        return tables

    def append(self, changes: list[Change]) -> bool:
        """Make changes durable. False when only `save` can: the journal is long, or a write to it failed before."""
        if self._behind:
            return False
        if not changes:
            return True
        try:
            _write_all(self._journal, json.dumps(changes, separators=(",", ":")).encode() + b"\n")
            os.fdatasync(self._journal)
        except OSError:
            self._behind = True
            raise
        return os.fstat(self._journal).st_size < max(_SMALLEST_COMPACTION_BYTES, self._saved_bytes)

    def save(self, tables: dict[str, Table]) -> None:
        """Everything into the file, in one step for whoever reads it, and the journal emptied after."""
        text = json.dumps({"version": VERSION, "tables": tables}, separators=(",", ":")).encode()
        self._behind = True
        scratch = self._file.with_suffix(".new")
        # What learners told their tutor is for this account only.
        with open(os.open(scratch, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        scratch.replace(self._file)
        _sync_folder(self._file.parent)
        os.ftruncate(self._journal, 0)
        self._saved_bytes, self._behind = len(text), False

    def close(self) -> None:
        os.close(self._journal)
        os.close(self._lock)

    def _take_lock(self, folder: Path) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise DamagedData(f"{folder} is in use by another process; stop that one first") from error

    def _read_file(self) -> dict[str, Table]:
        if not self._file.exists():
            return {name: {} for name in self._tables}
        try:
            read = json.loads(self._file.read_bytes())
        except ValueError as error:
            raise DamagedData(f"{self._file} is not JSON: {error}; restore it or move it away") from error
        if not isinstance(read, dict) or cast(Row, read).get("version") != VERSION:
            raise DamagedData(f"{self._file} has a format this version does not know; move it away to start empty")
        saved = cast(dict[str, Table], read["tables"])
        return {name: saved.get(name, {}) for name in self._tables}

    def _journal_lines(self) -> list[bytes]:
        """The whole lines; a torn last one was never acknowledged, and is cut off so that nothing is glued to it."""
        text = os.pread(self._journal, os.fstat(self._journal).st_size, 0)
        whole = text[: text.rfind(b"\n") + 1]
        if len(whole) < len(text):
            os.ftruncate(self._journal, len(whole))
        return whole.splitlines()

    def _replay(self, tables: dict[str, Table], line: bytes, number: int) -> None:
        try:
            changes = cast(list[Change], json.loads(line))
        except ValueError as error:
            raise DamagedData(f"line {number} of {self._file.with_suffix('.journal')} is not JSON") from error
        for table, key, row in changes:
            if row is None:
                tables[table].pop(key, None)
            else:
                tables[table][key] = row


def _write_all(descriptor: int, text: bytes) -> None:
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
