"""A live system that is nothing but dictionaries, with Letta's trap: `MemoryServer` is the system, `MemoryLetta` the
`Remote` over it.

A turn remembers every block of its agent as it was when the turn began, and each of its memory edits writes all of
them back (docs/letta-notes.md). No HTTP and no tags here: what is whose stands in the things themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.core.snapshot import Ref, Scope, Unreadable
from reconciler.core.value import ABSENT, Fields, Held, Value, same
from reconciler.ports import Action, Actor, Applied, Depth, Edit, Failed, Live, Observation, Outcome, Run, Stale

ROW_DELAY = timedelta(seconds=0.15)
"""A turn's run is listed only this long after its snapshot was taken (measured)."""

TOOLS = frozenset({"send_message", "note"})


@dataclass
class Block:
    handle: str
    scope: Scope
    ref: Ref
    text: str
    settings: dict[str, Value]


@dataclass
class Agent:
    """``blocks``: handles of those attached."""

    handle: str
    scope: Scope
    ref: Ref
    fields: dict[str, Value]
    blocks: list[str]


@dataclass
class Turn:
    """A running turn: ``snapshot`` is what it writes back. A dead one is listed for ever and writes nothing."""

    id: str
    agent: str
    started: datetime
    snapshot: dict[str, str] = field(default_factory=dict[str, str])


class MemoryServer:
    """The whole state of the live system, and what its own users and agents do to it."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.blocks: dict[str, Block] = {}
        self.agents: dict[str, Agent] = {}
        self.turns: dict[str, Turn] = {}
        self._made = 0

    def new_id(self, kind: str) -> str:
        self._made += 1
        return f"{kind}-{self._made}"

    def block(self, scope: Scope, ref: Ref) -> Block | None:
        return next((each for each in self.blocks.values() if each.ref == ref and each.scope == scope), None)

    def agent(self, scope: Scope, ref: Ref) -> Agent | None:
        return next((each for each in self.agents.values() if each.ref == ref and each.scope == scope), None)

    def held(self, agent: Agent) -> list[Block]:
        return [self.blocks[each] for each in agent.blocks if each in self.blocks]

    def holders(self, handle: str) -> frozenset[str]:
        return frozenset(agent.handle for agent in self.agents.values() if handle in agent.blocks)

    def begin_turn(self, agent: Agent) -> Turn:
        turn = Turn(self.new_id("run"), agent.handle, self.now(), {each.handle: each.text for each in self.held(agent)})
        self.turns[turn.id] = turn
        return turn

    def memory_edit(self, turn: Turn, handle: str, text: str) -> None:
        """The trap: the turn's whole snapshot is written back, the edited block with it."""
        turn.snapshot[handle] = text
        agent = self.agents.get(turn.agent)
        for block in self.held(agent) if agent else ():
            block.text = turn.snapshot.get(block.handle, block.text)

    def end_turn(self, turn: Turn) -> None:
        del self.turns[turn.id]

    def delete_block(self, handle: str) -> None:
        del self.blocks[handle]
        for agent in self.agents.values():
            agent.blocks = [each for each in agent.blocks if each != handle]

    def delete_agent(self, handle: str) -> None:
        del self.agents[handle]


Explain = Callable[[Edit], Actor]
Overwriting = Callable[[Block, str], None]


class MemoryLetta:
    """The `Remote`. ``explain_one`` knows who made an edit; ``overwriting`` is told before a text is replaced."""

    def __init__(self, server: MemoryServer, explain_one: Explain, overwriting: Overwriting) -> None:
        self.name = "letta"
        self.has_turns = True
        self.server = server
        self._explain_one, self._overwriting = explain_one, overwriting

    def observe(self, scopes: Sequence[Scope] | None, depth: Depth) -> Observation:
        seen: dict[Scope, dict[Ref, Live | Unreadable]] = {}
        things = [*self.server.blocks.values(), *self.server.agents.values()]
        for thing in things:
            if scopes is None or thing.scope in scopes:
                seen.setdefault(thing.scope, {})[thing.ref] = self._live(thing)
        return Observation(seen, frozenset({"block", "agent"}), {"tools": TOOLS})

    def reread(self, lives: Sequence[Live]) -> Mapping[str, Live | Unreadable | None]:
        return {live.handle: self._again(live.handle) for live in lives}

    def active_runs(self) -> Sequence[Run]:
        now = self.server.now()
        return [
            Run(turn.id, turn.agent, turn.started)
            for turn in self.server.turns.values()
            if turn.started + ROW_DELAY <= now
        ]

    def apply(self, action: Action) -> Outcome:
        return {"create": self._create, "update": self._update, "delete": self._delete}[action.verb](action)

    def explain(self, edits: Sequence[Edit], since: datetime | None) -> Sequence[Actor]:
        return [self._explain_one(edit) for edit in edits]

    def past(self, live: Live) -> Sequence[Fields]:
        return ()

    # ------------------------------------------------------------------ reading

    def _live(self, thing: Block | Agent) -> Live:
        if isinstance(thing, Block):
            holders = self.server.holders(thing.handle)
            return Live(thing.ref, thing.handle, thing.text, dict(thing.settings), holders)
        blocks = tuple(sorted(block.ref for block in self.server.held(thing)))
        return Live(thing.ref, thing.handle, None, {**thing.fields, "blocks": blocks}, frozenset())

    def _again(self, handle: str) -> Live | None:
        thing = self.server.blocks.get(handle) or self.server.agents.get(handle)
        return self._live(thing) if thing else None

    # ------------------------------------------------------------------ writing

    def _create(self, action: Action) -> Outcome:
        scope, ref, server = action.scope, action.ref, self.server
        if server.block(scope, ref) or server.agent(scope, ref):
            return Stale(f"{ref} of {scope} is already there")
        if ref.startswith("block/"):
            block = Block(server.new_id("block"), scope, ref, action.text or "", dict(action.fields))
            server.blocks[block.handle] = block
            return Applied(self._live(block))
        handles = self._handles(scope, action.fields)
        if handles is None:
            return Failed(f"a block of {ref} of {scope} is not there yet", transient=True)
        agent = Agent(server.new_id("agent"), scope, ref, _beside(action.fields), handles)
        server.agents[agent.handle] = agent
        return Applied(self._live(agent))

    def _update(self, action: Action) -> Outcome:
        before = action.before
        assert before is not None, "an update says what was observed"
        now = self._again(before.handle)
        if now is None:
            return Stale(f"{action.ref} of {action.scope} is gone")
        if moved := _moved(action, before, now):
            return Stale(f"{action.ref} of {action.scope} has changed: {moved}")
        thing = self.server.blocks.get(before.handle) or self.server.agents[before.handle]
        return self._update_block(thing, action) if isinstance(thing, Block) else self._update_agent(thing, action)

    def _update_block(self, block: Block, action: Action) -> Outcome:
        if action.text is not None:
            self._overwriting(block, action.text)
            block.text = action.text
        block.settings.update(action.fields)
        return Applied(self._live(block))

    def _update_agent(self, agent: Agent, action: Action) -> Outcome:
        if "blocks" in action.fields:
            handles = self._handles(action.scope, action.fields)
            if handles is None:
                return Failed(f"a block of {action.ref} is not there yet", transient=True)
            agent.blocks = handles
        agent.fields.update(_beside(action.fields))
        return Applied(self._live(agent))

    def _delete(self, action: Action) -> Outcome:
        assert action.before is not None, "a delete says what was observed"
        handle = action.before.handle
        if handle in self.server.blocks:
            self.server.delete_block(handle)
        elif handle in self.server.agents:
            self.server.delete_agent(handle)
        return Applied(None)

    def _handles(self, scope: Scope, fields: Fields) -> list[str] | None:
        wanted = fields["blocks"]
        assert isinstance(wanted, tuple)
        found = [self.server.block(scope, str(ref)) or self.server.block("courses", str(ref)) for ref in wanted]
        return None if None in found else [block.handle for block in found if block]


def _beside(fields: Fields) -> dict[str, Value]:
    return {name: value for name, value in fields.items() if name != "blocks"}


def _moved(action: Action, before: Live, now: Live) -> str:
    texts = ["its text"] if action.text is not None and now.text != before.text else []
    fields = action.fields
    return ", ".join([*texts, *(name for name in fields if not same(_of(before, name), _of(now, name)))])


def _of(live: Live, name: str) -> Held:
    return live.fields.get(name, ABSENT)
