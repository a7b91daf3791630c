"""What earlier reads taught: which note is which block, and what it showed at which ``updated_at``. A cache.

Open WebUI moves a note's ``updated_at`` (nanoseconds) with every change of title, body or meta, and with nothing else
(0.12.4). So a note seen again with the same one is the same note, and need not be fetched.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.snapshot import Scope, Unreadable
from reconciler.ports import Live
from reconciler.remotes.openwebui.marks import Identity

TRUSTED = timedelta(seconds=20)


@dataclass(frozen=True)
class Sight:
    """One note of the service account. ``it``: None where it is none of our blocks.

    written: it holds just what we wrote. since: when this ``updated`` was first seen here.
    """

    updated: int
    created: int
    it: Identity | None
    shown: Live | Unreadable | None
    written: bool
    since: datetime
    unclear: str = ""


class Known:
    """Shared by the threads that write; every method that changes something holds the lock."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._notes: dict[str, Sight] = {}
        self._handles: dict[Identity, str] = {}
        self._scopes: dict[Scope, set[str]] = {}
        self._tried: set[Identity] = set()
        self._proved: datetime | None = None

    # ------------------------------------------------------------------ notes

    def note(self, note: str) -> Sight | None:
        return self._notes.get(note)

    def notes(self) -> list[str]:
        return list(self._notes)

    def learn(self, note: str, sight: Sight) -> None:
        with self._lock:
            self._unlink(note)
            self._notes[note] = sight
            if sight.it is None:
                return
            self._tried.discard(sight.it)
            self._scopes.setdefault(sight.it.scope, set()).add(note)
            holder = self._handles.get(sight.it)
            if holder is None or self._age(note) < self._age(holder):
                self._handles[sight.it] = note

    def rename(self, note: str, it: Identity) -> None:
        """The note's mark was made to say that it is this block."""
        if (sight := self._notes.get(note)) and sight.it != it:
            self.learn(note, replace(sight, it=it))

    def forget(self, note: str) -> None:
        with self._lock:
            self._unlink(note)
            self._notes.pop(note, None)

    def handle(self, it: Identity) -> str | None:
        """The id of the note that is the block; of two that claim to be, the older."""
        return self._handles.get(it)

    def of_scopes(self, scopes: Iterable[Scope]) -> list[str]:
        with self._lock:
            return [note for scope in scopes for note in self._scopes.get(scope, ())]

    def _age(self, note: str) -> tuple[int, str]:
        sight = self._notes.get(note)
        return (sight.created if sight else 0, note)

    def _unlink(self, note: str) -> None:
        old = self._notes.get(note)
        if old is None or old.it is None:
            return
        self._scopes.get(old.it.scope, set()).discard(note)
        if self._handles.get(old.it) == note:
            others = (each for each in self._scopes.get(old.it.scope, ()) if self._notes[each].it == old.it)
            heir = min(others, key=self._age, default=None)
            if heir:
                self._handles[old.it] = heir
            else:
                del self._handles[old.it]

    # ------------------------------------------------------------------ what is known not to be there

    @property
    def is_whole(self) -> bool:
        """Whether all notes of the account have been read once."""
        return self._proved is not None

    def prove(self, at: datetime | None) -> None:
        """At that moment these were all the notes; None: that is no longer known."""
        with self._lock:
            self._proved = at

    def note_attempt(self, it: Identity) -> None:
        """A create is under way: its reply may be lost, so from here on only another look is proof."""
        with self._lock:
            self._tried.add(it)

    def is_surely_absent(self, it: Identity, now: datetime) -> bool:
        with self._lock:
            is_fresh = self._proved is not None and now - self._proved < TRUSTED
            return is_fresh and it not in self._tried and it not in self._handles
