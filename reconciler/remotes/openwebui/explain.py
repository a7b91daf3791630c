"""Who made an edit? Of a model the version history tells; of a note only its sole writer can be presumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from reconciler.core.value import same
from reconciler.ports import Actor, Edit, Live, Person
from reconciler.remotes.openwebui.catalog import Catalog
from reconciler.remotes.openwebui.grants import writers
from reconciler.remotes.openwebui.history import History, Version
from reconciler.remotes.openwebui.people import People, person_of
from reconciler.remotes.openwebui.wire import one_line, strings, text

SOMEBODY = Actor("unknown", "", Person("Open WebUI", "openwebui@openwebui.invalid"), known=False)
FARTHEST_BACK = 60


class Explainer:
    def __init__(self, people: People, history: History, catalog: Catalog, me: Callable[[], str]) -> None:
        self._people = people
        self._history = history
        self._catalog = catalog
        self._me = me

    def explain(self, edits: Sequence[Edit]) -> list[Actor]:
        return [self._of_model(edit) if edit.live.ref.startswith("model/") else self._of_note(edit) for edit in edits]

    def _of_note(self, edit: Edit) -> Actor:
        """Admins may write to every note, and the API names nobody: so it is presumed, never known."""
        users, others = writers(strings(edit.live.fields.get("@access")))
        if len(users) != 1 or others:
            return SOMEBODY
        return self._person(users[0], known=False)

    def _of_model(self, edit: Edit) -> Actor:
        row = self._catalog.one(edit.live.handle)
        version = first_to_show(edit.live, edit.after, self._history, text(row, "version_id")) if row else None
        return self._person(version.user, known=True, subject=version.message) if version else SOMEBODY

    def _person(self, user: str, *, known: bool, subject: str = "") -> Actor:
        account = self._people.user(user)
        if account is None:
            return SOMEBODY
        kind = "api" if user == self._me() else "person"
        return Actor(kind, user, person_of(account), known, one_line(subject, ""))


def first_to_show(live: Live, value: str, history: History, current: str) -> Version | None:
    """The save that brought the value, or all that is shown where none is given: the oldest of the newest run.

    None where an older version was made current again: the history does not tell by whom.
    """
    named = {name for name, each in live.fields.items() if value and each == value}
    found: Version | None = None
    for at, version in enumerate(islice(history.walk(live.handle), FARTHEST_BACK)):
        if at == 0 and version.id != current:
            return None
        if _shows(version, live, named):
            found = version
        elif found:
            break
    return found


def _shows(version: Version, live: Live, named: set[str]) -> bool:
    wanted = named & version.fields.keys() or version.fields.keys()
    return all(name in live.fields and same(version.fields[name], live.fields[name]) for name in wanted)
