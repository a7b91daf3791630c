"""What earlier reads and writes taught: ids, and who holds which block. A cache: lose it and the next read rebuilds it.

It answers "which id has this?" and "who holds it?"; it never stands in for a value that was not read now.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.snapshot import Scope, Unreadable
from reconciler.ports import Live
from reconciler.remotes.letta.marks import Identity
from reconciler.remotes.letta.wire import Json

TRUSTED = timedelta(seconds=20)


@dataclass(frozen=True)
class AgentNote:
    """What attribution needs to know of an agent: its name, and when it last moved (the server's own text)."""

    name: str
    moved: str
    blocks: frozenset[str]


class Shown:
    """The `Live` last made of a row. Rows of a page that has not changed are the same objects, and so are these."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Json, object, Live | Unreadable]] = {}

    def of(self, found: str, row: Json, context: object, make: Callable[[], Live | Unreadable]) -> Live | Unreadable:
        """`context`: what else the `Live` depends on."""
        kept = self._kept.get(found)
        if kept and kept[0] is row and kept[1] == context:
            return kept[2]
        made = make()
        self._kept[found] = (row, context, made)
        return made

    def row(self, found: str) -> Json | None:
        """The row it was last made of."""
        kept = self._kept.get(found)
        return kept[0] if kept else None

    def forget(self, found: str) -> None:
        self._kept.pop(found, None)


class Known:
    """Shared by the threads that write; every method holds the lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.shown = Shown()
        self._identities: dict[str, Identity] = {}
        self._handles: dict[Identity, str] = {}
        self._foreign: set[str] = set()
        self._agents: dict[str, AgentNote] = {}
        self._holders: dict[str, set[str]] = {}
        self._covered: set[Scope] = set()
        self._all_agents = False
        self._absent_since: dict[str, tuple[datetime, frozenset[Scope] | None]] = {}
        self._tried: set[Identity] = set()

    # ------------------------------------------------------------------ which id is what

    def learn(self, handle: str, it: Identity) -> None:
        with self._lock:
            self._identities[handle] = it
            self._handles[it] = handle
            self._tried.discard(it)

    def forget(self, handle: str) -> None:
        with self._lock:
            it = self._identities.pop(handle, None)
            if it and self._handles.get(it) == handle:
                del self._handles[it]
            self._holders.pop(handle, None)
            self._drop_agent(handle)
            self.shown.forget(handle)

    def identity(self, handle: str) -> Identity | None:
        return self._identities.get(handle)

    def handle(self, it: Identity) -> str | None:
        return self._handles.get(it)

    def handles(self, kind: str, scopes: Sequence[Scope] | None) -> set[str]:
        """Every id known of a kind, in these scopes."""
        wanted = None if scopes is None else frozenset(scopes)
        with self._lock:
            found = ((handle, it) for handle, it in self._identities.items() if handle.startswith(kind))
            return {handle for handle, it in found if wanted is None or it.scope in wanted}

    def strange(self, handles: Iterable[str]) -> set[str]:
        """Those nobody has looked at yet."""
        with self._lock:
            return {each for each in handles if each not in self._identities and each not in self._foreign}

    def note_foreign(self, handles: Iterable[str]) -> None:
        with self._lock:
            self._foreign.update(handles)

    # ------------------------------------------------------------------ who holds what

    def note_agent(self, handle: str, note: AgentNote) -> None:
        with self._lock:
            self._drop_agent(handle)
            self._agents[handle] = note
            for block in note.blocks:
                self._holders.setdefault(block, set()).add(handle)

    def _drop_agent(self, handle: str) -> None:
        old = self._agents.pop(handle, None)
        for block in old.blocks if old else ():
            self._holders.get(block, set()).discard(handle)

    def agent(self, handle: str) -> AgentNote | None:
        return self._agents.get(handle)

    def holders(self, block: str, scope: Scope) -> frozenset[str] | None:
        """Agents known to hold the block; None until all agents that could hold it have been read."""
        with self._lock:
            if not (self._all_agents or scope in self._covered):
                return None
            return frozenset(self._holders.get(block, ()))

    # ------------------------------------------------------------------ what is known not to be there

    def read_whole(self, kind: str, listed: set[str], scopes: Sequence[Scope] | None, began: datetime) -> None:
        """A complete listing: what it lacks is gone, and what it lacks now may be created without another look."""
        for gone in self.handles(kind, scopes) - listed:
            self.forget(gone)
        with self._lock:
            self._absent_since[kind] = (began, None if scopes is None else frozenset(scopes))
            if kind == "agent":
                self._all_agents = self._all_agents or scopes is None
                self._covered.update(scopes or ())

    def is_surely_absent(self, it: Identity, now: datetime) -> bool:
        """Whether a complete listing of moments ago lacked it, and nobody here has tried to create it since."""
        with self._lock:
            read = self._absent_since.get(it.ref.partition("/")[0])
            if read is None or it in self._tried or it in self._handles:
                return False
            began, scopes = read
            return now - began < TRUSTED and (scopes is None or it.scope in scopes)

    def note_attempt(self, it: Identity) -> None:
        """A create is under way: a reply may be lost and the server slow, so from here on only its id is proof."""
        with self._lock:
            self._tried.add(it)
