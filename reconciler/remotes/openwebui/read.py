"""One observation: notes and models, at the depth asked for, and what each read proves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from reconciler.core.snapshot import Ref, Scope, Unreadable
from reconciler.ports import NO_OFFERS, Depth, Live, Observation
from reconciler.remotes.openwebui.catalog import Catalog, Models
from reconciler.remotes.openwebui.feed import Feed
from reconciler.remotes.openwebui.known import Known, Sight
from reconciler.remotes.openwebui.marks import COURSES, Identity
from reconciler.remotes.openwebui.people import People

FEW_SCOPES = 20


class Sighting:
    """What one bulk read shows, gathered into an `Observation`."""

    def __init__(self, known: Known, now: datetime, quiet: timedelta) -> None:
        self._known = known
        self._now = now
        self._quiet = quiet
        self.seen: dict[Scope, dict[Ref, Live | Unreadable]] = {}
        self.held: dict[Scope, set[Ref]] = {}
        self.warnings: list[str] = []
        self.unmanaged = 0

    def add_notes(self, notes: Iterable[str]) -> None:
        for note in notes:
            sight = self._known.note(note)
            if sight is None:
                continue
            if sight.it is None:
                self._add_foreign(note, sight)
            elif (first := self._known.handle(sight.it)) != note:
                what = f"{sight.it.ref} of {sight.it.scope}"
                self.warnings.append(f"{what} is in Open WebUI twice: {first} is used, {note} is left alone")
            elif sight.shown is not None:
                self._add(sight.it, sight, sight.shown)

    def add_models(self, models: Models) -> None:
        self.unmanaged += models.foreign
        self.warnings += models.warnings
        for it, shown in models.found:
            self.seen.setdefault(it.scope, {})[it.ref] = shown

    def _add(self, it: Identity, sight: Sight, shown: Live | Unreadable) -> None:
        if is_being_typed(sight, self._now, self._quiet):
            self.held.setdefault(it.scope, set()).add(it.ref)
        else:
            self.seen.setdefault(it.scope, {})[it.ref] = shown

    def _add_foreign(self, note: str, sight: Sight) -> None:
        self.unmanaged += 1
        if sight.unclear:
            self.warnings.append(f"the note {note} in Open WebUI is left alone: {sight.unclear}")


def is_being_typed(sight: Sight, now: datetime, quiet: timedelta) -> bool:
    """Young both by the server's clock and by ours: where the two disagree, nothing is held for ever."""
    if sight.written:
        return False
    age = timedelta(seconds=now.timestamp() - sight.updated / 1e9)
    return age < quiet and now - sight.since < quiet


class Reader:
    def __init__(
        self, feed: Feed, catalog: Catalog, people: People, known: Known, clock: tuple[Callable[[], datetime], float]
    ) -> None:
        self._feed = feed
        self._catalog = catalog
        self._people = people
        self._known = known
        self._now, quiet_seconds = clock
        self._quiet = timedelta(seconds=quiet_seconds)

    def observe(self, scopes: Sequence[Scope] | None, depth: Depth) -> Observation:
        is_scoped = scopes is not None and 0 < len(scopes) <= FEW_SCOPES
        notes, complete = self._scoped(scopes) if scopes and is_scoped else self._wide(depth)
        sight = Sighting(self._known, self._now(), self._quiet)
        sight.add_notes(sorted(notes))
        if not scopes or COURSES in scopes or not is_scoped:
            sight.add_models(self._catalog.read())
            complete |= {"model"}
        if depth != "recent" and "block" not in complete:
            sight.warnings.append("Open WebUI's listing of notes is incomplete: what it lacks is unknown, not gone")
        offers = {"users": frozenset(self._people.ids())} if depth == "full" else NO_OFFERS
        held = {scope: frozenset(refs) for scope, refs in sight.held.items()}
        return Observation(sight.seen, frozenset(complete), offers, sight.unmanaged, tuple(sight.warnings), held)

    def _wide(self, depth: Depth) -> tuple[set[str], set[str]]:
        if depth == "recent":
            notes, is_all = self._feed.newest()
            return (set(self._known.notes()), {"block"}) if is_all else (notes, set())
        is_whole = self._feed.marks() if depth == "full" else self._feed.all()
        return set(self._known.notes()), {"block"} if is_whole else set()

    def _scoped(self, scopes: Sequence[Scope]) -> tuple[set[str], set[str]]:
        """The newest page and the count prove that what is known of these scopes is as it was."""
        self._feed.newest()
        return set(self._known.of_scopes(scopes)), {"block"} if self._known.is_whole else set()
