"""What a pass writes into git, and what a later pass reads back from it.

Commits on ``main`` are made one on another without a ref, then the ref moves once, by compare-and-set. Each carries
trailers, so that a process that died between two steps leaves a record to go on from: ``replayed`` puts captures and
decisions that are newer than the base into its chain (DESIGN 7, "Base").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.base import Base, FieldBase, Origin
from reconciler.core.snapshot import Ref, Spec
from reconciler.core.value import ABSENT, Fields, Held, same
from reconciler.desired import Desired, Document
from reconciler.errors import Transient
from reconciler.manifest.lens import InvalidBlock
from reconciler.ports import Commit, Draft, Person, Repo
from reconciler.store.pending import FOLDER, PendingDiff, parse
from reconciler.store.people import RECONCILER, clean_message, one_line, trailer

MAIN = "refs/heads/main"
WHOLE = "@document"
"""The base entry of a live text that a person rejected as a whole; no field of a document has such a name."""

_TRAILER = re.compile(r"^([A-Za-z-]+): (.+)$", re.MULTILINE)


def tracking_ref(remote: str) -> str:
    """The remote-tracking ref: what was last observed there."""
    return f"refs/remotes/{remote}/main"


@dataclass(frozen=True)
class Step:
    """One commit to be made on ``main``: its effect in words, who did it, and the files it leaves."""

    subject: str
    author: Person
    changes: Mapping[str, bytes | None]
    trailers: Mapping[str, str]


@dataclass(frozen=True)
class Stamp:
    """What all commits of one pass share."""

    pass_id: str
    now: datetime


def commit_steps(repo: Repo, head: str, steps: Iterable[Step], stamp: Stamp) -> list[str]:
    """Make one commit per step, each on the one before. No ref moves."""
    made: list[str] = []
    for step in steps:
        onto = made[-1] if made else head
        trailers = {**step.trailers, "Pass": stamp.pass_id}
        message = f"{one_line(step.subject)}\n\n" + "\n".join(trailer(key, said) for key, said in trailers.items())
        made.append(repo.commit(Draft(onto, (onto,), step.changes, step.author, clean_message(message), stamp.now)))
    return made


def track(repo: Repo, remote: str, head: str, overlay: Mapping[str, bytes | None], stamp: Stamp) -> str | None:
    """Record what the remote holds as ``head``'s tree with ``overlay``. The new commit; None where nothing changed.

    Where another process moves the ref meanwhile, its observation stays in the history: ours is made on top.
    """
    name = tracking_ref(remote)
    message = clean_message(f"What {remote} holds\n\n{trailer('Pass', stamp.pass_id)}")
    for _ in range(MOST_TRIES):
        before = repo.ref(name)
        if before is not None and _is_same(repo, before, head, overlay):
            return None
        parents = (before,) if before else ()
        made = repo.commit(Draft(head, parents, overlay, RECONCILER, message, stamp.now))
        if repo.move(name, before, made):
            return made
    raise Transient(f"{name} keeps moving; try again, as the loop does")


def _is_same(repo: Repo, before: str, head: str, overlay: Mapping[str, bytes | None]) -> bool:
    """Whether ``before`` has the files of ``head`` with the overlay. Told without writing any object."""
    was, now = repo.files(before), repo.files(head)
    given = {path for path, content in overlay.items() if content is not None}
    if set(was) != (now.keys() - overlay.keys()) | given:
        return False
    return all(repo.read(blob) == overlay[path] if path in given else blob == now[path] for path, blob in was.items())


MOST_TRIES = 5
"""How often a ref is moved that other processes move too."""

MOST_STEPS_BACK = 200
"""How many commits are searched for who last changed a file."""


def last_change(repo: Repo, head: str, path: str) -> Commit | None:
    """The last commit that changed a file, along first parents; None where it is too far back."""
    at = repo.info(head)
    for _ in range(MOST_STEPS_BACK):
        before = repo.files(at.parents[0]).get(path) if at.parents else None
        if repo.files(at.id).get(path) != before:
            return at
        if not at.parents:
            return None
        at = repo.info(at.parents[0])
    return None


def trailers_of(commit: Commit) -> dict[str, str]:
    """The trailers of a commit: the lines ``Key: value`` of its last paragraph."""
    return dict(_TRAILER.findall(commit.message.rstrip().rpartition("\n\n")[2]))


def replayed(repo: Repo, remote: str, base: Base, head: str, desired: Desired) -> Base:
    """The base with every capture and decision on ``main`` since it was made, at ``main`` as of now."""
    if base.main == head:
        return base
    resources = {ref: dict(fields) for ref, fields in base.resources.items()}
    paths = {document.was: (ref, document) for ref, document in desired.documents.items() if document.was}
    paths |= {document.path: (ref, document) for ref, document in desired.documents.items()}
    for commit in repo.log(head, base.main) if base.main else ():
        for known_as, name, live in _recorded(repo, commit, remote, paths):
            ref = desired.renames.get(known_as, known_as)
            if ref not in resources:
                continue  # First met in that very pass: its fields are met again, and equal ones adopted.
            fields = resources[ref]
            before = fields.get(name) or FieldBase(settled=ABSENT)
            fields[name] = replace(before.joined(live, Origin.LIVE), rewrites=0)
    return Base(head, {ref: _rested(fields, desired.specs.get(ref)) for ref, fields in resources.items()})


def _rested(fields: Mapping[str, FieldBase], spec: Spec | None) -> dict[str, FieldBase]:
    """The fields once ``main`` moved: rewrites count from nought, and owned fields in order are forgotten."""
    return {
        name: replace(base, rewrites=0) if base.rewrites else base
        for name, base in fields.items()
        if not (base.is_settled and spec is not None and spec.owns(name))
    }


Recorded = tuple[Ref, str, Held]


def _recorded(repo: Repo, commit: Commit, remote: str, paths: Mapping[str, tuple[Ref, Document]]) -> Iterable[Recorded]:
    """The live values of one remote that a commit puts on record: captured ones, and those of decided diffs."""
    if not commit.parents:
        return
    before, after = repo.files(commit.parents[0]), repo.files(commit.id)
    changed = [path for path, blob in after.items() if before.get(path) != blob]
    said = trailers_of(commit)
    if said.get("Remote") == remote and (seen := said.get("Observed")):
        for path in (path for path in changed if path in paths):
            yield from _captured(repo, paths[path], before.get(path), after[path], _blob(repo, seen, path))
    for path in (path for path in changed if path.startswith(f"{FOLDER}/")):
        yield from _decided(parse(repo.read(after[path]), path), remote)


def _captured(
    repo: Repo, place: tuple[Ref, Document], before: str | None, after: str, seen: str | None
) -> Iterable[Recorded]:
    ref, document = place
    old, new, live = (_fields(repo, blob, document) for blob in (before, after, seen))
    for name in dict.fromkeys([*old, *new]):
        if not same(old.get(name, ABSENT), new.get(name, ABSENT)):
            yield ref, name, live.get(name, ABSENT)


def _decided(diff: PendingDiff, remote: str) -> Iterable[Recorded]:
    if diff.status in ("approved", "rejected") and remote in diff.values:
        yield diff.ref, diff.field if diff.field is not None else WHOLE, diff.values[remote]


def _blob(repo: Repo, commit: str, path: str) -> str | None:
    return repo.files(commit).get(path)


def _fields(repo: Repo, blob: str | None, document: Document) -> Fields:
    """The fields of a document's blob; none where it is not there or cannot be read."""
    try:
        return document.lens.parse(repo.read(blob).decode()) if blob else {}
    except (InvalidBlock, UnicodeDecodeError):
        return {}


def capture_step(ref: Ref, names: Sequence[str], path: str, text: str, author: Person, said: Mapping[str, str]) -> Step:
    """The commit of one actor's edits of one block."""
    subject = f"Update {_listed(names)} of {ref.partition('/')[2]}, by {author.name}"
    return Step(subject, author, {path: text.encode()}, said)


def _listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``, ``a, b, c and 2 more``."""
    shown = [*names[:3], f"{len(names) - 3} more"] if len(names) > 3 else list(names)
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def birth_step(births: Mapping[str, bytes | None]) -> Step:
    """The commit that gives a repo what its courses newly declare."""
    made = [path for path, content in births.items() if content is not None]
    gone = [path for path, content in births.items() if content is None]
    what = made[0] if len(made) == 1 else f"{len(made)} blocks"
    if len(gone) == len(made):
        what = f"{gone[0]} to {what}" if len(gone) == 1 else what
        return Step(f"Rename {what}, as the course does", RECONCILER, births, {})
    return Step(f"Fill {what} from the course's defaults", RECONCILER, births, {})


def diffs_step(diffs: Sequence[PendingDiff], changes: Mapping[str, bytes | None]) -> Step:
    """The commit that opens and closes pending diffs."""
    opened = [diff for diff in diffs if diff.status == "pending"]
    parts = [f"Ask about {_matters(opened)}"] if opened else []
    closed = len(diffs) - len(opened)
    parts += [f"close {closed} settled question{'s' * (closed > 1)}"] if closed else []
    subject = ", ".join(parts)
    return Step(subject[0].upper() + subject[1:], RECONCILER, changes, {})


def _matters(diffs: Sequence[PendingDiff]) -> str:
    first = diffs[0]
    what = f"{first.field or 'the text'} of {first.ref.partition('/')[2]}"
    return what if len(diffs) == 1 else f"{what} and {len(diffs) - 1} more"
