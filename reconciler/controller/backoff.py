"""How long to wait after a failure: longer each time, per key, and never in step with others."""

from __future__ import annotations

from collections.abc import Callable

_MOST_DOUBLINGS = 30


class Backoff:
    """``random`` gives numbers in [0, 1): it spreads the second half of each wait, so that what failed together
    (a server that went away) does not come back together."""

    def __init__(self, random: Callable[[], float], first_seconds: float = 1.0, most_seconds: float = 300.0) -> None:
        self._random, self._first, self._most = random, first_seconds, most_seconds
        self._failures: dict[str, int] = {}

    def delay_seconds(self, key: str) -> float:
        """The wait after one more failure of the key."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        whole = min(self._most, self._first * 2.0 ** min(failures, _MOST_DOUBLINGS))
        return whole * (0.5 + 0.5 * self._random())

    def forget(self, key: str) -> None:
        """The key succeeded: its next failure is its first."""
        self._failures.pop(key, None)
