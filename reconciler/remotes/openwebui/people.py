"""Who is there: users and groups, read in bulk and kept for a minute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from reconciler.ports import Person, WebGroup, WebUser
from reconciler.remotes.openwebui.client import Api
from reconciler.remotes.openwebui.wire import handle, one_line, rows, table, text, texts

KEPT = timedelta(seconds=60)


def person_of(user: WebUser) -> Person:
    """Whom a commit names for an account."""
    name = one_line(user.name, user.id)
    return Person(name, one_line(user.email.replace(" ", ""), f"{user.id}@openwebui.invalid"))


class People:
    def __init__(self, api: Api, now: Callable[[], datetime]) -> None:
        self._api = api
        self._now = now
        self._kept: tuple[datetime, Mapping[str, WebUser]] | None = None

    def users(self) -> Sequence[WebUser]:
        """All accounts, by one request: ``/users/`` has 30 to a page, this has no pages."""
        found = self._api.made("/users/all", _accounts)
        self._kept = (self._now(), found)
        return list(found.values())

    def ids(self) -> list[str]:
        """The accounts' ids, from the last listing where that is fresh."""
        return list(self._fresh() or [user.id for user in self.users()])

    def user(self, found: str) -> WebUser | None:
        """One account by its id, from the last listing where that is fresh and has it."""
        known = self._fresh().get(found)
        return known or next((user for user in self.users() if user.id == found), None)

    def _fresh(self) -> Mapping[str, WebUser]:
        kept = self._kept
        return kept[1] if kept and self._now() - kept[0] < KEPT else {}

    def groups(self) -> Sequence[WebGroup]:
        """All groups. Their members come group by group: the listing has only their number."""
        return [
            WebGroup(handle(row), text(row, "name"), frozenset(self._members(handle(row))))
            for row in self._api.list("/groups/")
            if handle(row)
        ]

    def _members(self, group: str) -> list[str]:
        reply = self._api.row(f"/groups/id/{group}/export")
        return texts(reply.get("user_ids"))


def _accounts(reply: object) -> Mapping[str, WebUser]:
    listed = [(handle(row), row) for row in rows(table(reply).get("users"))]
    return {
        user: WebUser(user, text(row, "name"), text(row, "email"), text(row, "role")) for user, row in listed if user
    }
