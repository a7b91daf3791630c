"""Things timed in turns, so that what disturbs the machine disturbs all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Took:
    """One run. ``cpu``: of this process alone, which is what a busy machine changes least."""

    seconds: float
    cpu: float


def timed(act: Callable[[], object]) -> Took:
    cpu, began = time.process_time(), time.perf_counter()
    act()
    return Took(time.perf_counter() - began, time.process_time() - cpu)


@dataclass(frozen=True)
class Pair:
    """The runs of two things, one after the other each time."""

    ours: Sequence[Took]
    bare: Sequence[Took]

    @property
    def ratio(self) -> float:
        """Median over median."""
        return median(self.ours) / median(self.bare)

    @property
    def ratio_p95(self) -> float:
        """Ours at its 95th percentile over the bare one at its own."""
        return p95(self.ours) / p95(self.bare)

    @property
    def told(self) -> str:
        ours, bare = median(self.ours) * 1000, median(self.bare) * 1000
        return f"{ours:,.0f} ms against {bare:,.0f} ms, p95 {self.ratio_p95:.2f} ×, {len(self.ours)} turns"


def in_turns(acts: Sequence[Callable[[], object]], times: int) -> list[list[Took]]:
    """All of them, ``times`` over; who goes first changes. One run of each beforehand is not counted."""
    for act in acts:
        act()
    taken: list[list[Took]] = [[] for _ in acts]
    for turn in range(times):
        for place in range(len(acts)):
            which = (turn + place) % len(acts)
            taken[which].append(timed(acts[which]))
    return taken


def median(runs: Sequence[Took]) -> float:
    return statistics.median(each.seconds for each in runs)


def cpu(runs: Sequence[Took]) -> float:
    return statistics.median(each.cpu for each in runs)


def p95(runs: Sequence[Took]) -> float:
    ordered = sorted(each.seconds for each in runs)
    return ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
