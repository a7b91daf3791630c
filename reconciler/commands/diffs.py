"""What waits for a person: shown with every side's value, and decided with one commit in that person's name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.text import Text

from reconciler.bootstrap import open_workspace, opened
from reconciler.commands.who import who_commits
from reconciler.core.outcome import IN_SYNC
from reconciler.report_diff import diff_lines, is_long
from reconciler.report_json import Json, plain
from reconciler.settings import load
from reconciler.sync.review import Found, Verdict, all_diffs, find_diff, review
from reconciler.terminal import say, show, show_json, show_table
from reconciler.visible import brief, value_text, visible

_SHORT_ID = 10


def list_diffs(folder: Path, with_closed: bool, output: str) -> int:
    """Every diff that waits; with the closed ones on request."""
    workspace = open_workspace(folder, load(folder))
    found = [each for each in all_diffs(workspace) if with_closed or each.diff.status == "pending"]
    if output == "json":
        show_json({"version": 1, "diffs": [_as_json(each) for each in found]})
    elif not found:
        say("nothing waits for a person")
    else:
        show_table([_row(each) for each in found])
    if output == "text" and any(each.diff.status == "pending" for each in found):
        say("`reconciler diffs show ID` shows the values; approve takes the live one, reject keeps git's")
    return IN_SYNC


def show_diff(folder: Path, key: str, output: str) -> int:
    """One diff with every side's value."""
    found = find_diff(open_workspace(folder, load(folder)), key)
    if output == "json":
        show_json({"version": 1, **_as_json(found)})
    else:
        show(_shown(found))
    return IN_SYNC


def decide(folder: Path, key: str, verdict: Verdict, take: str | None) -> int:
    """Commit a person's word; the next pass carries it to every side."""
    with opened(folder) as app:
        done = review(app.engine, key, verdict, take, who_commits(folder))
    field = done.diff.field or "the text"
    say(f"{verdict}: {field} of {done.diff.ref}, {done.scope}: {done.diff.chosen}'s value is now git's")
    say("the loop carries it out; without one: reconciler --once --apply")
    return IN_SYNC


def _row(found: Found) -> dict[str, str]:
    diff = found.diff
    return {
        "ID": diff.id[:_SHORT_ID],
        "STATUS": diff.status,
        "SCOPE": found.scope,
        "REF": diff.ref,
        "FIELD": diff.field or "(whole text)",
        "WHY": diff.reason,
    }


def _shown(found: Found) -> Iterator[Text]:
    diff = found.diff
    yield Text.assemble(
        (visible(diff.ref), "bold"), f"  {visible(diff.field or '(whole text)')}  {visible(found.scope)}"
    )
    yield Text(
        f"{diff.status} {diff.kind} {visible(diff.id)}, since {visible(diff.created_at)}: {visible(diff.reason)}"
    )
    width = max(len(side) for side in (*diff.values, "before"))
    for side, value in (*diff.values.items(), ("before", diff.base)):
        actor = (diff.actors or {}).get(side)
        by = f"  by {visible(actor)}" if actor else ""
        yield Text(f"  {visible(side).ljust(width)}  {brief(value) if is_long(value) else value_text(value)}{by}")
    yield from _differences(found)
    if diff.status == "pending":
        names = "|".join(diff.values)
        take = f" --take {names}" if len(diff.remotes) > 1 else ""
        yield Text(
            f"decide: reconciler diffs approve {diff.id[:_SHORT_ID]}{take}, or diffs reject {diff.id[:_SHORT_ID]}"
        )


def _differences(found: Found) -> Iterator[Text]:
    """Of long text, where each live side differs from git's."""
    git = found.diff.values.get("git")
    for side in found.diff.remotes:
        value = found.diff.values[side]
        if git is None or not (is_long(git) or is_long(value)):
            continue
        yield Text(f"  - git's, + {visible(side)}'s:")
        for mark, text in diff_lines(git, value) or []:
            yield Text(f"    ({text})" if mark == "@" else f"    {mark} {text}")


def _as_json(found: Found) -> dict[str, Json]:
    diff = found.diff
    return {
        "id": diff.id,
        "status": diff.status,
        "kind": diff.kind,
        "scope": found.scope,
        "ref": diff.ref,
        "field": diff.field,
        "base": plain(diff.base),
        "values": {side: plain(value) for side, value in diff.values.items()},
        "reason": diff.reason,
        "created_at": diff.created_at,
        "reviewed_at": diff.reviewed_at,
    }
