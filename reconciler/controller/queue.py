"""What to look at next: one place per key, the earliest time wins, and no key is in two hands at once.

A key is a user's scope, or something wider: the courses, or everything at one depth. A wide key touches every scope,
so it is handed out alone, and while one is due nothing else starts: otherwise a stream of small keys would starve it.
No facts travel in a key; whoever takes one reads the world.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Final, TypeAlias

Key: TypeAlias = str
"""A scope, or one of ``recent``, ``values``, ``full``."""

_NARROW: Final = "user/"


def is_wide(key: Key) -> bool:
    """Whether a pass over the key may touch every scope."""
    return not key.startswith(_NARROW)


class Queue:
    """``now``: seconds, never going backwards. ``on_change`` is called after a key was added, outside the lock."""

    def __init__(self, now: Callable[[], float], on_change: Callable[[], None] = lambda: None) -> None:
        self._now, self._on_change = now, on_change
        self._lock = Lock()
        self._due: dict[Key, float] = {}
        self._taken: set[Key] = set()

    def add(self, key: Key, delay_seconds: float = 0.0) -> None:
        """Ask for a look at the key. A later time never replaces an earlier one.

        A key in hand keeps its new place until it is handed back, so a change during its pass is not missed.
        """
        at = self._now() + delay_seconds
        with self._lock:
            self._due[key] = min(at, self._due.get(key, at))
        self._on_change()

    def take(self) -> frozenset[Key]:
        """All keys that may be looked at in one pass now; empty where there are none. Give them back with ``done``."""
        with self._lock:
            ready = self._ready()
            for key in ready:
                del self._due[key]
            self._taken |= ready
            return frozenset(ready)

    def done(self, keys: frozenset[Key]) -> None:
        """The pass over these keys has ended, however it ended."""
        with self._lock:
            self._taken -= keys
        self._on_change()

    def wait_seconds(self) -> float | None:
        """How long until ``take`` may have something; None where only ``add`` or ``done`` can bring it."""
        with self._lock:
            if self._ready():
                return 0.0
            now = self._now()
            later = [at - now for key, at in self._due.items() if at > now and key not in self._taken]
            return min(later, default=None)

    def _ready(self) -> set[Key]:
        """A wide pass looks at what is narrow too, so it takes all that is due."""
        now = self._now()
        due = {key for key, at in self._due.items() if at <= now}
        if any(map(is_wide, due)):
            return set() if self._taken else due
        if any(map(is_wide, self._taken)):
            return set()
        return due - self._taken
