"""The same resources again, by id: what a write is compared with, and what settles it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.core.snapshot import Scope, Unreadable
from reconciler.desired import NAMED
from reconciler.ports import Live
from reconciler.remotes.letta.agents import attached, live_agent
from reconciler.remotes.letta.blocks import live_block
from reconciler.remotes.letta.client import Api, Refused
from reconciler.remotes.letta.known import AgentNote, Known
from reconciler.remotes.letta.marks import Identity, Kind, Unclear, base_marks, identity
from reconciler.remotes.letta.paging import AGENTS_A_PAGE, BLOCKS_A_PAGE, Page, walk
from reconciler.remotes.letta.wire import Json, handle, text, texts

MANY = 30
_GONE = frozenset({404, 422})


class Rereader:
    """A few by their ids, many by one listing and the rest of them by their ids."""

    def __init__(self, api: Api, workspace: str, known: Known) -> None:
        self._api = api
        self._workspace = workspace
        self._known = known

    def reread(self, lives: Sequence[Live]) -> Mapping[str, Live | Unreadable | None]:
        agents = [live for live in lives if live.ref.startswith("agent/")]
        blocks = [live for live in lives if live.ref.startswith("block/")]
        return self._of(agents, "agent", self._api.agents, AGENTS_A_PAGE) | self._of(
            blocks, "block", self._api.blocks, BLOCKS_A_PAGE
        )

    def row(self, kind: str, found: str) -> Json | None:
        """One row by its id; None where the server knows no such id."""
        try:
            return self._api.agent(found) if kind == "agent" else self._api.block(found)
        except Refused as error:
            if error.status in _GONE:
                self._known.forget(found)
                return None
            raise

    def live(self, row: Json, it: Identity) -> Live | Unreadable:
        if it.ref.startswith("block/"):
            return live_block(row, it.ref, self._known.holders(handle(row), it.scope))
        self._known.note_agent(
            handle(row), AgentNote(text(row, "name"), text(row, "updated_at"), frozenset(attached(row)))
        )
        ours = filter(None, map(self._known.identity, attached(row)))
        return live_agent(row, it.ref, tuple(sorted({each.ref for each in ours})))

    def is_somebody_elses(self, kind: Kind, row: Json, ref: str, scope: Scope | None = None) -> bool:
        """Whether its marks now name another workspace, or another of our things. Marks merely lost do not."""
        tags = texts(row.get("tags"))
        it = identity(self._workspace, kind, tags)
        if isinstance(it, Identity):
            return it.ref != ref or scope not in (None, it.scope)
        workspaces = {tag for tag in tags if tag.startswith("workspace:")}
        return not isinstance(it, Unclear) and bool(workspaces - set(base_marks(self._workspace)))

    def _of(self, lives: Sequence[Live], kind: Kind, page: Page, size: int) -> dict[str, Live | Unreadable | None]:
        listed: dict[str, Json] = {}
        if len(lives) > MANY:
            found, _ = walk(page, size, {"tags": base_marks(self._workspace), "match_all_tags": True})
            listed = {handle(row): row for row in found}
        return {live.handle: self._again(live, kind, listed.get(live.handle)) for live in lives}

    def _again(self, live: Live, kind: Kind, listed: Json | None) -> Live | Unreadable | None:
        row = self.row(kind, live.handle) if listed is None else listed
        if row is None:
            return None
        marked = next((ref for ref in _names(live) if not self.is_somebody_elses(kind, row, ref)), None)
        if marked is None:
            return None
        it = self._known.identity(live.handle)
        return self.live(row, it if it and it.ref == marked else Identity(_scope_of(row), marked))


def _names(live: Live) -> Iterable[str]:
    """Its ref, and the one that its marks had when it was read: a block may be renamed in between."""
    return dict.fromkeys([live.ref, str(live.fields.get(NAMED, live.ref))])


def _scope_of(row: Json) -> Scope:
    users = [tag.removeprefix("user:") for tag in texts(row.get("tags")) if tag.startswith("user:")]
    return f"user/{users[0]}" if users else "courses"
