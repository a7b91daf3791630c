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
from reconciler.commands.desks import Desks
from reconciler.commands.events import Events
from reconciler.controller.backoff import Backoff
from reconciler.controller.loop import EventBell, Loop, Pace
from reconciler.controller.queue import Queue
from reconciler.controller.sources import Sources
from reconciler.core.outcome import IN_SYNC, Report
from reconciler.core.snapshot import Scope
from reconciler.errors import Terminal
from reconciler.lock import a_turn_to_write
from reconciler.ports import Depth
from reconciler.settings import LoopSettings, OpenWebUISettings
from reconciler.spool import SPOOL
from reconciler.store.hooks import write_hook
from reconciler.terminal import complain, say

EVENT_SECONDS = 0.2
"""How long after an event the look begins: one save sends several."""


def run_loop(folder: Path) -> int:
    """Reconcile until SIGTERM or Ctrl-C; the pass at hand is finished first."""
    bell = EventBell()
    stop = _Stop(bell)
    with opened(folder) as app, app.workspace.lock():
        pace, web = app.settings.loop, app.settings.openwebui
        queue = Queue(time.monotonic, bell.ring)
        sources = Sources(
            folder,
            lambda key: queue.add(key, pace.debounce_seconds),
            pace.refs_seconds,
            _warn,
        )
        events = Events(web, app.openwebui.url if app.openwebui else "", folder, _warn)
        loop = Loop(_Turns(app, events), queue, Backoff(random.random), _pace(pace, web), _tell)
        _tell(f"watching {folder}, {_places(app)}")
        sources.start()
        events.start(lambda: queue.add("recent", EVENT_SECONDS))
        try:
            app.workspace.heal()
            loop.work(lambda: stop.asked, bell)
        finally:
            events.stop()
            sources.stop()
    _tell("stopped")
    return IN_SYNC


class _Hooks:
    """Have git tell us of moved refs. A repo that cannot be hooked is still found by the look at all refs."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._done: set[Scope] = set()

    def write(self) -> None:
        """For every scope that had none written yet by this process: learners come while the loop runs, too."""
        for scope in {"courses", *(f"user/{user}" for user in self._app.workspace.users())} - self._done:
            self._done.add(scope)
            with suppress(Terminal):
                write_hook(self._app.workspace.repo(scope).path, self._app.folder / SPOOL, scope)


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

    def __init__(self, app: App, events: Events) -> None:
        self._app, self._events, self._hooks, self._desks = app, events, _Hooks(app), Desks(app, _warn)

    def __call__(self, scopes: Sequence[Scope] | None, depth: Depth) -> Report:
        self._hooks.write()
        if depth == "full" and self._app.web:
            self._events.register(self._app.web)
        with a_turn_to_write(self._app.folder):
            if self._app.settings.git.autocommit:
                self._desks.commit(scopes, depth)
            report = self._app.engine.run(apply=True, scopes=scopes, depth=depth)
        self._hooks.write()
        return report


def _places(app: App) -> str:
    web = f", Open WebUI at {app.openwebui.url}" if app.openwebui else ""
    return f"Letta at {app.letta.url}{web}"


def _pace(settings: LoopSettings, web: OpenWebUISettings) -> Pace:
    periods: dict[Depth, float] = {
        "recent": min(settings.recent_seconds, web.poll_seconds) if web.is_used else settings.recent_seconds,
        "values": settings.values_seconds,
        "full": settings.full_seconds,
    }
    return Pace(periods)


def _warn(said: str) -> None:
    complain(said, "warning")


def _tell(line: str) -> None:
    say(f"{time.strftime('%H:%M:%S')} {line}")
