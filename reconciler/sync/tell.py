"""What a pass found and did, as one report: plans in, plain lines out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.outcome import (
    ClashField,
    FieldChange,
    Flow,
    Halt,
    Notice,
    PlannedAction,
    PlannedConflict,
    Report,
    Unknown,
)
from reconciler.core.plan import Change, Clash
from reconciler.core.snapshot import Ref, Scope
from reconciler.core.value import ABSENT, Fields, same
from reconciler.desired import NAMED, Document
from reconciler.manifest.lens import InvalidBlock
from reconciler.sync.questions import wanted
from reconciler.sync.scope import ScopeWork, left_over
from reconciler.sync.write import unsettled_refs


@dataclass(frozen=True)
class Tally:
    """What a report says besides the scopes' plans. ``when``: ISO, of the pass."""

    halts: Sequence[Halt]
    warnings: Sequence[Notice]
    errors: Sequence[Notice]
    unmanaged: int
    applied: bool
    writes: int
    commits: int
    when: str
    skipped: int = 0
    enrolled: Sequence[PlannedAction] = ()
    held: Collection[Scope] = ()


def tell(works: Sequence[ScopeWork], tally: Tally) -> Report:
    """The report of one pass."""
    return Report(
        actions=[*tally.enrolled, *(action for work in works for action in planned(work))],
        conflicts=[conflict for work in works for conflict in conflicts(work, tally.when)],
        unknown=[blind for work in works for blind in unknown(work)],
        halts=tally.halts,
        warnings=_once([*tally.warnings, *work_warnings(works)]),
        errors=[*tally.errors, *(error for work in works for error in refused(work))],
        unsettled=sum(_unsettled(work, tally.applied) for work in works),
        unmanaged=tally.unmanaged + sum(len(left_over(work)) - len(work.prunes) for work in works),
        scopes=len(works) + tally.skipped,
        applied=tally.applied,
        writes=tally.writes,
        commits=tally.commits,
        unsettled_scopes=tuple(work.scope for work in works if _unsettled(work, tally.applied)),
        held_scopes=tuple(sorted(tally.held)),
    )


def _unsettled(work: ScopeWork, applied: bool) -> int:
    """How many fields are in the air. One that a person must decide is not: no waiting would settle it.

    A plan puts nothing there: of it, those that were in the air before it.
    """
    bases = work.bases if applied else work.known
    asked = {(clash.remote, clash.ref, clash.name) for clash in work.plan.clashes}
    return sum(
        not each.is_settled and (remote, ref, name) not in asked
        for remote, base in bases.items()
        for ref in unsettled_refs(base)
        for name, each in base.resources[ref].items()
    )


def planned(work: ScopeWork) -> Iterable[PlannedAction]:
    """One line per resource and direction: what git gains, what it takes from live, what live gets."""
    yield from _births(work)
    yield from _grouped(work, "captured", work.plan.captured)
    yield from (record.planned(work.scope) for record in work.threads)
    for remote, ref in work.plan.creates:
        spec = work.desired.specs[ref]
        made = {name: value for name, value in work.plan.target[ref].items() if spec.applies(name, remote)}
        fields = tuple(FieldChange(name, ABSENT, value) for name, value in made.items())
        yield PlannedAction("pending", work.scope, remote, ref, "create", fields)
    yield from _grouped(work, "pending", work.plan.pending)
    for remote, ref in work.prunes:
        yield PlannedAction("pending", work.scope, remote, ref, "delete", ())


def _grouped(work: ScopeWork, flow: Flow, changes: Iterable[Change]) -> Iterable[PlannedAction]:
    grouped: dict[tuple[str, Ref], list[Change]] = {}
    for change in changes:
        grouped.setdefault((change.remote, change.ref), []).append(change)
    for (remote, ref), own in grouped.items():
        fields = tuple(FieldChange(change.name, change.before, change.after) for change in own)
        yield PlannedAction(flow, work.scope, remote, ref, "update", fields)


def _births(work: ScopeWork) -> Iterable[PlannedAction]:
    """What git itself gains because a course declares it."""
    for ref, document in work.desired.documents.items():
        content = work.git.births.get(document.path)
        if content is None:
            continue
        before = _committed(work, document)
        after = document.lens.parse(content.decode())
        fields = tuple(
            FieldChange(name, (before or {}).get(name, ABSENT), value)
            for name, value in after.items()
            if not same((before or {}).get(name, ABSENT), value)
        )
        moved = () if document.path in work.git.files else _moved(work, ref, document)
        verb = "create" if before is None else "update"
        yield PlannedAction("pending", work.scope, "git", ref, verb, (*moved, *fields))


def _moved(work: ScopeWork, ref: Ref, document: Document) -> Iterable[FieldChange]:
    """That a file only gets another name."""
    if document.was in work.git.files:
        old = next((old for old, new in work.desired.renames.items() if new == ref), ABSENT)
        yield FieldChange(NAMED, old, ref)


def _committed(work: ScopeWork, document: Document) -> Fields | None:
    """What git has of the document, be it under its former name; None where it has nothing."""
    blob = work.git.files.get(document.path) or work.git.files.get(document.was or "")
    try:
        return document.lens.parse(work.repo.read(blob).decode()) if blob else None
    except InvalidBlock:
        return None


def conflicts(work: ScopeWork, when: str) -> Iterable[PlannedConflict]:
    """What a person must decide, one line per resource of one remote."""
    ids = {(diff.ref, diff.field): key for key, diff in wanted(work, when).items()}
    grouped: dict[tuple[str, Ref], list[Clash]] = {}
    for clash in work.plan.clashes:
        grouped.setdefault((clash.remote, clash.ref), []).append(clash)
    for (remote, ref), clashes in grouped.items():
        yield PlannedConflict(work.scope, remote, ref, tuple(_clash(each, ids) for each in clashes))
    for blind in work.plan.blind:
        if blind.remote != "git" and blind.raw is not None:
            whole = ClashField("", ABSENT, ABSENT, blind.raw, blind.reason, ids.get((blind.ref, None), ""))
            yield PlannedConflict(work.scope, blind.remote, blind.ref, (whole,))


def _clash(clash: Clash, ids: Mapping[tuple[Ref, str | None], str]) -> ClashField:
    diff = ids.get((clash.ref, clash.name), "")
    return ClashField(clash.name, clash.base, clash.git, clash.live, clash.reason, diff)


def unknown(work: ScopeWork) -> Iterable[Unknown]:
    """What could not be read at all; a text that is there and not valid is a question instead."""
    for blind in work.plan.blind:
        if blind.remote == "git" or blind.raw is None:
            yield Unknown(work.scope, blind.remote, blind.ref, blind.reason)


def refused(work: ScopeWork) -> Iterable[Notice]:
    """Values committed to git that break their field: not sent anywhere."""
    for clash in work.plan.refused:
        document = work.desired.documents.get(clash.ref)
        place = document.path if document else clash.ref
        yield Notice(f"{work.scope} {place}", f"{clash.name}: {clash.reason}; it is not sent to {clash.remote}")


def work_warnings(works: Iterable[ScopeWork]) -> Iterable[Notice]:
    """What deserves a look and stops nothing."""
    for work in works:
        yield from work.desired.warnings
        for change in work.plan.waiting:
            path = work.desired.documents[change.ref].path
            what = f"what {change.remote} changed in {change.name}"
            yield Notice(work.scope, f"{path} has uncommitted edits; {what} waits until they are committed")
        for path in work.repo.odd(work.head):
            yield Notice(work.scope, f"{path} is not a regular file (a link or a submodule); it is not followed")


def _once(notices: Iterable[Notice]) -> Sequence[Notice]:
    return list(dict.fromkeys(notices))
