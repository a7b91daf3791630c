"""Bulk reads of our agents and blocks, at the depth asked for, and what each of them proves.

Blocks come before agents: the blocks inside an agent's row carry no tags, so their ids must be known by then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from reconciler.core.snapshot import Scope
from reconciler.ports import Depth, Observation
from reconciler.remotes.letta.client import Api
from reconciler.remotes.letta.known import Known
from reconciler.remotes.letta.marks import COURSES, SHARED, base_marks
from reconciler.remotes.letta.offers import Offers
from reconciler.remotes.letta.paging import AGENTS_A_PAGE, BLOCKS_A_PAGE, Listing, Query, by_age, listing, walk
from reconciler.remotes.letta.sighting import Sighting
from reconciler.remotes.letta.wire import Json, handle, text

FEW_SCOPES = 20
NEWEST = 50


class Reader:
    """Owns no truth: every observation is made of what was read for it."""

    def __init__(self, api: Api, workspace: str, known: Known, offers: Offers, now: Callable[[], datetime]) -> None:
        self._api = api
        self._workspace = workspace
        self._known = known
        self._offers = offers
        self._now = now
        self._ours: Query = {"tags": base_marks(workspace), "match_all_tags": True}
        self._unmanaged = {"agent": 0, "block": 0}

    def observe(self, scopes: Sequence[Scope] | None, depth: Depth) -> Observation:
        sight = Sighting(self._workspace, self._known)
        is_scoped = scopes is not None and 0 < len(scopes) <= FEW_SCOPES
        if scopes is not None and is_scoped:
            complete = self._read_scopes(sight, scopes, depth)
        else:
            complete = {"full": self._read_all, "values": self._read_values, "recent": self._read_recent}[depth](sight)
        self._name_strangers(sight, all_blocks=not is_scoped and "block" in complete)
        if "block" not in complete:
            sight.add_attached()
        offers, warnings = self._offers.shown()
        unmanaged = sum(self._unmanaged.values())
        return Observation(sight.seen(), frozenset(complete), offers, unmanaged, (*sight.warnings, *warnings))

    # ------------------------------------------------------------------ by depth

    def _read_all(self, sight: Sighting) -> set[str]:
        return self._all_blocks(sight) | self._all_agents(sight)

    def _read_values(self, sight: Sighting) -> set[str]:
        complete = self._all_blocks(sight)
        self._newest_agents(sight)
        return complete

    def _read_recent(self, sight: Sighting) -> set[str]:
        """Fewer agents than are known means that some were deleted: then all of them are read, to say which."""
        self._newest_agents(sight)
        if self._api.count("agent", **self._ours) < len(self._known.handles("agent", None)):
            return self._all_agents(sight)
        return set()

    def _newest_agents(self, sight: Sighting) -> None:
        """By `updated_at`, which moves on a turn, on a PATCH, on attach and detach; not on edits of a block."""
        newest = self._api.agents(limit=NEWEST, order="desc", order_by="updated_at", **self._ours)
        sight.add_agents(by_age(newest))

    def _all_blocks(self, sight: Sighting) -> set[str]:
        began = self._now()
        count = partial(self._api.count, "block", **self._ours)
        found = listing(self._api.blocks, BLOCKS_A_PAGE, self._ours, count)
        sight.add_blocks(found.rows, whole=True)
        self._count_unmanaged("block", sight.ours["block"])
        return self._proved("block", found, None, began, sight)

    def _all_agents(self, sight: Sighting) -> set[str]:
        began = self._now()
        before = sight.ours["agent"]
        count = partial(self._api.count, "agent", **self._ours)
        found = listing(self._api.agents, AGENTS_A_PAGE, self._ours | {"order_by": "created_at"}, count)
        sight.add_agents(found.rows, whole=True)
        self._count_unmanaged("agent", sight.ours["agent"] - before)
        return self._proved("agent", found, None, began, sight)

    # ------------------------------------------------------------------ by scope

    def _read_scopes(self, sight: Sighting, scopes: Sequence[Scope], depth: Depth) -> set[str]:
        """Two requests, whatever else the server holds. Tags match any of these; whose they are is seen here."""
        began = self._now()
        blocks = self._scoped("block", [_tag(scope) for scope in scopes], scopes)
        sight.add_blocks(blocks.rows, whole=True)
        complete = self._proved("block", blocks, scopes, began, sight)
        learners = [scope for scope in scopes if scope != COURSES]
        agents = self._unmoved(learners) if depth == "recent" else None
        if agents is None:
            agents = (
                self._scoped("agent", [_tag(scope) for scope in learners], scopes) if learners else Listing((), True)
            )
        sight.add_agents(agents.rows, whole=True)
        return complete | self._proved("agent", agents, learners, began, sight)

    def _unmoved(self, learners: Sequence[Scope]) -> Listing | None:
        """All their agents as last read, where the server lists the same ones and says that none has moved since.

        `updated_at` moves as it does for the newest agents. A listing without what hangs on an agent costs a quarter.
        """
        expected = self._known.handles("agent", learners)
        if not expected:
            return None
        listed = self._api.bare_agents(tags=[_tag(scope) for scope in learners], limit=AGENTS_A_PAGE)
        kept = [row for each in listed if (row := self._known.shown.row(handle(each))) and _is_as_old(row, each)]
        if len(kept) < len(listed) or len(listed) == AGENTS_A_PAGE or not expected <= set(map(handle, listed)):
            return None
        return Listing(tuple(by_age(kept)), True)

    def _scoped(self, kind: str, tags: list[str], scopes: Sequence[Scope]) -> Listing:
        """The server's count is asked for only where something known is not in the listing, or nothing is known."""
        page, size = (self._api.blocks, BLOCKS_A_PAGE) if kind == "block" else (self._api.agents, AGENTS_A_PAGE)
        found, nameless = walk(page, size, {"tags": tags})
        first = Listing(tuple(found), True, nameless)
        expected = self._known.handles(kind, scopes)
        if expected and expected <= first.handles:
            return first
        count = partial(self._api.count, kind, tags=tags)
        return first if len(found) >= count() else listing(page, size, {"tags": tags}, count)

    # ------------------------------------------------------------------ what follows

    def _proved(
        self, kind: str, found: Listing, scopes: Sequence[Scope] | None, began: datetime, sight: Sighting
    ) -> set[str]:
        if found.nameless:
            sight.warnings.append(f"{found.nameless} {kind} entries in Letta have no usable id and were left alone")
        if not found.whole or found.nameless:
            sight.warnings.append(f"Letta's listing of {kind}s is incomplete: what it lacks is unknown, not gone")
            return set()
        self._known.read_whole(kind, found.handles, scopes, began)
        return {kind}

    def _count_unmanaged(self, kind: str, ours: int) -> None:
        self._unmanaged[kind] = max(0, self._api.count(kind) - ours)

    def _name_strangers(self, sight: Sighting, all_blocks: bool) -> None:
        """Attached blocks that no listing has shown yet: whose are they? Asked once; the rest is somebody else's."""
        strangers = sight.strange_blocks()
        if not strangers or all_blocks:
            return self._known.note_foreign(strangers)
        tags = [SHARED, *sorted(_tag(scope) for scope in sight.scopes())]
        for start in range(0, len(tags), NEWEST):
            found, _ = walk(self._api.blocks, BLOCKS_A_PAGE, {"tags": tags[start : start + NEWEST]})
            sight.add_blocks(found)
        self._known.note_foreign(self._known.strange(strangers))


def _is_as_old(row: Json, other: Json) -> bool:
    return bool(moved := text(row, "updated_at")) and moved == text(other, "updated_at")


def _tag(scope: Scope) -> str:
    return SHARED if scope == COURSES else f"user:{scope.removeprefix('user/')}"
