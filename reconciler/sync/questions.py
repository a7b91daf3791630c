"""Which pending diffs one scope should have open: one per field in conflict, one per unreadable live text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.base import NEVER
from reconciler.core.plan import Clash
from reconciler.core.snapshot import Ref, Unreadable
from reconciler.core.value import ABSENT, Held, same
from reconciler.store.journal import Stamp
from reconciler.store.pending import GIT, PendingDiff, diff_id
from reconciler.sync.scope import ScopeWork


def wanted(work: ScopeWork, when: str) -> dict[str, PendingDiff]:
    """Every matter of the plan that a person must decide, by id."""
    matters = [_whole(work, diff) for diff in (*_conflicts(work, when), *_invalid(work, when))]
    return {diff.id: diff for diff in matters}


def _whole(work: ScopeWork, diff: PendingDiff) -> PendingDiff:
    """The open question that this one is a part of, where another side of that was not looked at; else itself."""
    for other in work.diffs.values():
        is_open = other.status == "pending" and (other.ref, other.field) == (diff.ref, diff.field)
        if is_open and _is_same_matter(diff, other) and not _is_judged(work, other):
            return other
    return diff


def questions(work: ScopeWork, stamp: Stamp) -> list[PendingDiff]:
    """The diffs to write: new ones, and open ones whose matter has moved on."""
    asked = wanted(work, stamp.now.isoformat())
    still = {key: diff for key, diff in work.diffs.items() if diff.status == "pending" and diff.kind != "proposal"}
    opened = [diff for key, diff in asked.items() if key not in still or not _is_same_matter(diff, still[key])]
    settled = [diff for key, diff in still.items() if key not in asked and _is_judged(work, diff)]
    return opened + [diff.closed("superseded", stamp.now.isoformat()) for diff in settled]


def _is_same_matter(diff: PendingDiff, before: PendingDiff) -> bool:
    return all(same(value, before.values.get(side, ABSENT)) for side, value in diff.values.items())


def _is_judged(work: ScopeWork, diff: PendingDiff) -> bool:
    """Whether this pass saw every side of the matter, git's too: an unknown one neither opens nor closes it."""
    if diff.ref not in work.desired.specs:
        return all(remote in work.seen for remote in diff.remotes)  # else it may only not be asked for in this pass
    if diff.kind == "conflict" and isinstance(work.git.seen.get(diff.ref), Unreadable):
        return False
    seen = [work.seen.get(remote, {}).get(diff.ref) for remote in diff.remotes]
    if diff.kind == "invalid":
        return all(each is not None and not _is_lost(each) for each in seen)
    return all(each is not None and not isinstance(each, Unreadable) for each in seen)


def _is_lost(seen: object) -> bool:
    return isinstance(seen, Unreadable) and seen.raw is None


def _conflicts(work: ScopeWork, when: str) -> Iterable[PendingDiff]:
    by_field: dict[tuple[Ref, str], list[Clash]] = {}
    for clash in work.plan.clashes:
        by_field.setdefault((clash.ref, clash.name), []).append(clash)
    for (ref, name), clashes in by_field.items():
        values: dict[str, Held] = {GIT: clashes[0].git} | {clash.remote: clash.live for clash in clashes}
        yield PendingDiff(
            id=diff_id((work.scope, ref, name), clashes[0].base, values),
            kind="conflict",
            ref=ref,
            field=name,
            base=clashes[0].base,
            values=values,
            reason="; ".join(dict.fromkeys(clash.reason for clash in clashes)),
            created_at=when,
            base_commit=work.head,
        )


def _invalid(work: ScopeWork, when: str) -> Iterable[PendingDiff]:
    for blind in work.plan.blind:
        if blind.remote == GIT or blind.raw is None:
            continue
        values: Mapping[str, Held] = {blind.remote: blind.raw}
        yield PendingDiff(
            id=diff_id(
                (work.scope, blind.ref, None), NEVER, {blind.remote: ""}
            ),  # one per text, kept up to date in place
            kind="invalid",
            ref=blind.ref,
            field=None,
            base=NEVER,
            values=values,
            reason=blind.reason,
            created_at=when,
            base_commit=work.head,
        )
