"""A workspace beside live systems, with the engine that keeps all in order: what rows are measured on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from benchmarks.wire import Exchange, recorded
from reconciler.core.outcome import Report
from reconciler.sync.engine import Engine

Say = Callable[[str], None]


class Trouble(Exception):
    """A pass that was to be measured did not go well, for example as the server answered 500."""


@dataclass
class Place:
    engine: Engine

    def run(self, **options: object) -> Report:
        """One pass that may write. What it costs says nothing where it met trouble."""
        report = self.engine.run(apply=True, **options)  # type: ignore[arg-type]
        if report.exit_code:
            raise Trouble(
                f"exit code {report.exit_code}: {[str(each)[:300] for each in (*report.errors, *report.halts)]}"
            )
        return report

    def idle(self, **options: object) -> Callable[[], None]:
        """A pass that finds nothing to do, as a thing to be timed."""

        def act() -> None:
            report = self.run(**options)
            assert (report.writes, report.commits) == (0, 0), report

        return act

    def requests(self, act: Callable[[], object]) -> list[Exchange]:
        with recorded() as made:
            act()
        return made

    def settle(self) -> None:
        """Until all is in order and every cache as it is every day. What a busy server failed at is made again."""
        for _ in range(3):
            with suppress(Trouble):
                self.run()
        for _ in range(2):
            self.run()
        self.idle()()
