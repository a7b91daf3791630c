"""The live writes of a pass, and what is believed of them afterwards.

Every write compares first: what changed since it was observed is left alone, and the next pass looks again. One
failure stops nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from reconciler.core.base import Base, FieldBases
from reconciler.core.outcome import Notice
from reconciler.core.plan import Change, made
from reconciler.core.settle import Running
from reconciler.core.snapshot import UNDECLARED, Ref, Unreadable
from reconciler.core.value import ABSENT, Held, Value
from reconciler.desired import COURSES, SETTINGS
from reconciler.ports import Action, Applied, Failed, Live, Outcome, Remote, Stale
from reconciler.store.journal import Stamp
from reconciler.store.sides import difference, live_fields
from reconciler.sync.record import save_bases, track_seen
from reconciler.sync.scope import ScopeWork, believe


@dataclass
class Written:
    """What the writes of one pass came to."""

    applied: int = 0
    stale: int = 0
    errors: list[Notice] = field(default_factory=list[Notice])

    def add(self, other: Written) -> None:
        self.applied += other.applied
        self.stale += other.stale
        self.errors += other.errors


class Writing:
    """Carries out plans, some scopes at a time, beside what the caller does meanwhile; all are done at its end.

    The courses' shared blocks come first, and alone. With one writer each scope is done before the next begins.
    """

    def __init__(self, remotes: Mapping[str, Remote], writers: int) -> None:
        self.written = Written()
        self._remotes, self._is_alone = remotes, writers == 1
        self._pool = ThreadPoolExecutor(writers)
        self._begun: list[Future[Written]] = []

    def begin(self, work: ScopeWork) -> None:
        """Write what a scope's plan says. Its intents are on record, or it would not be asked for."""
        if work.scope == COURSES or self._is_alone:
            self.written.add(write_scope(work, self._remotes))
        else:
            self._begun.append(self._pool.submit(write_scope, work, self._remotes))

    def __enter__(self) -> Writing:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=error is not None)
        if error is None:
            for each in self._begun:
                self.written.add(each.result())


def has_writes(work: ScopeWork) -> bool:
    """Whether the plan of the scope touches any remote."""
    return bool(work.plan.pending or work.plan.creates or work.prunes)


def write_scope(work: ScopeWork, remotes: Mapping[str, Remote]) -> Written:
    """Carry out one scope's plan, blocks before the agents that hold them."""
    written = Written()
    for remote, action in sorted(_actions(work), key=lambda pair: not pair[1].ref.startswith("block/")):
        _account(work, remote, action, remotes[remote].apply(action), written)
    return written


def _account(work: ScopeWork, remote: str, action: Action, outcome: Outcome, written: Written) -> None:
    match outcome:
        case Applied(live=live):
            written.applied += 1
            _note(work, remote, action, live)
        case Stale():
            written.stale += 1
            if action.verb == "create":
                _forget(work, remote, action.ref)
            _unsent(work, remote, action)
        case Failed(reason=reason):
            _unsent(work, remote, action)
            written.errors.append(Notice(f"{work.scope} {action.ref}", f"{remote}: {reason}"))


def _note(work: ScopeWork, remote: str, action: Action, live: Live | None) -> None:
    """Remember what was written; a resource just made has nothing older that could come back."""
    if live is not None:
        work.shown[remote] = {**work.shown[remote], action.ref: live}
    if action.verb == "delete":
        work.bases[remote] = _without(work.bases[remote], action.ref)
    if action.verb == "create":
        fresh = made(work.desired.specs[action.ref], work.plan.target[action.ref])
        work.bases[remote] = _with(work.bases[remote], action.ref, fresh)


def _unsent(work: ScopeWork, remote: str, action: Action) -> None:
    """A write that was not made must not count towards "keeps coming back"; one that failed may be counted too few."""
    base = work.bases[remote]
    fields = base.resources.get(action.ref)
    if action.verb == "update" and fields:
        sent = {change.name for change in work.plan.pending if (change.remote, change.ref) == (remote, action.ref)}
        again = {name: each.unsent() if name in sent else each for name, each in fields.items()}
        work.bases[remote] = _with(base, action.ref, again)


def _forget(work: ScopeWork, remote: str, ref: Ref) -> None:
    """The thing we meant to make exists already: its past with us is not what the intent said."""
    if ref not in work.known[remote].resources:
        work.bases[remote] = _without(work.bases[remote], ref)


def _without(base: Base, ref: Ref) -> Base:
    return Base(base.main, {key: fields for key, fields in base.resources.items() if key != ref})


def _with(base: Base, ref: Ref, fields: FieldBases) -> Base:
    return Base(base.main, {**base.resources, ref: fields})


def _actions(work: ScopeWork) -> Iterable[tuple[str, Action]]:
    for remote, ref in work.prunes:
        live = work.shown[remote][ref]
        if isinstance(live, Live):
            yield remote, Action(work.scope, ref, "delete", live, None)
    for remote, ref in work.plan.creates:
        yield remote, _creation(work, remote, ref)
    grouped: dict[tuple[str, Ref], list[Change]] = {}
    for change in work.plan.pending:
        grouped.setdefault((change.remote, change.ref), []).append(change)
    for (remote, ref), changes in grouped.items():
        live = _writable(ref, work.shown[remote].get(ref))
        if live is not None:
            yield remote, _update(work, remote, live, changes)


def _writable(ref: Ref, shown: Live | Unreadable | None) -> Live | None:
    """What a write will compare with: of a text that cannot be read, and that a person rejected, the text itself."""
    if isinstance(shown, Unreadable) and shown.raw is not None and shown.handle:
        return Live(ref, shown.handle, shown.raw)
    return shown if isinstance(shown, Live) else None


def _creation(work: ScopeWork, remote: str, ref: Ref) -> Action:
    """The making of a resource: its text where that travels, and every field that does not stand in it."""
    spec, document = work.desired.specs[ref], work.desired.documents.get(ref)
    travels = document is not None and document.lens.travels
    fields = {
        name: value
        for name, value in work.plan.target[ref].items()
        if spec.applies(name, remote) and (name.startswith(SETTINGS) or not travels)
    }
    return Action(work.scope, ref, "create", None, work.texts[ref] if travels else None, _signed(work, ref, fields))


def _update(work: ScopeWork, remote: str, live: Live, changes: Sequence[Change]) -> Action:
    """The write of these fields and no others: a field in conflict keeps the value it has there."""
    ref, rules = live.ref, work.desired.specs[live.ref].rules
    sent = {change.name for change in changes}
    beside: dict[str, Value] = {
        change.name: rules.get(change.name, UNDECLARED).empty if change.after is ABSENT else change.after
        for change in changes
        if live.text is None or change.name.startswith(SETTINGS)
    }
    text = _document(work, remote, ref, sent) if sent - beside.keys() else None
    return Action(work.scope, ref, "update", live, text, _signed(work, ref, beside))


def _signed(work: ScopeWork, ref: Ref, fields: dict[str, Value]) -> dict[str, Value]:
    """The fields of a model with the commit they come from, for the version history people see there: a narrow list."""
    return {**fields, "@commit": f"git {work.head[:8]}"} if ref.startswith("model/") else fields


def _document(work: ScopeWork, remote: str, ref: Ref, sent: set[str]) -> str:
    """Git's document, with the remote's own values where a person must still decide."""
    seen = work.seen[remote][ref]
    assert isinstance(seen, Mapping), "only what was read is written"
    kept: dict[str, Held] = {
        name: value for name, value in difference(work.plan.target[ref], seen).items() if name not in sent
    }
    return work.desired.documents[ref].lens.edit(work.texts[ref], kept)


def unsettled_refs(base: Base) -> list[Ref]:
    """Resources with a value still in the air."""
    return [ref for ref, fields in base.resources.items() if any(not each.is_settled for each in fields.values())]


def confirm(works: Sequence[ScopeWork], remote: Remote, runs: Sequence[Running], stamp: Stamp) -> None:
    """Read back everything unsettled of one remote after the listing of ``runs``, and believe what may be believed."""
    lives = {work.scope: list(_to_read(work, remote.name)) for work in works}
    if not any(lives.values()):
        return
    found = remote.reread([live for own in lives.values() for live in own])
    for work in works:
        again = {live.ref: shown for live in lives[work.scope] if (shown := found.get(live.handle)) is not None}
        _confirmed(work, remote.name, {**work.shown.get(remote.name, {}), **again}, (runs, stamp))


def _to_read(work: ScopeWork, remote: str) -> Iterable[Live]:
    for ref in unsettled_refs(work.bases.get(remote, Base())):
        live = work.shown[remote].get(ref)
        if isinstance(live, Live):
            yield live


def _confirmed(
    work: ScopeWork, remote: str, shown: Mapping[Ref, Live | Unreadable], listing: tuple[Sequence[Running], Stamp]
) -> None:
    refs = unsettled_refs(work.bases.get(remote, Base()))
    if not refs:
        return
    work.shown[remote] = shown
    again = {
        ref: live_fields(shown[ref], work.desired.documents.get(ref), work.desired.specs.get(ref))
        for ref in refs
        if ref in shown
    }
    work.seen[remote] = {**work.seen[remote], **again}
    work.bases[remote] = believe(work, remote, work.bases[remote], again, listing)
    save_bases(work, listing[1])
    track_seen(work, remote, listing[1])


def changed_again(work: ScopeWork, remote: str) -> bool:
    """Whether a value in the air is not what was read back last: the scope needs another pass."""
    base, seen = work.bases[remote], work.seen[remote]
    for ref in unsettled_refs(base):
        live = seen.get(ref)
        if isinstance(live, Mapping) and any(each.waits is None for each in base.resources[ref].values()):
            return True
    return False
