"""Bulk reads of the service account's notes: the newest, the list of all, and the slow walk that also shows marks.

What each listing of Open WebUI 0.12.4 lacks decides the order:
- ``/notes/search`` shows meta, grants and 1,000 characters of each note, 60 to a page;
- ``/notes/`` shows all notes at once, with 1,000 characters, and neither meta nor grants;
- a body of 1,000 characters and more comes only note by note.
``view_option=created`` makes the server itself leave out what the account does not own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from reconciler.ports import Live
from reconciler.remotes.openwebui.client import Api, Refused, part
from reconciler.remotes.openwebui.known import Known, Sight
from reconciler.remotes.openwebui.marks import Identity, Unclear, note_identity
from reconciler.remotes.openwebui.me import Me
from reconciler.remotes.openwebui.notes import is_as_written, live_note, markdown_of
from reconciler.remotes.openwebui.pages import Glimpse, Page, glimpses, page_of
from reconciler.remotes.openwebui.wire import Json, handle, number

PREVIEW = 1000
MANY = 60
"""More changed notes than this are read by the walk, not one by one."""


class Feed:
    """Keeps `Known` true. One reader at a time."""

    def __init__(self, api: Api, me: Me, workspace: str, known: Known, now: Callable[[], datetime]) -> None:
        self._api = api
        self._me = me
        self._workspace = workspace
        self._known = known
        self._now = now
        self._lock = threading.Lock()

    # ------------------------------------------------------------------ three ways to look

    def newest(self) -> tuple[set[str], bool]:
        """The notes on the newest pages, down to one that has not moved; and whether all of them had to be read."""
        with self._lock:
            return (set(), self._walk()) if not self._known.is_whole else self._newest()

    def all(self) -> bool:
        """Every note, by its ``updated_at``; whether nothing was missed."""
        with self._lock:
            return self._list() if self._known.is_whole else self._walk()

    def marks(self) -> bool:
        """Every note with its mark and its grants; whether nothing was missed."""
        with self._lock:
            return self._walk()

    def one(self, note: str) -> Json | None:
        """One note with all of its body; None where the server knows no such id."""
        try:
            row = self._api.row(f"/notes/{part(note)}")
        except Refused as error:
            if error.status == 404:
                self._known.forget(note)
                return None
            raise
        self.learn(row)
        return row

    # ------------------------------------------------------------------ how

    def _newest(self) -> tuple[set[str], bool]:
        began, found, number_of_page = self._now(), set[str](), 0
        while True:
            number_of_page += 1
            page = self._page(number_of_page, "updated_at", "desc")
            is_caught_up = page.is_last or any(map(self._has_not_moved, page.glimpses))
            found |= self._take(page)
            if is_caught_up:
                break
        if len(self._known.notes()) != page.total:
            return found, self._list()
        self._known.prove(began)
        return found, False

    def _list(self) -> bool:
        """Which are gone, and which have moved: the rest is as it was."""
        began, owner = self._now(), self._me.id()
        listed = [each for each in self._api.made("/notes/", glimpses) if each.owner == owner]
        moved = [each.note for each in listed if not self._has_not_moved(each)]
        if len(moved) > MANY:
            return self._walk()
        for note in moved:
            self.one(note)
        return self._settle(began, {each.note for each in listed})

    def _walk(self) -> bool:
        """By ``created_at``, which never moves; tried twice, as a delete meanwhile shifts the pages."""
        for _ in range(2):
            began, found, number_of_page = self._now(), set[str](), 0
            while True:
                number_of_page += 1
                page = self._page(number_of_page, "created_at", "asc")
                found |= self._take(page)
                if page.is_last:
                    break
            if len(found) >= page.total:
                return self._settle(began, found)
        return False

    def _settle(self, began: datetime, found: set[str]) -> bool:
        for gone in set(self._known.notes()) - found:
            self._known.forget(gone)
        if not any(self._is_ours(note) for note in found):
            # A wiped database has another account, or the same one without its secret.
            self._me.forget()
        self._known.prove(began)
        return True

    def _page(self, number_of_page: int, order: str, direction: str) -> Page:
        query = {"view_option": "created", "order_by": order, "direction": direction, "page": number_of_page}
        rows: list[Json] = []

        def slim(reply: object) -> Page:
            page = page_of(reply)
            rows[:] = page.rows
            return replace(page, rows=())

        page = self._api.made("/notes/search", slim, **query)
        if not rows and not all(map(self._has_not_moved, page.glimpses)):
            # The same page as ever, and what it taught was forgotten since.
            return page_of(self._api.get("/notes/search", **query))
        return replace(page, rows=rows)

    def _take(self, page: Page) -> set[str]:
        taken: set[str] = set()
        for at, glimpse in enumerate(page.glimpses):
            if self._has_not_moved(glimpse):
                self._regrant(glimpse)
            elif not page.rows:
                pass  # a writer of ours was here just now: what it learned is newer
            elif len(markdown_of(page.rows[at])) < PREVIEW:
                self.learn(page.rows[at])
            elif self.one(glimpse.note) is None:
                continue
            taken.add(glimpse.note)
        return taken

    def _has_not_moved(self, glimpse: Glimpse) -> bool:
        sight = self._known.note(glimpse.note)
        return sight is not None and sight.updated == glimpse.updated

    def _is_ours(self, note: str) -> bool:
        sight = self._known.note(note)
        return sight is not None and sight.it is not None

    def _regrant(self, glimpse: Glimpse) -> None:
        """Grants change without moving ``updated_at``."""
        sight = self._known.note(glimpse.note)
        if sight is None or not isinstance(sight.shown, Live):
            return
        if sight.shown.fields.get("@access") != glimpse.access:
            live = replace(sight.shown, fields={**sight.shown.fields, "@access": glimpse.access})
            self._known.learn(glimpse.note, replace(sight, shown=live))

    def learn(self, row: Json) -> None:
        note, updated = handle(row), number(row, "updated_at")
        if not note:
            return
        old = self._known.note(note)
        it = self.identity(row)
        known = it if isinstance(it, Identity) else None
        shown = live_note(row, known.ref) if known else None
        since = old.since if old and old.updated == updated else self._now()
        reason = it.reason if isinstance(it, Unclear) else ""
        created = number(row, "created_at")
        self._known.learn(note, Sight(updated, created, known, shown, is_as_written(row), since, reason))

    def identity(self, row: Json) -> Identity | Unclear | None:
        """Which block the note is. A note known by its id stays that, whatever somebody made of its mark."""
        old = self._known.note(handle(row))
        if old and old.it:
            return old.it
        return note_identity(row, self._workspace, self._me.id(), self._me.secret())
