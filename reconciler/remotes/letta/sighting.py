"""What one bulk read shows, gathered row by row into an `Observation`."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.snapshot import Ref, Scope, Unreadable
from reconciler.ports import Live
from reconciler.remotes.letta.agents import attached, live_agent
from reconciler.remotes.letta.blocks import live_block
from reconciler.remotes.letta.known import AgentNote, Known
from reconciler.remotes.letta.marks import Identity, Kind, Unclear, identity
from reconciler.remotes.letta.wire import Json, handle, rows, text, texts


class Sighting:
    """Rows must come oldest first: of two things that claim to be one, the first shown is it."""

    def __init__(self, workspace: str, known: Known) -> None:
        self._workspace = workspace
        self._known = known
        self._blocks: dict[Identity, Json] = {}
        self._agents: dict[Identity, Json] = {}
        self._owners: dict[Identity, str] = {}
        self.warnings: list[str] = []
        self.ours: dict[str, int] = {"agent": 0, "block": 0}

    def add_blocks(self, listed: Iterable[Json], *, whole: bool = False) -> None:
        for row in listed:
            if it := self._claimed("block", row, whole):
                self._blocks[it] = row

    def add_agents(self, listed: Iterable[Json], *, whole: bool = False) -> None:
        for row in listed:
            if it := self._claimed("agent", row, whole):
                self._agents[it] = row
                note = AgentNote(text(row, "name"), text(row, "updated_at"), frozenset(attached(row)))
                self._known.note_agent(handle(row), note)

    def add_attached(self) -> None:
        """The blocks inside the agents' rows, which come without tags: known by their ids alone."""
        for row in list(self._agents.values()):
            for block in rows(row.get("blocks")):
                it = self._known.identity(handle(block))
                if it and self._known.handle(it) == handle(block):
                    self._blocks.setdefault(it, block)

    def strange_blocks(self) -> set[str]:
        return self._known.strange(each for row in self._agents.values() for each in attached(row))

    def scopes(self) -> set[Scope]:
        return {it.scope for it in self._agents}

    def seen(self) -> dict[Scope, dict[Ref, Live | Unreadable]]:
        found: dict[Scope, dict[Ref, Live | Unreadable]] = {}
        for it, row in self._blocks.items():
            found.setdefault(it.scope, {})[it.ref] = self._block(row, it)
        for it, row in self._agents.items():
            found.setdefault(it.scope, {})[it.ref] = self._agent(row, it)
        return found

    def _block(self, row: Json, it: Identity) -> Live | Unreadable:
        holders = self._known.holders(handle(row), it.scope)
        context = (it, holders)
        return self._known.shown.of(handle(row), row, context, lambda: live_block(row, it.ref, holders))

    def _agent(self, row: Json, it: Identity) -> Live | Unreadable:
        ours = filter(None, map(self._known.identity, attached(row)))
        context = (it, tuple(sorted({each.ref for each in ours})))
        return self._known.shown.of(handle(row), row, context, lambda: live_agent(row, it.ref, context[1]))

    def _claimed(self, kind: Kind, row: Json, whole: bool) -> Identity | None:
        """Which of our things the row is, if it may be it."""
        it = self._recognised(kind, row)
        if it is None:
            return None
        self.ours[kind] += 1
        first = self._owners.get(it) or (None if whole else self._known.handle(it)) or handle(row)
        self._owners[it] = first
        if first != handle(row):
            self.warnings.append(
                f"{it.ref} of {it.scope} is in Letta twice: {first} is used, {handle(row)} is left alone"
            )
            self._known.note_foreign([handle(row)])
            return None
        self._known.learn(handle(row), it)
        return it

    def _recognised(self, kind: Kind, row: Json) -> Identity | None:
        it = identity(self._workspace, kind, texts(row.get("tags")))
        if not isinstance(it, Unclear):
            return it
        # Somebody changed the marks of a thing that is known by its id: that is drift, to be shown and undone.
        if kept := self._known.identity(handle(row)):
            return kept
        self.warnings.append(
            f"the {kind} {handle(row) or '(no id)'} in Letta is left alone: its tags are unclear: {it.reason}"
        )
        return None
