"""Passes a person asked for: the plan, one that writes, and the one a saved plan promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

from reconciler import saved
from reconciler.bootstrap import App, opened
from reconciler.core.outcome import NEEDS_A_PERSON, Report
from reconciler.core.snapshot import Scope
from reconciler.errors import Transient
from reconciler.lock import a_turn_to_write
from reconciler.policy import Ways
from reconciler.report import report_lines
from reconciler.report_json import as_json
from reconciler.sync.engine import Accept, always
from reconciler.terminal import Progress, clear_progress, complain, show

Format = Literal["text", "json"]

_BREATH_SECONDS = 0.2
"""Between two passes of one apply."""


@dataclass(frozen=True)
class Asked:
    """One pass as asked for on the command line."""

    folder: Path
    output: Format = "text"
    ways: Ways = field(default_factory=Ways)
    settle_seconds: float = 30.0
    plan_out: Path | None = None


def show_plan(asked: Asked) -> int:
    """Print the plan, and change nothing anywhere."""
    with opened(asked.folder) as app:
        report = app.engine.run(apply=False, ways=asked.ways, progress=Progress())
        if asked.plan_out is not None:
            kept = saved.seen(report, app.workspace.uuid, asked.ways, _heads(app, report))
            saved.save(asked.plan_out, kept, report, app.clock.now())
    return _print(report, asked.output)


def apply_now(asked: Asked) -> int:
    """Make passes that write until all is settled, or the time for that is over."""
    with opened(asked.folder) as app, a_turn_to_write(asked.folder):
        report = until_settled(app, asked)
    return _print(report, asked.output)


def apply_saved(asked: Asked, file: Path) -> int:
    """Carry out a saved plan, or refuse and say what moved since."""
    plan = saved.load(file)
    with opened(asked.folder) as app, a_turn_to_write(asked.folder):
        moved: list[str] = []

        def is_as_planned(fresh: Report) -> bool:
            moved[:] = saved.moved(plan, saved.seen(fresh, app.workspace.uuid, plan.ways, _heads(app, fresh)))
            return not moved

        report = until_settled(app, replace(asked, ways=plan.ways), is_as_planned)
    if report.errors and not report.scopes:
        raise Transient("; ".join(each.message for each in report.errors))
    if moved:
        complain("the plan was not carried out: what it saw has moved\n" + "\n".join(moved), "refused")
        return NEEDS_A_PERSON
    return _print(report, asked.output)


def until_settled(app: App, asked: Asked, accept: Accept = always) -> Report:
    """Passes that write, until one finds nothing to do. One that meets trouble is the last: trouble is for a person,
    or for the next time. ``accept`` is asked once, of the first plan."""
    until = app.clock.now() + timedelta(seconds=asked.settle_seconds)
    total = Report(applied=True)
    while True:
        left = max(0.0, (until - app.clock.now()).total_seconds())
        report = app.engine.run(apply=True, ways=asked.ways, settle_seconds=left, progress=Progress(), accept=accept)
        if not report.applied:
            return report
        accept = always
        total = _sum(total, report)
        is_done = not (report.unsettled or report.actions)
        if is_done or report.errors or report.unknown or report.halts or app.clock.now() >= until:
            return total
        app.clock.sleep(_BREATH_SECONDS)


def _sum(before: Report, last: Report) -> Report:
    """What all passes did, and what the last one found."""
    return replace(
        last,
        actions=(*before.actions, *last.actions),
        writes=before.writes + last.writes,
        commits=before.commits + last.commits,
    )


def _heads(app: App, report: Report) -> Mapping[Scope, str | None]:
    """Where ``main`` stands in the courses, and wherever the plan would do something."""
    scopes = {"courses", *(each.scope for each in (*report.actions, *report.conflicts))}
    return {scope: app.workspace.repo(scope).ref("refs/heads/main") for scope in scopes}


def _print(report: Report, output: Format) -> int:
    clear_progress()
    if output == "json":
        print(as_json(report))
    else:
        show(report_lines(report))
    return report.exit_code
