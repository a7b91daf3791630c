"""Listings of notes, as little of them as is kept while the server repeats them: which notes, and when they moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.remotes.openwebui.grants import access_shown
from reconciler.remotes.openwebui.wire import Json, handle, number, rows, table, text

NOTES_A_PAGE = 60


@dataclass(frozen=True)
class Glimpse:
    """One note of a listing."""

    note: str
    updated: int
    owner: str
    access: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """``rows``: the notes whole, in the same order; none where every one of them was known."""

    glimpses: Sequence[Glimpse]
    total: int
    rows: Sequence[Json] = ()

    @property
    def is_last(self) -> bool:
        return len(self.glimpses) < NOTES_A_PAGE


def glimpses(reply: object) -> list[Glimpse]:
    """Of a listing that is a plain list."""
    return list(map(_glimpse, rows(reply)))


def page_of(reply: object) -> Page:
    """Of a listing by pages, with its rows."""
    listed = rows(table(reply).get("items"))
    return Page(list(map(_glimpse, listed)), number(table(reply), "total"), listed)


def _glimpse(row: Json) -> Glimpse:
    return Glimpse(handle(row), number(row, "updated_at"), text(table(row.get("user")), "id"), access_shown(row))
