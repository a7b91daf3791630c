"""The last lines of a report: is all in sync, what it adds up to, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from reconciler.core.outcome import Report
from reconciler.visible import counted


def footer_lines(report: Report) -> Iterator[Text]:
    yield _verdict(report)
    if report.unsettled:
        yield Text(
            f"{counted(report.unsettled, 'field')} not settled yet: written, or taken over, while a run was active "
            "that may still write an older value back. A later pass looks again."
        )
    if report.unmanaged:
        yield Text(f"Left alone, as not ours: {counted(report.unmanaged, 'resource')}.", style="dim")
    if not report.applied and any(report.actions):
        yield Text("Nothing was changed. To carry this out: reconciler --once --apply", style="dim")


def _verdict(report: Report) -> Text:
    looked = counted(report.scopes, "scope")
    done = (
        f"{counted(report.writes, 'write')}, {counted(report.commits, 'commit')}"
        if report.writes + report.commits
        else ""
    )
    if report.is_in_sync:
        return Text(f"In sync: git and live agree in {looked}.{f' Done: {done}.' if done else ''}", style="bold green")
    parts = ", ".join(_parts(report))
    return Text(f"{f'Done: {done}. ' if done else ''}{parts[:1].upper()}{parts[1:]}, in {looked}.", style="bold")


def _parts(report: Report) -> Iterator[str]:
    for flow, word in (
        ("pending", "applied" if report.applied else "pending"),
        ("captured", "captured" if report.applied else "to capture"),
    ):
        if number := sum(action.flow == flow for action in report.actions):
            yield f"{number:,} {word}"
    nouns = {
        "conflict": len(report.conflicts),
        "halt": len(report.halts),
        "unknown": len(report.unknown),
        "error": len(report.errors),
        "unsettled field": report.unsettled,
    }
    for noun, number in nouns.items():
        if number:
            yield f"{number:,} {noun}" if noun == "unknown" else counted(number, noun)
