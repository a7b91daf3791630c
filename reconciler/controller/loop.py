"""The loop: take what is due, make one pass over it, say when to look again. It never decides what a pass does.

Failures end here in one of three ways: worth another try (soon, then ever later), needs a person (shown, looked at
again slowly), or a bug (shown, and treated as worth another try: one bad scope must not stop the others).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Final, Protocol, TypeAlias

from reconciler.controller.backoff import Backoff
from reconciler.controller.queue import Key, Queue, is_wide
from reconciler.core.outcome import Report
from reconciler.core.snapshot import Scope
from reconciler.errors import Terminal, Transient
from reconciler.ports import Depth
from reconciler.report import summary
from reconciler.visible import visible

_log = logging.getLogger(__name__)

DEEPEST_FIRST: Final[tuple[Depth, ...]] = ("full", "values", "recent")

Runner: TypeAlias = Callable[[Sequence[Scope] | None, Depth], Report]
"""One pass that may write. No scopes: all of them."""


class Bell(Protocol):
    """What the loop sleeps on."""

    def ring(self) -> None: ...

    def wait(self, seconds: float | None) -> None:
        """Until the time is over (None: never) or somebody rang since the last wait."""
        ...


class EventBell:
    """A bell that threads and signal handlers can ring."""

    def __init__(self) -> None:
        self._rung = Event()

    def ring(self) -> None:
        self._rung.set()

    def wait(self, seconds: float | None) -> None:
        self._rung.wait(seconds)
        self._rung.clear()


@dataclass(frozen=True)
class Pace:
    """Seconds. periods: how often to look at everything, per depth. settle: after a pass that left something in the
    air. typing: while somebody is still writing. slow: after what needs a person."""

    periods: Mapping[Depth, float]
    settle: float = 2.0
    typing: float = 0.5
    slow: float = 300.0


class Loop:
    """``tell``: one line for the operator. One pass at a time: an engine spreads its own writes over threads."""

    def __init__(self, run: Runner, queue: Queue, backoff: Backoff, pace: Pace, tell: Callable[[str], None]) -> None:
        self._run, self._queue, self._backoff, self._pace, self._tell = run, queue, backoff, pace, tell
        self._trouble: dict[str, str] = {}

    def work(self, stopped: Callable[[], bool], bell: Bell) -> None:
        """Until stopped; the pass at hand is finished first."""
        for depth in self._pace.periods:
            self._queue.add(depth)
        while not stopped():
            if keys := self._queue.take():
                self._look(keys)
            else:
                bell.wait(self._queue.wait_seconds())

    def _look(self, keys: frozenset[Key]) -> None:
        """One pass over the keys, whatever comes of it."""
        scopes, depth = reach(keys)
        try:
            report = self._run(scopes, depth)
        except Transient as error:
            self._retry(keys, str(error))
        except Terminal as error:
            self._show(keys, f"needs a person: {error}")
            self._again(keys, lambda _: self._pace.slow)
        except Exception as error:
            _log.debug("a pass failed", exc_info=True)
            self._retry(keys, f"internal error, please report it: {type(error).__name__}: {error}")
        else:
            self._passed(keys, report)
        finally:
            self._queue.done(keys)

    def _retry(self, keys: frozenset[Key], message: str) -> None:
        self._show(keys, f"{message}; trying again by itself")
        self._again(keys, self._backoff.delay_seconds)

    def _passed(self, keys: frozenset[Key], report: Report) -> None:
        """A report with errors is still a pass: what it could reach is done, and one bad course or learner must not
        slow the look at all others. So periods stand, unless nothing at all could be looked at."""
        is_blind = not report.scopes and bool(report.errors)
        if report.errors or report.unknown:
            self._again(keys, lambda key: self._backoff.delay_seconds(key) if is_blind or not is_wide(key) else 0.0)
        else:
            for key in keys:
                self._backoff.forget(key)
            self._again(keys & frozenset(DEEPEST_FIRST), lambda _: 0.0)
        for scope in report.unsettled_scopes:
            self._queue.add(scope, self._pace.settle)
        for scope in report.held_scopes:
            if not is_wide(scope):  # what all learners share is polled with everything, soon enough
                self._queue.add(scope, self._pace.typing)
        self._report(keys, report)

    def _again(self, keys: frozenset[Key], delay_seconds: Callable[[Key], float]) -> None:
        """A depth's own period is the least it waits."""
        for key in keys:
            period = next((seconds for depth, seconds in self._pace.periods.items() if depth == key), 0.0)
            self._queue.add(key, max(period, delay_seconds(key)))

    def _report(self, keys: frozenset[Key], report: Report) -> None:
        """One line for a pass that did something; what is wrong only when it changes."""
        told = [f"{each.scope} {each.remote}: {each.reason}" for each in report.halts]
        told += [f"{each.where}: {each.message}" for each in report.errors]
        told += [f"{each.scope} {each.ref}: {each.reason}" for each in report.unknown]
        told += [f"{each.scope} {each.ref}: conflict {each.diff}" for each in report.conflicts]
        is_news = self._is_news(_name(keys), "\n".join(told))
        if report.writes or report.commits or (is_news and told):
            self._tell(f"{_name(keys)}: {summary(report)}")
        elif is_news:
            self._tell(f"{_name(keys)}: well again")
        for line in told if is_news else ():
            self._tell(f"  {visible(line)}")

    def _show(self, keys: frozenset[Key], trouble: str) -> None:
        if self._is_news(_name(keys), trouble):
            self._tell(f"{_name(keys)}: {visible(trouble)}")

    def _is_news(self, name: str, trouble: str) -> bool:
        is_news = self._trouble.get(name, "") != trouble
        self._trouble[name] = trouble
        return is_news


def reach(keys: frozenset[Key]) -> tuple[Sequence[Scope] | None, Depth]:
    """What one pass over the keys looks at: all scopes where a key is wide.

    A course concerns the agents of every learner on it, so it asks for all of them: the newest few would not do.
    """
    asked: list[Depth] = [depth for depth in DEEPEST_FIRST if keys & {depth}]
    asked = ["full"] if "courses" in keys else asked
    return (None if any(map(is_wide, keys)) else sorted(keys)), asked[0] if asked else "recent"


def _name(keys: frozenset[Key]) -> str:
    return "everything" if any(map(is_wide, keys)) else visible(", ".join(sorted(keys)))
