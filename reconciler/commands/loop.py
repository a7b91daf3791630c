"""The loop as a process: its lock, its signals, its sources, and the lines it prints."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from reconciler.bootstrap import App, opened
from reconciler.controller.backoff import Backoff
from reconciler.controller.loop import EventBell, Loop, Pace
from reconciler.controller.queue import Queue
from reconciler.controller.sources import Sources
from reconciler.core.outcome import IN_SYNC, Report
from reconciler.core.snapshot import Scope
from reconciler.errors import Terminal
from reconciler.lock import a_turn_to_write
from reconciler.ports import Depth
from reconciler.settings import LoopSettings
from reconciler.spool import SPOOL
from reconciler.store.hooks import write_hook
from reconciler.terminal import complain, say


def run_loop(folder: Path) -> int:
    """Reconcile until SIGTERM or Ctrl-C; the pass at hand is finished first."""
    bell = EventBell()
    stop = _Stop(bell)
    with opened(folder) as app, app.workspace.lock():
        pace = app.settings.loop
        queue = Queue(time.monotonic, bell.ring)
        sources = Sources(
            folder,
            lambda key: queue.add(key, pace.debounce_seconds),
            pace.refs_seconds,
            lambda said: complain(said, "warning"),
        )
        loop = Loop(_Turns(app), queue, Backoff(random.random), _pace(pace), _tell)
        _tell(f"watching {folder}, Letta at {app.letta.url}")
        sources.start()
        try:
            app.workspace.heal()
            _hook_all(app)
            loop.work(lambda: stop.asked, bell)
        finally:
            sources.stop()
    _tell("stopped")
    return IN_SYNC


def _hook_all(app: App) -> None:
    """Have git tell us of moved refs. A repo that cannot be hooked is still found by the look at all refs."""
    for scope in ("courses", *(f"user/{user}" for user in app.workspace.users())):
        with suppress(Terminal):
            write_hook(app.workspace.repo(scope).path, app.folder / SPOOL, scope)


class _Stop:
    """Asked to stop. A second signal is not waited for: it ends the process as if we had not listened."""

    def __init__(self, bell: EventBell) -> None:
        self.asked = False
        self._bell = bell
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._heard)

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(number, signal.SIG_DFL)
        self._bell.ring()


class _Turns:
    """One pass of the loop, taking turns with whoever else applies."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, scopes: Sequence[Scope] | None, depth: Depth) -> Report:
        with a_turn_to_write(self._app.folder):
            return self._app.engine.run(apply=True, scopes=scopes, depth=depth)


def _pace(settings: LoopSettings) -> Pace:
    periods: dict[Depth, float] = {
        "recent": settings.recent_seconds,
        "values": settings.values_seconds,
        "full": settings.full_seconds,
    }
    return Pace(periods)


def _tell(line: str) -> None:
    say(f"{time.strftime('%H:%M:%S')} {line}")
