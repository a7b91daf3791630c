"""One scope in one pass: what git and the remotes hold of it, and the plan. Reads only; nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeAlias

from reconciler.core.base import Base, FieldBase, Origin
from reconciler.core.decide import same_settled
from reconciler.core.plan import NO_DOUBT, FieldKey, Plan, Side, plan_scope
from reconciler.core.settle import Running, on_holders, settle
from reconciler.core.snapshot import Ref, Scope, Seen, Unreadable
from reconciler.core.value import ABSENT, Fields, Held, Value
from reconciler.desired import Desired
from reconciler.errors import Terminal
from reconciler.ports import Live, Observation, Repo
from reconciler.store.bases import StoredBase, load_base
from reconciler.store.journal import MAIN, WHOLE, Stamp, replayed
from reconciler.store.pending import PendingDiff, read_diffs
from reconciler.store.sides import GitSide, read_git, read_live
from reconciler.sync.rename import carried, carried_base
from reconciler.sync.threads import Record

Shown: TypeAlias = "Mapping[Ref, Live | Unreadable]"
SeenByRef: TypeAlias = "Mapping[Ref, Seen]"


class WentBackwards(Exception):
    """The base was made at a commit that ``main`` no longer contains."""

    def __init__(self, remote: str, made_at: str, head: str) -> None:
        self.remote, self.made_at, self.head = remote, made_at, head
        super().__init__(
            f"main is at {head[:10]}, which does not contain {made_at[:10]}, the commit it was last in sync at: a "
            "restored backup or a stale clone? Push the missing commits, or pass --accept-rewind to go on from "
            "main as it is"
        )


@dataclass(frozen=True)
class Refs:
    """Where the refs of one scope stood when it was loaded."""

    main: str
    bases: Mapping[str, str | None]


@dataclass
class ScopeWork:
    """One scope as it goes through a pass. ``bases`` grow step by step; ``stored`` is what was loaded or last saved."""

    scope: Scope
    repo: Repo
    head: str
    desired: Desired
    stored: dict[str, StoredBase]
    git: GitSide
    diffs: Mapping[str, PendingDiff]
    shown: dict[str, Shown] = field(default_factory=dict[str, Shown])
    seen: dict[str, SeenByRef] = field(default_factory=dict[str, SeenByRef])
    plan: Plan = field(default_factory=lambda: Plan({}))
    bases: dict[str, Base] = field(default_factory=dict[str, Base])
    texts: dict[Ref, str] = field(default_factory=dict[Ref, str])
    """Each document as it stands on ``main`` at this point of the pass."""
    prunes: list[tuple[str, Ref]] = field(default_factory=list[tuple[str, Ref]])
    """Agents of courses the learner left, to be deleted: only where a person opened that way."""
    threads: list[Record] = field(default_factory=list[Record])
    """What is to be put on record of this learner's threads."""
    suspect: frozenset[FieldKey] = NO_DOUBT
    """Fields of which a person is asked, though they could be captured."""
    known: dict[str, Base] = field(default_factory=dict[str, Base])
    """Each base as this pass found it, once what has settled meanwhile was believed: what the plan starts from."""

    def __post_init__(self) -> None:
        self.texts = dict(self.git.texts)

    def git_now(self) -> GitSide:
        """Git's side once the plan is on ``main``; as loaded before that."""
        if self.head == self.git.commit:
            return self.git
        seen: dict[Ref, Seen] = {**self.git.seen, **self.plan.target}
        return GitSide(self.head, self.repo.files(self.head), seen, self.texts, {})


def main_of(repo: Repo, scope: Scope) -> str:
    """The commit of ``main``; Terminal where the repo has none yet."""
    head = repo.ref(MAIN)
    if head is None:
        raise Terminal(f"{scope}: the repo has no commit on main yet; commit something, or run `reconciler init`")
    return head


def load_scope(scope: Scope, repo: Repo, head: str, desired: Desired, remotes: Sequence[str]) -> ScopeWork:
    """Read git's side and the bases of one scope."""
    git = read_git(repo, head, desired)
    stored = {remote: load_base(repo, remote) for remote in remotes}
    return ScopeWork(scope, repo, head, desired, stored, git, diffs=read_diffs(repo, git.files))


def check_forward(work: ScopeWork, accept_rewind: bool) -> None:
    """Raise WentBackwards where a base is newer than ``main``; with the way on open, forget that base instead."""
    for remote, stored in work.stored.items():
        if stored.main is None or stored.main == work.head or work.repo.is_ancestor(stored.main, work.head):
            continue
        if not accept_rewind:
            raise WentBackwards(remote, stored.main, work.head)
        work.stored[remote] = replace(stored, main=None, resources={})


def look(
    work: ScopeWork, observations: Mapping[str, Observation], runs: Mapping[str, Sequence[Running]], stamp: Stamp
) -> None:
    """Put what was observed beside git's side, and believe what has settled, as far as the runs were listed."""
    renames = work.desired.renames
    looked = {name: carried(seen, work.scope, renames) for name, seen in observations.items()}
    work.shown = {name: seen.seen.get(work.scope, {}) for name, seen in looked.items()}
    work.seen = {name: read_live(work.desired, work.scope, each) for name, each in looked.items()}
    for remote in observations:
        work.seen[remote] = _finished(work.seen[remote], work.shown[remote], stamp)
        base = replayed(work.repo, remote, carried_base(work.stored[remote], renames), work.head, work.desired)
        if remote in runs:
            base = believe(work, remote, base, work.seen[remote], (runs[remote], stamp), is_first=False)
        work.known[remote], work.seen[remote] = _forgiven(work.seen[remote], base)


PATIENCE = timedelta(seconds=20)
"""How long an invalid text may be somebody still writing."""


def _finished(seen: SeenByRef, shown: Shown, stamp: Stamp) -> SeenByRef:
    """What was seen, without invalid texts that changed a moment ago: their writer has not finished."""
    young = {
        ref
        for ref, live in shown.items()
        if isinstance(live, Live) and live.changed_at is not None and stamp.now - live.changed_at < PATIENCE
    }
    if not young:
        return seen
    return {ref: each for ref, each in seen.items() if not (ref in young and isinstance(each, Unreadable))}


def _forgiven(seen: SeenByRef, base: Base) -> tuple[Base, SeenByRef]:
    """A live text that a person rejected as a whole counts as a known, empty document: git's will replace it."""
    resources = dict(base.resources)
    shown = dict(seen)
    for ref, fields in base.resources.items():
        if (rejected := fields.get(WHOLE)) is None:
            continue
        own = {name: known for name, known in fields.items() if name != WHOLE}
        live = shown.get(ref)
        if isinstance(live, Unreadable) and live.raw is not None and rejected.knows(live.raw):
            shown[ref] = {}
            own = {name: known.joined(ABSENT, Origin.LIVE) for name, known in own.items()}
        resources[ref] = own
    return Base(base.main, resources), shown


Listing = tuple[Sequence[Running], Stamp]


def believe(
    work: ScopeWork, remote: str, base: Base, seen: Mapping[Ref, Seen], listing: Listing, *, is_first: bool = True
) -> Base:
    """The base after a read that came after this listing of runs.

    is_first: whether the listing may be the first since a value was sent. One made at the start of a pass may not: a
    process that died, or works beside us, sent the value perhaps just now, and a turn that began before is not listed
    yet.
    """
    runs, stamp = listing
    resources: dict[Ref, Mapping[str, FieldBase]] = {}
    for ref, fields in base.resources.items():
        live = seen.get(ref)
        if not isinstance(live, Mapping):
            resources[ref] = fields
            continue
        active = on_holders(runs, holders(work, remote, ref), stamp.now)
        resources[ref] = {
            name: settle(each, live.get(name, ABSENT), frozenset() if _is_owned(work, ref, name) else active)
            if is_first or each.waits is not None
            else each
            for name, each in fields.items()
        }
    return Base(base.main, resources)


def _is_owned(work: ScopeWork, ref: Ref, name: str) -> bool:
    spec = work.desired.specs.get(ref)
    return spec is not None and spec.owns(name)


def holders(work: ScopeWork, remote: str, ref: Ref) -> frozenset[str] | None:
    """The agents whose turns could write this resource back; None where they are not known."""
    live = work.shown.get(remote, {}).get(ref)
    return live.holders if isinstance(live, Live) else None


def is_unlisted(work: ScopeWork) -> bool:
    """Whether a value that was sent or taken may be believed once runs are listed, and none were since."""
    return any(
        each.waits is None and same_settled(each, live.get(name, ABSENT)) and not _is_owned(work, ref, name)
        for remote, base in work.bases.items()
        for ref, fields in base.resources.items()
        if isinstance(live := work.seen[remote].get(ref), Mapping)
        for name, each in fields.items()
    )


def is_unsettled(base: Base) -> bool:
    """Whether any value of the base is still in the air."""
    return any(not each.is_settled for fields in base.resources.values() for each in fields.values())


def decide_scope(work: ScopeWork) -> None:
    """Plan the scope from what was looked at."""
    sides = [Side(remote, seen, work.known[remote]) for remote, seen in work.seen.items()]
    work.plan = plan_scope(work.desired.specs, work.git.seen, sides, _dirty_refs(work), work.suspect)
    work.bases = {remote: _known(base, work.seen[remote], work.plan.target) for remote, base in work.plan.bases.items()}


def _known(base: Base, seen: Mapping[Ref, Seen], planned: Mapping[Ref, Fields]) -> Base:
    """The base with an entry for every resource that was seen, so that its loss will be noticed."""
    met = {ref: dict[str, FieldBase]() for ref, live in seen.items() if isinstance(live, Mapping) and ref in planned}
    return Base(base.main, {**met, **base.resources})


def _dirty_refs(work: ScopeWork) -> frozenset[Ref]:
    dirty = work.repo.dirty() if work.desired.documents else frozenset[str]()
    return frozenset(ref for ref, document in work.desired.documents.items() if document.path in dirty)


def edits_of_courses(work: ScopeWork) -> dict[str, bytes]:
    """Course files as the plan's captures leave them: learners are planned against these."""
    edited: dict[str, dict[str, Held]] = {}
    for change in work.plan.captured:
        if change.ref.startswith("model/"):
            edited.setdefault(change.ref, {})[change.name] = change.after
    documents = work.desired.documents
    return {
        documents[ref].path: documents[ref].lens.edit(work.git.texts[ref], changes).encode()
        for ref, changes in edited.items()
    }


def left_over(work: ScopeWork) -> list[tuple[str, Ref]]:
    """Our agents that git asks for no more, per remote: of courses the learner left."""
    return [
        (remote, ref)
        for remote, shown in work.shown.items()
        for ref in shown
        if ref.startswith("agent/") and ref not in work.desired.specs
    ]


def recreate(work: ScopeWork, remote: str, refs: Iterable[Ref]) -> None:
    """Treat what the remote holds of these as known: git's values will be written over it."""
    base = work.known[remote]
    resources = dict(base.resources)
    for ref in refs:
        live = work.seen[remote].get(ref)
        if isinstance(live, Unreadable):
            work.seen[remote] = {**work.seen[remote], ref: {}}
            live = dict[str, Value]()
        if isinstance(live, Mapping):
            resources[ref] = _overruled(resources.get(ref, {}), live)
    work.known[remote] = Base(base.main, resources)


def _overruled(fields: Mapping[str, FieldBase], live: Fields) -> dict[str, FieldBase]:
    names = dict.fromkeys([*fields, *live])
    known = {name: fields.get(name, FieldBase(settled=ABSENT)) for name in names}
    return {
        name: base if base.knows(live.get(name, ABSENT)) else base.joined(live.get(name, ABSENT), Origin.LIVE)
        for name, base in known.items()
    }
