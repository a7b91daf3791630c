"""Writes of notes. Open WebUI has no compare-and-set for them, so the window between read and write is kept small."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from reconciler.core.snapshot import Unreadable
from reconciler.core.value import Value
from reconciler.desired import NAMED
from reconciler.ports import Action, Applied, Failed, Live, Outcome, Stale
from reconciler.remotes.openwebui.client import Api, Refused, part
from reconciler.remotes.openwebui.compare import before, moved
from reconciler.remotes.openwebui.feed import Feed
from reconciler.remotes.openwebui.grants import access_sent
from reconciler.remotes.openwebui.known import Known
from reconciler.remotes.openwebui.marks import Identity, mark_of
from reconciler.remotes.openwebui.me import Me
from reconciler.remotes.openwebui.notes import live_note, new_note, note_changes, sealed
from reconciler.remotes.openwebui.wire import Json, handle, text


class NoteWriter:
    def __init__(self, api: Api, me: Me, workspace: str, known: Known, feed: Feed, now: Callable[[], datetime]) -> None:
        self._api = api
        self._me = me
        self._workspace = workspace
        self._known = known
        self._feed = feed
        self._now = now

    def create(self, action: Action) -> Outcome:
        """In three requests: a mark is sealed over the note's id, and nobody else may write before it is."""
        it = Identity(action.scope, action.ref)
        if found := self._existing(it):
            return Stale(f"{action.ref} of {action.scope} is already there: {found}")
        secret = self._me.secret_to_write_with()
        self._known.note_attempt(it)
        row = self._api.post("/notes/create", new_note(self._workspace, action))
        row = self._update(handle(row), sealed(secret, self._workspace, it, row))
        if access := action.fields.get("@access"):
            row = self._share(handle(row), access)
        return self._shown(row, it)

    def update(self, action: Action) -> Outcome:
        note, it, then = before(action).handle, Identity(action.scope, action.ref), _marked(action)
        row = self._feed.one(note)
        if row is None:
            return Stale(f"{action.ref} of {action.scope} is gone: {note}")
        if self._feed.identity(row) != then:
            return Stale(f"{note} is not {then.ref} of {action.scope}: its mark says otherwise")
        if differs := moved(action, live_note(row, then.ref)):
            return Stale(f"{action.ref} of {action.scope} has changed since it was read: {differs}")
        self._write(action, row)
        # Read again: an editor that is open elsewhere may have answered at once with what it holds.
        again = self._feed.one(note)
        return self._shown(again, it) if again else Stale(f"{action.ref} of {action.scope} was deleted meanwhile")

    def _write(self, action: Action, row: Json) -> None:
        """The seal, where a create was cut short before it; then access; then the note itself."""
        note, secret = handle(row), self._me.secret_to_write_with()
        if not text(mark_of(row), "seal"):
            row = self._update(note, sealed(secret, self._workspace, _marked(action), row))
        if "@access" in action.fields:
            self._share(note, action.fields["@access"])
        if body := note_changes(self._workspace, secret, action, row):
            row = self._api.post(f"/notes/{part(note)}/update", body)
            self._known.rename(note, Identity(action.scope, action.ref))
            self._feed.learn(row)

    def _share(self, note: str, access: Value) -> Json:
        return self._learned(
            self._api.post(f"/notes/{part(note)}/access/update", {"access_grants": access_sent(access)})
        )

    def delete(self, action: Action) -> Outcome:
        then, it = before(action), Identity(action.scope, action.ref)
        row = self._feed.one(then.handle)
        if row is None:
            return Applied(None)
        if self._feed.identity(row) != it:
            return Stale(f"{then.handle} is not {action.ref} of {action.scope}; it is left alone")
        now = live_note(row, it.ref)
        if isinstance(now, Live) and then.text is not None and now.text != then.text:
            return Stale(f"{action.ref} of {action.scope} has changed since it was read: its text")
        try:
            self._api.delete(f"/notes/{part(then.handle)}/delete")
        except Refused as error:
            if error.status != 404:
                raise
        self._known.forget(then.handle)
        return Applied(None)

    def _existing(self, it: Identity) -> str | None:
        """Looked for among the newest notes, unless a read of moments ago proved that it is not there."""
        if self._known.is_surely_absent(it, self._now()):
            return None
        self._feed.newest()
        found = self._known.handle(it)
        if found and self._feed.one(found) is None:
            return None
        return found

    def _update(self, note: str, body: Json) -> Json:
        return self._learned(self._api.post(f"/notes/{part(note)}/update", body))

    def _learned(self, row: Json) -> Json:
        self._feed.learn(row)
        return row

    def _shown(self, row: Json, it: Identity) -> Outcome:
        live = live_note(row, it.ref)
        if isinstance(live, Unreadable):
            return Failed(f"{it.ref} of {it.scope} was written, and cannot be read: {live.reason}", transient=True)
        return Applied(live)


def _marked(action: Action) -> Identity:
    """What the note's mark says it is: of a block that is being renamed, still the former one."""
    then = before(action)
    return Identity(action.scope, str(then.fields.get(NAMED, then.ref)))
