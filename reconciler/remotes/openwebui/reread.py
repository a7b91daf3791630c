"""The same resources again, by id: a few one by one, many by the listings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.core.snapshot import Unreadable
from reconciler.desired import NAMED
from reconciler.ports import Live
from reconciler.remotes.openwebui.catalog import Catalog
from reconciler.remotes.openwebui.feed import Feed
from reconciler.remotes.openwebui.known import Known
from reconciler.remotes.openwebui.wire import is_id

MANY = 30


class Rereader:
    def __init__(self, feed: Feed, catalog: Catalog, known: Known) -> None:
        self._feed = feed
        self._catalog = catalog
        self._known = known

    def reread(self, lives: Sequence[Live]) -> Mapping[str, Live | Unreadable | None]:
        notes = [live for live in lives if not live.ref.startswith("model/")]
        models = [live for live in lives if live.ref.startswith("model/")]
        return self._notes(notes) | self._models(models)

    def _notes(self, lives: list[Live]) -> dict[str, Live | Unreadable | None]:
        is_listed = len(lives) > MANY and self._feed.all()
        return {live.handle: self._note(live, is_listed) for live in lives}

    def _note(self, live: Live, is_listed: bool) -> Live | Unreadable | None:
        if not is_id(live.handle) or (not is_listed and self._feed.one(live.handle) is None):
            return None
        sight = self._known.note(live.handle)
        names = (live.ref, live.fields.get(NAMED))  # a block may be renamed in between
        return sight.shown if sight and sight.it and sight.it.ref in names else None

    def _models(self, lives: list[Live]) -> dict[str, Live | Unreadable | None]:
        if not lives:
            return {}
        found = {it.ref: shown for it, shown in self._catalog.read().found}
        return {live.handle: found.get(live.ref) for live in lives}
