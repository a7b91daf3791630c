"""The engine without a server: many learners' repositories on disk, and a remote that costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks import town
from benchmarks.copies import copy_learner
from benchmarks.footprint import peak_of_child
from benchmarks.measure import Took, cpu, median, timed
from benchmarks.still import StillRemote, still_learners
from benchmarks.table import Line
from reconciler.bootstrap import SystemClock
from reconciler.policy import Policy
from reconciler.store.workspace import GitWorkspace
from reconciler.sync.engine import Engine


def measured(folder: Path, learners: int, say: Callable[[str], None]) -> list[Line]:
    """A no-op pass over all of them, warm and cold, and the peak of a process that makes three."""
    root = folder / "alone"
    say(f"making {learners:,} learners")
    build(root, learners)
    workspace = GitWorkspace(root)
    engine = Engine(workspace, [StillRemote(still_learners(workspace))], SystemClock(), Policy(grace_seconds=0))
    say("alone")
    cold = timed(lambda: _pass(engine))
    warm: list[Took] = [timed(lambda: _pass(engine)) for _ in range(7)]
    peak = peak_of_child("alone", str(root))
    work = f"engine alone, no-op, {learners:,} learners"
    return [
        Line(work, median(warm), "s", 1.0, f"CPU {cpu(warm):.2f} s"),
        Line("  first pass of a process", cold.seconds, "s", None, f"CPU {cold.cpu:.2f} s"),
        Line(
            f"peak memory, {learners:,} learners, engine alone", peak, "MB", 400, "a process of its own, three passes"
        ),
    ]


def build(root: Path, learners: int) -> None:
    """One learner is made by the engine, the others are copies of theirs under other names."""
    workspace = town.build(root, 1)
    engine = Engine(workspace, [StillRemote({})], SystemClock(), Policy(grace_seconds=0))
    for _ in range(3):
        engine.run(apply=True)
    for number in range(1, learners):
        copy_learner(root / "users", town.learner(0), town.learner(number))


def _pass(engine: Engine) -> None:
    report = engine.run(apply=True)
    assert (report.exit_code, report.writes, report.commits) == (0, 0, 0), report
