"""The loop's part of a world: keys that wait in its own queue, and events that are lost, doubled and late."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random

from reconciler.controller.loop import reach
from reconciler.controller.queue import Key, Queue, is_wide
from reconciler.core.outcome import Report
from reconciler.core.snapshot import Scope
from reconciler.ports import Depth

PERIODS: Mapping[Depth, float] = {"recent": 5.0, "values": 40.0, "full": 120.0}
"""Seconds between two looks of a depth; whatever events do, these find what there is."""

SETTLE = 2.0
"""Seconds until a scope with something in the air is looked at again."""


class Events:
    """What has been heard of, and when to look."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.restart()

    def restart(self) -> None:
        """A new process knows of no event, and looks at everything first."""
        self._queue = Queue(lambda: self._now().timestamp())
        for depth in PERIODS:
            self._queue.add(depth)

    def tell(self, rng: Random, key: Key) -> None:
        """Something happened there. That may be heard twice, late, or not at all."""
        if rng.random() < 0.3:
            return
        for _ in range(2 if rng.random() < 0.25 else 1):
            self._queue.add(key, rng.choice([0.0, 0.0, 1.0, 10.0, 40.0]))

    def due(self) -> tuple[frozenset[Key], Sequence[Scope] | None, Depth]:
        """The keys of the next pass, and what it looks at; no keys where nothing is due."""
        keys = self._queue.take()
        return keys, *reach(keys)

    def passed(self, keys: frozenset[Key], report: Report | None) -> None:
        """The pass is over; of one that died, only a new process knows."""
        if report is None:
            return self.restart()
        for depth, period in PERIODS.items():
            if depth in keys:
                self._queue.add(depth, period)
        for key in keys if report.errors or report.unknown else ():
            self._queue.add(key, PERIODS["recent"] if is_wide(key) else 1.0)
        for scope in report.unsettled_scopes:
            self._queue.add(scope, SETTLE)
        self._queue.done(keys)
