"""A person's word on a pending diff: one commit that holds the chosen value and the diff's new status.

It stands only while every recorded value still does: nobody approves what they have not seen. The commit is all that
is written here; the next pass reads it back, and ordinary deciding does the rest (DESIGN 7, "Conflict").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reconciler.core.snapshot import SETTING, Scope
from reconciler.core.value import Held
from reconciler.errors import MovedOn, Terminal, Transient
from reconciler.ports import Person, Workspace
from reconciler.store.journal import MAIN, Stamp, Step, commit_steps
from reconciler.store.pending import GIT, PendingDiff, read_diffs, render
from reconciler.sync.engine import MOST_RESTARTS, Engine
from reconciler.sync.questions import wanted
from reconciler.sync.record import Moved
from reconciler.sync.scope import ScopeWork

Verdict = Literal["approved", "rejected"]


@dataclass(frozen=True)
class Found:
    """A diff and the scope whose repo holds it."""

    scope: Scope
    diff: PendingDiff


def all_diffs(workspace: Workspace) -> Iterable[Found]:
    """Every diff on every ``main``, open or closed."""
    for scope in ("courses", *(f"user/{user}" for user in workspace.users())):
        repo = workspace.repo(scope)
        head = repo.ref(MAIN)
        diffs = read_diffs(repo, repo.files(head)) if head else {}
        yield from (Found(scope, diff) for diff in diffs.values())


def find_diff(workspace: Workspace, key: str) -> Found:
    """The one diff whose id begins with ``key``; Terminal where there is none, or several."""
    found = [each for each in all_diffs(workspace) if each.diff.id.startswith(key)]
    exact = [each for each in found if each.diff.id == key] or found
    if len(exact) != 1:
        what = "no pending diff has" if not exact else f"{len(exact)} pending diffs have"
        raise Terminal(f"{what} an id that begins with {key!r}; `reconciler diffs list` shows them all")
    return exact[0]


def review(engine: Engine, key: str, verdict: Verdict, take: str | None, by: Person) -> Found:
    """Carry a person's word into git. ``take``: the side whose value is approved, needed where several live ones stand.

    Raises Terminal where the diff is closed, cannot be approved, or has moved on; then the new diff is on ``main``.
    """
    found = find_diff(engine.workspace, key)
    if found.diff.status != "pending":
        raise Terminal(f"diff {found.diff.id} is {found.diff.status} already; nothing was changed")
    side = _side(found.diff, verdict, take)
    for _ in range(MOST_RESTARTS):
        work, stamp = engine.look_at(found.scope)
        try:
            _check_stands(engine, work, found.diff, stamp)
        except Moved:
            continue
        if _commit(work, found.diff, verdict, side, (by, stamp)):
            return Found(found.scope, found.diff.closed(verdict, stamp.now.isoformat(), side))
    raise Transient(f"main of {found.scope} keeps moving; try again")


def _side(diff: PendingDiff, verdict: Verdict, take: str | None) -> str:
    """Whose value it will be."""
    if verdict == "rejected":
        return GIT
    if diff.kind == "invalid":
        raise Terminal(
            f"diff {diff.id} holds a text that is not valid ({diff.reason}), so it cannot become git's; mend it "
            f"where it stands, in {' and '.join(diff.remotes)}, or reject it and git's text is written there again"
        )
    if diff.ref.startswith("agent/") or (diff.field or "").startswith(SETTING):
        what = f"{(diff.field or '').removeprefix(SETTING)} of {diff.ref}"
        raise Terminal(f"{what} is the course author's: to keep the live value, write it into the course's course.toml")
    sides = list(diff.remotes)
    if take is None and len(sides) > 1:
        raise Terminal(f"several live values stand: say which with --take {'|'.join([GIT, *sides])}")
    side = take or sides[0]
    if side not in diff.values:
        raise Terminal(f"{side} has no value in diff {diff.id}; it has {', '.join(diff.values)}")
    return side


def _check_stands(engine: Engine, work: ScopeWork, diff: PendingDiff, stamp: Stamp) -> None:
    asked = wanted(work, stamp.now.isoformat())
    if diff.id in asked:
        return
    engine.note(work, stamp)
    same_field = [other.id for other in asked.values() if (other.ref, other.field) == (diff.ref, diff.field)]
    now = f"the values of now are in diff {same_field[0]}" if same_field else "it is no longer in conflict"
    raise MovedOn(
        f"diff {diff.id} no longer shows what the sides hold: a side has moved since; {now}; nothing was decided"
    )


def _commit(work: ScopeWork, diff: PendingDiff, verdict: Verdict, side: str, by: tuple[Person, Stamp]) -> bool:
    author, stamp = by
    closed = diff.closed(verdict, stamp.now.isoformat(), side)
    changes: dict[str, bytes | None] = {closed.path: render(closed)}
    if side != GIT and diff.field is not None:
        path, text = _chosen(work, diff, diff.values[side])
        changes[path] = text
    what = f"{diff.field or 'the text'} of {diff.ref.partition('/')[2]}"
    subject = f"Keep git's {what}" if side == GIT else f"Take {side}'s {what}"
    step = Step(subject, author, changes, {"Decision": verdict, "Diff": diff.id, "Took": side})
    made = commit_steps(work.repo, work.head, [step], stamp)
    return work.repo.move(MAIN, work.head, made[-1])


def _chosen(work: ScopeWork, diff: PendingDiff, value: Held) -> tuple[str, bytes]:
    document = work.desired.documents.get(diff.ref)
    if document is None or diff.field is None or diff.ref not in work.git.texts:
        raise Terminal(f"{diff.ref} has no readable document on main; restore it, then decide")
    return document.path, document.lens.edit(work.git.texts[diff.ref], {diff.field: value}).encode()
