"""What the guard judges: each resource that a base says was live, and what the observation showed of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.core.base import FieldBases, Unsettled
from reconciler.core.guard import Expected, Found
from reconciler.core.snapshot import MISSING, Ref, Unreadable
from reconciler.core.value import ABSENT, Fields, same
from reconciler.desired import Document
from reconciler.manifest.lens import InvalidBlock
from reconciler.store.journal import tracking_ref
from reconciler.sync.scope import ScopeWork

MOST_STEPS_BACK = 100
"""How many observations of one scope are searched for an older value."""


def findings(work: ScopeWork, remote: str) -> Iterable[tuple[Expected, Found]]:
    """Every resource of the scope that the remote is known to have held, and what it holds now."""
    for ref, fields in work.known[remote].resources.items():
        if ref not in work.desired.specs or _is_intent(fields):
            continue
        kind = ref.split("/", 1)[0]
        yield Expected(kind, work.scope, ref, _had_values(fields)), _found(work, remote, ref, fields)


def lost(work: ScopeWork, remote: str) -> list[Ref]:
    """The resources of the scope that are not as the base says."""
    return [expected.ref for expected, found in findings(work, remote) if found not in (Found.PRESENT, Found.UNKNOWN)]


def _is_intent(fields: FieldBases) -> bool:
    """Whether the resource was meant to be made, and nobody ever saw that it was."""
    return bool(fields) and all(isinstance(each.settled, Unsettled) for each in fields.values())


def _had_values(fields: FieldBases) -> bool:
    return any(each.expected not in ("", (), ABSENT) for each in fields.values())


def _found(work: ScopeWork, remote: str, ref: Ref, fields: FieldBases) -> Found:
    seen = work.seen[remote].get(ref)
    if seen is None:
        return Found.UNKNOWN
    if seen is MISSING:
        return Found.MISSING
    if isinstance(seen, Unreadable):
        return Found.BLANK if seen.raw is not None and not seen.raw.strip() else Found.UNKNOWN
    assert isinstance(seen, Mapping)
    return Found.OLDER if _is_news(fields, seen) and _was_before(work, remote, ref, seen) else Found.PRESENT


def _is_news(fields: FieldBases, live: Fields) -> bool:
    """Whether the live side holds a value that neither side is known to have held last."""
    return any(
        not isinstance(each.settled, Unsettled) and not each.knows(live.get(name, ABSENT))
        for name, each in fields.items()
        if not name.startswith("@")
    )


def _was_before(work: ScopeWork, remote: str, ref: Ref, live: Fields) -> bool:
    """Whether the whole live document is one that the tracking ref held once, and is not the one it holds now.

    What it holds now may be news that was observed by a pass that died before it could say so on ``main``.
    """
    document = work.desired.documents.get(ref)
    at = work.repo.ref(tracking_ref(remote))
    if document is None or at is None:
        return False
    blobs = [work.repo.files(commit.id).get(document.path) for commit in work.repo.log(at, limit=MOST_STEPS_BACK)]
    own = {name: value for name, value in live.items() if not name.startswith("@")}
    held = {blob: same(_fields(work, blob, document), own) for blob in dict.fromkeys(blobs) if blob}
    return any(held.values()) and not held.get(blobs[-1] or "")


def _fields(work: ScopeWork, blob: str, document: Document) -> Fields:
    try:
        return document.lens.parse(work.repo.read(blob).decode())
    except (InvalidBlock, UnicodeDecodeError):
        return {}


def courses_gone(enrolled: Iterable[str], known: frozenset[str], served: Sequence[str]) -> list[str]:
    """Courses that agents were served with, that learners are enrolled in, and that have no file any more."""
    return sorted((set(enrolled) - known) & set(served))
