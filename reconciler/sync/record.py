"""Put one scope's pass on record in git, before anything live is overwritten: tracking refs, ``main``, bases.

The order is what makes a crash between any two steps harmless: an observed value is reachable before it is
overwritten, a capture is on ``main`` before the base knows it, and an intent is in the base before the write is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from reconciler.core.base import Unsettled
from reconciler.core.plan import Change
from reconciler.core.snapshot import SETTING, Ref
from reconciler.core.value import ABSENT, Held
from reconciler.ports import Actor, Edit, Live, Remote
from reconciler.store.bases import save_base
from reconciler.store.journal import (
    MAIN,
    Stamp,
    Step,
    birth_step,
    capture_step,
    commit_steps,
    diffs_step,
    last_change,
    track,
    tracking_ref,
)
from reconciler.store.pending import GIT, PendingDiff, render
from reconciler.store.sides import drift_path, overlay, tells_nothing
from reconciler.sync.questions import questions
from reconciler.sync.scope import ScopeWork
from reconciler.sync.threads import steps as thread_steps

MOST_LOOKS = 100
"""How many observations are searched for an older value of a document."""


class Moved(Exception):
    """Somebody else committed to ``main`` in between: read again."""


def record(work: ScopeWork, remotes: Mapping[str, Remote], stamp: Stamp) -> int:
    """Write everything this pass has to say in git about one scope; the number of commits on ``main``.

    Raises Moved, with nothing but tracking refs written, where ``main`` is not where it was.
    """
    observed = {remote: track_seen(work, remote, stamp) for remote in work.seen}
    steps = [birth_step(work.git.births)] if work.git.births else []
    steps += _captures(work, remotes, observed, stamp)
    steps += _questions(work, remotes, stamp)
    steps += thread_steps(work.threads, stamp)
    made = commit_steps(work.repo, work.head, steps, stamp)
    if made and not work.repo.move(MAIN, work.head, made[-1]):
        raise Moved(work.scope)
    work.head = made[-1] if made else work.head
    save_bases(work, stamp)
    if work.threads:  # on ``main`` now, so on record of every remote too
        for remote in work.seen:
            track_seen(work, remote, stamp)
    return len(made)


def track_seen(work: ScopeWork, remote: str, stamp: Stamp) -> str | None:
    """Bring the tracking ref to what was last seen there; the commit it is then at."""
    changes = overlay(work.desired, work.git_now(), work.seen[remote], _unseen(work, remote))
    track(work.repo, remote, work.head, changes, stamp)
    return work.repo.ref(tracking_ref(remote))


def save_bases(work: ScopeWork, stamp: Stamp) -> None:
    """Save every base at the present ``main``."""
    for remote, base in work.bases.items():
        work.stored[remote] = save_base(work.repo, remote, base.at(work.head), work.stored[remote], stamp.now)


def _last_look(work: ScopeWork, remote: str, ref: Ref) -> datetime | None:
    """When the document was last seen to hold something else than now: edits that we meet now are younger.

    A look that nothing came of does not count: its process died, or ``main`` moved under it.
    """
    at, path = work.repo.ref(tracking_ref(remote)), work.desired.documents[ref].path
    if at is None:
        return None
    now, looks = work.repo.files(at).get(path), work.repo.log(at, limit=MOST_LOOKS)
    farthest = looks[0].when if len(looks) == MOST_LOOKS else None
    return next((look.when for look in reversed(looks) if work.repo.files(look.id).get(path) != now), farthest)


def _unseen(work: ScopeWork, remote: str) -> dict[str, bytes | None]:
    """What the tracking ref holds, or knows to be missing, of what this observation says nothing about."""
    at = work.repo.ref(tracking_ref(remote))
    if at is None:
        return {}
    files, seen, documents = work.repo.files(at), work.seen[remote], work.desired.documents
    unseen = [ref for ref in {**work.desired.specs, **documents} if tells_nothing(seen.get(ref))]
    meant = [ref for ref in unseen if _is_for(work, ref, remote)]
    paths = [documents[ref].path for ref in meant if ref in documents]
    drift = [path for path in dict.fromkeys(map(drift_path, meant)) if path in files]
    return {path: work.repo.read(files[path]) if path in files else None for path in [*paths, *drift]}


def _is_for(work: ScopeWork, ref: Ref, remote: str) -> bool:
    """Whether the remote is to hold the document at all: of any other it will never say what it holds."""
    spec = work.desired.specs.get(ref)
    return spec is None or remote in spec.remotes


def _captures(
    work: ScopeWork,
    remotes: Mapping[str, Remote],
    observed: Mapping[str, str | None],
    stamp: Stamp,
) -> Iterable[Step]:
    """One commit per remote, block and actor, in the order they were folded."""
    for (remote, ref), changes in by_resource(work.plan.captured):
        actors = _actors(work, remotes[remote], ref, changes)
        for actor in dict.fromkeys(actors):
            own = [change for change, by in zip(changes, actors, strict=True) if by == actor]
            yield _capture(work, ref, own, actor, _trailers(remote, actor, observed[remote], stamp))


def by_resource(changes: Iterable[Change]) -> list[tuple[tuple[str, Ref], list[Change]]]:
    """The changes of each remote and resource together, but never one before what it follows: the same field twice."""
    grouped: list[tuple[tuple[str, Ref], list[Change]]] = []
    for change in changes:
        key = change.remote, change.ref
        place = max((at for at, (other, _) in enumerate(grouped) if other == key), default=len(grouped))
        since = [each.name for (_, ref), own in grouped[place + 1 :] if ref == change.ref for each in own]
        if place == len(grouped) or change.name in since:
            grouped.append((key, [change]))
        else:
            grouped[place][1].append(change)
    return grouped


def _actors(work: ScopeWork, remote: Remote, ref: Ref, changes: list[Change]) -> list[Actor]:
    live = work.shown[remote.name][ref]
    assert isinstance(live, Live), "what could not be read is never captured"
    edits = [_edit(work, live, change) for change in changes]
    return list(remote.explain(edits, _last_look(work, remote.name, ref)))


def _edit(work: ScopeWork, live: Live, change: Change) -> Edit:
    """The change of one field as two documents that differ in nothing else; a field without a document as its text."""
    if live.text is None:
        return Edit(work.scope, live, None, change.live if isinstance(change.live, str) else "", change.name)
    expected = work.stored[change.remote].of(change.ref, change.name).expected
    known: Held = ABSENT if isinstance(expected, Unsettled) else expected
    lens = work.desired.documents[change.ref].lens
    before = lens.edit(work.texts[change.ref], {change.name: known})
    return Edit(work.scope, live, before, lens.edit(before, {change.name: change.live}), change.name)


def _capture(work: ScopeWork, ref: Ref, changes: list[Change], actor: Actor, said: Mapping[str, str]) -> Step:
    document = work.desired.documents[ref]
    edits = {change.name: change.after for change in changes}
    work.texts[ref] = document.lens.edit(work.texts[ref], edits)
    step = capture_step(ref, list(edits), document.path, work.texts[ref], actor.person, said)
    return replace(step, subject=actor.subject) if actor.subject else step


def _trailers(remote: str, actor: Actor, observed: str | None, stamp: Stamp) -> dict[str, str]:
    return {
        "Remote": remote,
        "Actor": f"{actor.kind}:{actor.id}" if actor.id else actor.kind,
        "Attribution": "known" if actor.known else "presumed",
        "Observed-At": stamp.now.isoformat(),
        "Observed": observed or "",
    }


def _questions(work: ScopeWork, remotes: Mapping[str, Remote], stamp: Stamp) -> Iterable[Step]:
    changed = [
        replace(diff, actors=_authors(work, remotes, diff)) if diff.status == "pending" else diff
        for diff in questions(work, stamp)
    ]
    if changed:
        yield diffs_step(changed, {diff.path: render(diff) for diff in changed})


def _authors(work: ScopeWork, remotes: Mapping[str, Remote], diff: PendingDiff) -> dict[str, str]:
    """Who wrote each side's value, as far as is known: the person of git's last change, the actor of the live one."""
    authors: dict[str, str] = {}
    document = work.desired.documents.get(diff.ref)
    if document is not None and (last := last_change(work.repo, work.head, document.path)):
        authors[GIT] = last.author.name
    for clash in work.plan.clashes:
        if (
            document is not None
            and (clash.ref, clash.name) == (diff.ref, diff.field)
            and not clash.name.startswith(SETTING)
        ):
            change = Change(clash.remote, clash.ref, clash.name, clash.git, clash.live, clash.live)
            actor = _actors(work, remotes[clash.remote], clash.ref, [change])[0]
            authors[clash.remote] = actor.person.name
    return authors
