"""When a value sent to a live system may be believed.

A running agent turn writes back every block as it was when the turn began, so a 200 proves nothing while a turn is
running (measured; see the trap in docs/letta-notes.md). A value is believed once every run that was active after it
was written has ended, and a read after that still shows it. Waiting for "no run at all" would starve under busy agents,
so two rounds are waited for, each for the runs of its own listing (DESIGN 7, "Settle").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.base import FieldBase
from reconciler.core.decide import same_settled
from reconciler.core.value import Held

DEAD_AFTER = timedelta(hours=1)
"""A run that has been active for longer will not write any more."""


@dataclass(frozen=True)
class Running:
    """One active run: its agent and when it started (aware, UTC)."""

    id: str
    agent: str
    started: datetime


def on_holders(runs: Iterable[Running], holders: frozenset[str] | None, now: datetime) -> frozenset[str]:
    """Ids of the live runs of these agents; of all agents where the holders are not known."""
    return frozenset(
        run.id for run in runs if (holders is None or run.agent in holders) and now - run.started < DEAD_AFTER
    )


def settle(base: FieldBase, live: Held, active: frozenset[str]) -> FieldBase:
    """The base after a read that showed ``live``, made after a listing that showed ``active`` runs on the holders."""
    if base.is_settled:
        return base
    if not same_settled(base, live):
        return replace(base, waits=None, round=1)
    if base.waits is None:
        return replace(base, waits=active, round=1) if active else base.settle()
    left = base.waits & active
    if left:
        return replace(base, waits=left)
    return replace(base, waits=active, round=2) if active and base.round == 1 else base.settle()
