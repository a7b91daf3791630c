"""A model saved from a page that was opened before git changed it: its editor sends every field, old ones too.

Nothing of a save says which fields its writer touched (0.12.4). So a field that goes back to a value which ``main`` has
replaced, in a save that changes others, is asked about and never spreads. Alone, it is what somebody meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from reconciler.core.plan import WENT_BACK, FieldKey
from reconciler.core.snapshot import Ref
from reconciler.core.value import ABSENT, Fields, Held, same
from reconciler.desired_web import WEB
from reconciler.manifest.lens import InvalidBlock
from reconciler.sync.scope import ScopeWork, decide_scope

MOST_STEPS_BACK = 200
"""How many commits of ``main`` are searched for replaced values."""


def doubt(work: ScopeWork) -> None:
    """Plan again with a question for every field that may have come from an old page."""
    asked = frozenset({*_still_asked(work), *_went_back(work)})
    if asked:
        work.suspect = asked
        decide_scope(work)


def _still_asked(work: ScopeWork) -> Iterator[FieldKey]:
    """Fields that a person was asked about already: the rest of that save is in git by now."""
    for diff in work.diffs.values():
        if diff.status == "pending" and diff.field and WENT_BACK in diff.reason and WEB in diff.values:
            seen = work.seen[WEB].get(diff.ref)
            if isinstance(seen, Mapping) and same(seen.get(diff.field, ABSENT), diff.values[WEB]):
                yield diff.ref, diff.field


def _went_back(work: ScopeWork) -> Iterator[FieldKey]:
    saved: dict[Ref, dict[str, Held]] = {}
    for change in (*work.plan.captured, *work.plan.clashes):
        if change.remote == WEB and change.ref.startswith("model/"):
            saved.setdefault(change.ref, {})[change.name] = change.live
    for ref, fields in saved.items():
        if len(fields) > 1:
            replaced = list(_versions(work, ref))
            for name, live in fields.items():
                if any(same(old.get(name, ABSENT), live) for old in replaced):
                    yield ref, name


def _versions(work: ScopeWork, ref: Ref) -> Iterator[Fields]:
    """What ``main`` has held of the document before."""
    document = work.desired.documents[ref]
    seen = {work.git.files.get(document.path), None}
    for commit in work.repo.log(work.head, limit=MOST_STEPS_BACK):
        blob = work.repo.files(commit.id).get(document.path)
        if blob in seen or blob is None:
            continue
        seen.add(blob)
        with suppress(InvalidBlock, UnicodeDecodeError):
            yield document.lens.parse(work.repo.read(blob).decode())
