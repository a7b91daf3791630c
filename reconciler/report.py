"""A report as text for people: what is pending, what was captured, what a person must decide, and what it adds up to.

One line per thing, one per field with both values. Where a field's values are long, the diff stands below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from reconciler.core.outcome import ClashField, FieldChange, Notice, PlannedAction, PlannedConflict, Report
from reconciler.core.value import ABSENT
from reconciler.report_diff import DiffLine, diff_lines, is_long
from reconciler.report_footer import footer_lines
from reconciler.visible import brief, counted, visible

_MARKS = {"-": "red", "+": "green", "@": "cyan", " ": "dim"}
_VERBS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}


def report_lines(report: Report) -> Iterator[Text]:
    """The whole report, one line at a time, without line feeds and without a control character."""
    done = report.applied
    pending = [action for action in report.actions if action.flow == "pending"]
    captured = [action for action in report.actions if action.flow == "captured"]
    yield from _part(f"{'Applied' if done else 'Pending'}: git → live", [_action(each) for each in pending])
    yield from _part(f"{'Captured' if done else 'To capture'}: live → git", [_action(each) for each in captured])
    yield from _part("Conflicts: a person decides", [_conflict(each) for each in report.conflicts])
    yield from _part(
        "Halted: nothing was written there", [_halt(each.scope, each.remote, each.reason) for each in report.halts]
    )
    yield from _part(
        "Unknown: could not be read, not touched",
        [_halt(f"{each.ref}  {each.scope}", each.remote, each.reason) for each in report.unknown],
    )
    yield from _part("Warnings", [_notice(each) for each in report.warnings])
    yield from _part("Errors", [_notice(each) for each in report.errors])
    yield from footer_lines(report)


def _part(title: str, things: Sequence[Iterable[Text]]) -> Iterator[Text]:
    if not things:
        return
    yield Text.assemble((title, "bold"), f" ({len(things):,})")
    for thing in things:
        yield from thing
    yield Text()


def _action(action: PlannedAction) -> Iterator[Text]:
    mark, style = _VERBS[action.verb]
    way = f"{action.remote} → git" if action.flow == "captured" else f"→ {action.remote}"
    author = f"  by {visible(action.author)}" if action.author else ""
    yield _head(mark, style, action.verb, action.ref, f"{visible(action.scope)}  {visible(way)}{author}")
    width = _name_width(change.name for change in action.fields)
    for change in action.fields:
        yield from _field(change, width)


def _field(change: FieldChange, width: int) -> Iterator[Text]:
    label = visible(change.name).ljust(width)
    diff = diff_lines(change.before, change.after)
    if diff is not None:
        yield Text(f"      {label.rstrip()}")
        yield from _diff(diff)
    elif change.before is ABSENT:
        yield Text.assemble(f"      {label}  ", (brief(change.after), "green"))
    else:
        yield Text.assemble(f"      {label}  ", (brief(change.before), "red"), " → ", (brief(change.after), "green"))


def _diff(lines: Iterable[DiffLine]) -> Iterator[Text]:
    for mark, text in lines:
        shown = f"({text})" if mark == "@" else f"{mark} {text}"
        yield Text(f"        {shown}", style=_MARKS[mark])


def _conflict(conflict: PlannedConflict) -> Iterator[Text]:
    where = f"{visible(conflict.scope)}  git ⇄ {visible(conflict.remote)}"
    yield _head("!", "magenta", "conflict", conflict.ref, where)
    for each in conflict.fields:
        yield from _clash(each, conflict.remote)


def _clash(clash: ClashField, remote: str) -> Iterator[Text]:
    """Both values, and the last one that both sides held. Of long text, how live's differs from git's."""
    yield Text.assemble(f"      {visible(clash.name) or '(whole text)'}  ", (visible(clash.reason), "dim"))
    sides = {"git": clash.git, visible(remote): clash.live}
    width = max(len(side) for side in (*sides, "before"))
    diff = diff_lines(clash.git, clash.live) if is_long(clash.git) and is_long(clash.live) else None
    if diff is not None:
        yield Text(f"        - git's, + {visible(remote)}'s:", style="dim")
        yield from _diff(diff)
    else:
        for side, value in sides.items():
            yield Text.assemble(f"        {side.ljust(width)}  ", (brief(value), "yellow"))
    yield Text(f"        {'before'.ljust(width)}  {brief(clash.base)}", style="dim")
    if clash.diff:
        approve, reject = f"diffs approve {clash.diff}", f"diffs reject {clash.diff}"
        decide = visible(f"reconciler {approve} takes {remote}'s, {reject} keeps git's")
        yield Text(f"        {decide}", style="dim")


def _halt(where: str, remote: str, reason: str) -> Iterator[Text]:
    yield Text.assemble(("  ! ", "bold red"), f"{visible(where)}  {visible(remote)}")
    yield from (Text(f"      {visible(line)}") for line in reason.splitlines())


def _notice(notice: Notice) -> Iterator[Text]:
    first, *rest = notice.message.splitlines() or [""]
    # A course's own messages begin with the file and go on with the line: said once, it reads better.
    file = notice.where.removeprefix("courses/")
    where = notice.where if not first.startswith(file) else notice.where.removesuffix(file) + first.split(": ", 1)[0]
    said = first if where == notice.where else first.split(": ", 1)[-1]
    yield Text.assemble("  ", (visible(where), "bold"), f": {visible(said)}")
    yield from (Text(f"      {visible(line)}") for line in rest)


def _head(mark: str, style: str, verb: str, ref: str, rest: str) -> Text:
    return Text.assemble((f"  {mark} {verb} ", style), (visible(ref), "bold"), f"  {rest}")


def _name_width(names: Iterable[str]) -> int:
    """Values line up, unless one name is so long that all would stand far to the right."""
    return min(max((len(visible(name)) for name in names), default=0), 24)


def summary(report: Report) -> str:
    """A pass in a few words, for the loop's log; empty where it did nothing and found nothing."""
    counted_parts = {
        "write": report.writes,
        "commit": report.commits,
        "conflict": len(report.conflicts),
        "halt": len(report.halts),
        "unknown thing": len(report.unknown),
        "error": len(report.errors),
    }
    return ", ".join(counted(number, noun) for noun, number in counted_parts.items() if number)
