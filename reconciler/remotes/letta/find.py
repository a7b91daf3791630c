"""Looking for one of our things before it is made: by the id known, then by its marks.

This is what heals a create whose reply was lost, and one that another process made.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from reconciler.core.snapshot import Ref, Scope
from reconciler.errors import Transient
from reconciler.remotes.letta.client import Api
from reconciler.remotes.letta.known import Known
from reconciler.remotes.letta.marks import COURSES, Identity, Kind, identity, marks_of
from reconciler.remotes.letta.paging import by_age
from reconciler.remotes.letta.reread import Rereader
from reconciler.remotes.letta.wire import Json, handle, texts


class Finder:
    """Answers with ids; the server is asked only where no listing of moments ago has the answer."""

    def __init__(self, api: Api, workspace: str, known: Known, again: Rereader, now: Callable[[], datetime]) -> None:
        self._api = api
        self._workspace = workspace
        self._known = known
        self._again = again
        self._now = now

    def existing(self, it: Identity) -> str | None:
        """The id of the thing where it is there already."""
        kind: Kind = "agent" if it.ref.startswith("agent/") else "block"
        found = self._known.handle(it)
        if found and self._again.row(kind, found) is not None:
            return found
        if self._known.is_surely_absent(it, self._now()):
            return None
        return self._marked(kind, it)

    def block_ids(self, scope: Scope, refs: list[Ref]) -> list[str]:
        return [self.block_id(scope, ref) for ref in refs]

    def block_id(self, scope: Scope, ref: Ref) -> str:
        """The id of the user's block of that ref, or else of the course's shared one."""
        owners = (Identity(scope, ref), Identity(COURSES, ref))
        known = (self._known.handle(it) for it in owners)
        found = next(filter(None, known), None) or next(
            filter(None, (self._marked("block", it) for it in owners)), None
        )
        if found is None:
            raise Transient(f"{ref} of {scope} is not there yet; the agent that holds it waits for it")
        return found

    def _marked(self, kind: Kind, it: Identity) -> str | None:
        page = self._api.agents if kind == "agent" else self._api.blocks
        # The tag for shared blocks is left out: a block made by hand may lack it, and is still that block.
        tags = [tag for tag in marks_of(self._workspace, it) if not tag.startswith("scope:")]
        rows = [row for row in page(tags=tags, match_all_tags=True, limit=20, order="asc") if self._is(kind, row, it)]
        for row in by_age(rows)[:1]:
            self._known.learn(handle(row), it)
            return handle(row)
        return None

    def _is(self, kind: Kind, row: Json, it: Identity) -> bool:
        return bool(handle(row)) and identity(self._workspace, kind, texts(row.get("tags"))) == it
