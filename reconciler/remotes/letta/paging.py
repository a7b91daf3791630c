"""Walking a listing so that nothing is missed, or saying that something was.

Pages go by `created_at`, oldest first: by `updated_at`, 400 of 1,000 agents were lost while they were touched.
An unknown or deleted cursor is answered with page 1 (letta 0.16.8), which must not become an endless walk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.errors import Transient
from reconciler.remotes.letta.wire import Json, handle

Page: TypeAlias = "Callable[..., list[Json]]"
Query: TypeAlias = "dict[str, object]"

AGENTS_A_PAGE = 100
BLOCKS_A_PAGE = 1000


@dataclass(frozen=True)
class Listing:
    """Rows, each once, oldest first. `whole`: as many as the server counts. `nameless`: rows without an id."""

    rows: tuple[Json, ...]
    whole: bool
    nameless: int = 0

    @property
    def handles(self) -> set[str]:
        return {handle(row) for row in self.rows}


def walk(page: Page, size: int, query: Query) -> tuple[list[Json], int]:
    """All rows, each once, and how many had no id that could be used."""
    found: dict[str, Json] = {}
    nameless = 0
    after: Query = {}
    while True:
        got = page(limit=size, order="asc", **query, **after)
        if after and got and handle(got[0]) == next(iter(found), None):
            raise Transient(
                "Letta began a listing again from its start: what the cursor stood at was deleted meanwhile"
            )
        named = {found_id: row for row in got if (found_id := handle(row))}
        nameless += sum(1 for row in got if not handle(row))
        is_new = named.keys() - found.keys()
        found |= named
        if len(got) < size or not is_new:
            return list(found.values()), nameless
        after = {"after": list(named)[-1]}


def listing(page: Page, size: int, query: Query, count: Callable[[], int]) -> Listing:
    """A walk compared with the server's own count; a short one is tried once more, and then said to be short."""
    found, nameless = walk(page, size, query)
    if len(found) < count():
        found, nameless = walk(page, size, query)
        return Listing(tuple(found), len(found) >= count(), nameless)
    return Listing(tuple(found), True, nameless)


def by_age(rows: Iterable[Json]) -> list[Json]:
    """Oldest first, for agents: of two that claim to be one, the older is it."""
    return sorted(rows, key=lambda row: str(row.get("created_at") or ""))
