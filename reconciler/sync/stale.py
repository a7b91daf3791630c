"""A model saved from a page that was opened before git changed it: its editor sends every field, old ones too.

Nothing of a save says which fields its writer touched (0.12.4). So a field that goes back to a value which ``main`` has
replaced, or Open WebUI itself, in a save that changes others, is asked about and never spreads. Alone, it is what
somebody meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from reconciler.core.plan import WENT_BACK, FieldKey
from reconciler.core.snapshot import Ref
from reconciler.core.value import ABSENT, Fields, Held, same
from reconciler.desired_web import WEB
from reconciler.manifest.lens import InvalidBlock
from reconciler.manifest.lenses import EMPTY
from reconciler.ports import Live, Remote
from reconciler.store.journal import tracking_ref
from reconciler.store.pending import GIT, PendingDiff
from reconciler.sync.scope import ScopeWork, decide_scope

MOST_STEPS_BACK = 200
"""How many commits of one ref are searched for replaced values."""


def doubt(work: ScopeWork, web: Remote) -> None:
    """Plan again with a question for every field that may have come from an old page."""
    asked = frozenset({*_still_asked(work), *_went_back(work, web)})
    if asked:
        work.suspect = asked
        decide_scope(work)


def _still_asked(work: ScopeWork) -> Iterator[FieldKey]:
    """Fields that a person was asked about already: the rest of that save is in git by now."""
    for diff in work.diffs.values():
        if diff.status == "pending" and diff.field and WENT_BACK in diff.reason and WEB in diff.values:
            seen = work.seen[WEB].get(diff.ref)
            if isinstance(seen, Mapping) and _carries(seen.get(diff.field, ABSENT), diff):
                yield diff.ref, diff.field


def _carries(live: Held, diff: PendingDiff) -> bool:
    """Whether a value still is the one in question: a list that was edited since, in any item that was."""
    asked, git = (() if each is ABSENT else each for each in (diff.values[WEB], diff.values[GIT]))
    now = () if live is ABSENT else live
    if isinstance(asked, tuple) and isinstance(git, tuple) and isinstance(now, tuple):
        return any((item in asked) != (item in git) and (item in asked) == (item in now) for item in (*asked, *git))
    return same(live, diff.values[WEB])


def _went_back(work: ScopeWork, web: Remote) -> Iterator[FieldKey]:
    saved: dict[Ref, dict[str, Held]] = {}
    for change in (*work.plan.captured, *work.plan.clashes):
        if change.remote == WEB and change.ref.startswith("model/"):
            saved.setdefault(change.ref, {})[change.name] = change.live
    for ref, fields in saved.items():
        if len(fields) > 1:
            replaced, held = list(_versions(work, ref, work.head)), [list(_looks(work, ref)), _past(work, ref, web)]
            for name, live in fields.items():
                was = any(same(old.get(name, ABSENT), live) for old in replaced)
                if was or any(_is_again(shown, name, live) for shown in held):
                    yield ref, name


def _is_again(shown: Sequence[Fields], name: str, live: Held) -> bool:
    """Whether the value was shown, then another, and now it again. What a pass saw that died is no other."""
    held = [same(look.get(name, ABSENT), live) for look in shown]
    return False in held and any(held[held.index(False) :])


def _looks(work: ScopeWork, ref: Ref) -> Iterator[Fields]:
    """What Open WebUI has held of the document, newest first: of a list that was merged, ``main`` never had it so."""
    at = work.repo.ref(tracking_ref(WEB))
    yield from _versions(work, ref, at) if at else ()


def _past(work: ScopeWork, ref: Ref, web: Remote) -> list[Fields]:
    """What Open WebUI says that it held, newest first: what came and went between two looks is nowhere else."""
    live = work.shown[WEB][ref]
    assert isinstance(live, Live), "what could not be read has no field that went back"
    return [{name: value for name, value in old.items() if value not in EMPTY} for old in web.past(live)]


def _versions(work: ScopeWork, ref: Ref, tip: str) -> Iterator[Fields]:
    """Each text that the document ever had, newest first."""
    document, last = work.desired.documents[ref], None
    for commit in reversed(work.repo.log(tip, limit=MOST_STEPS_BACK)):
        blob = work.repo.files(commit.id).get(document.path)
        if blob == last or blob is None:
            continue
        last = blob
        with suppress(InvalidBlock, UnicodeDecodeError):
            yield document.lens.parse(work.repo.read(blob).decode())
