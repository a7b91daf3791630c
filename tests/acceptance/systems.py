"""A Letta for scenarios: the stand-in or the real server, behind a tap that counts and spoils requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from reconciler.embedded.letta.server import Server, serve
from tests.contract.tap import Tap
from tests.http import HTTP
from tests.live.server import MODEL, LettaServer
from tests.live.turns import run_turn

ALL = {"include": ["agent.blocks", "agent.tags", "agent.tools"]}
Finish = Callable[[], object]
Begin = Callable[[str, str | None, Mapping[str, Any]], Finish]


@dataclass
class Turn:
    """A turn of an agent that has its snapshot and has not acted yet."""

    end: Finish
    is_over: bool = False

    def finish(self) -> None:
        """Let it call its tool, if it has one, and end."""
        if not self.is_over:
            self.is_over = True
            self.end()


@dataclass
class System:
    """begin: starts a turn, and gives what lets it go on to its end. empty: removes everything the server holds.

    freeze: gives what brings the whole server back to this moment; None where that cannot be done.
    """

    name: str
    tap: Tap
    begin: Begin
    empty: Callable[[], None]
    grace_seconds: float
    aliases: Mapping[str, str] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    freeze: Callable[[], Callable[[], None]] | None = None

    @property
    def url(self) -> str:
        """Where the reconciler goes."""
        return self.tap.url

    @property
    def is_live(self) -> bool:
        return self.name == "live"

    def begin_turn(self, agent: str, tool: str | None = None, args: Mapping[str, Any] | None = None) -> Turn:
        turn = Turn(self.begin(agent, tool, args or {}))
        self.turns.append(turn)
        return turn

    def end_turns(self) -> None:
        for turn in self.turns:
            turn.finish()

    # ------------------------------------------------------------------ somebody else's requests, past the tap

    def ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"X-Stainless-Package-Version": "1.12.1"}
        reply = HTTP.request(method, self.tap.upstream + path, headers=headers, timeout=120, **options)
        assert reply.status_code < 400, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json() if reply.content else None

    def blocks(self) -> list[Any]:
        return self.ask("GET", "/v1/blocks/", params={"limit": 10_000})

    def agents(self) -> list[Any]:
        return self.ask("GET", "/v1/agents/", params={"limit": 1000, **ALL})

    def agent(self, handle: str) -> Any:
        return self.ask("GET", f"/v1/agents/{handle}", params=ALL)

    def patch(self, handle: str, **fields: Any) -> Any:
        return self.ask("PATCH", f"/v1/{handle.partition('-')[0]}s/{handle}", json=fields)

    def prompt(self, agent: str) -> str:
        """The compiled prompt in force."""
        messages = self.ask("GET", f"/v1/agents/{agent}/messages", params={"limit": 100})
        return next(each["content"] for each in messages if each["message_type"] == "system_message")

    # ------------------------------------------------------------------ the whole server

    def everything(self) -> Mapping[str, Any]:
        """All that a client can see of agents and blocks."""
        return {
            "agents": {each["id"]: in_one_order(each) for each in self.agents()},
            "blocks": {each["id"]: in_one_order(each) for each in self.blocks()},
        }

    def backup(self) -> Callable[[], None]:
        """Take a backup; what it gives writes it back: values, prompts, names, and nothing younger."""
        then = self.everything()

        def restore() -> None:
            now = self.everything()
            for kind, fields in (("blocks", ("value", "label", "description")), ("agents", ("system", "name"))):
                for handle in now[kind].keys() - then[kind].keys():
                    self.ask("DELETE", f"/v1/{kind}/{handle}")
                for handle, row in then[kind].items():
                    self.patch(handle, **{name: row[name] for name in fields})

        return restore


def in_one_order(found: Any) -> Any:
    """The same with its tags and its lists of rows sorted: the server reads those in whatever order its database likes.

    Seen on the real one: an agent's blocks change places, in ``memory`` too, when PostgreSQL picks another plan.
    """
    if isinstance(found, dict):
        return {name: sorted(each) if name == "tags" and each else in_one_order(each) for name, each in found.items()}
    if isinstance(found, list):
        rows = [in_one_order(each) for each in found]
        return sorted(rows, key=itemgetter("id")) if all(_is_row(each) for each in rows) else rows
    return found


def _is_row(found: Any) -> bool:
    return isinstance(found, dict) and isinstance(found.get("id"), str)


@contextmanager
def embedded() -> Iterator[System]:
    with serve() as server, Tap(server.url) as tap:
        system = System("embedded", tap, _begin_embedded(server), lambda: None, 0.0)
        system.empty = lambda: _empty(system)
        system.freeze = lambda: _freeze(f"{server.url}/_control/state")
        yield system


@contextmanager
def live(server: LettaServer) -> Iterator[System]:
    def begin(agent: str, tool: str | None, args: Mapping[str, Any]) -> Finish:
        return run_turn(server, agent, tool=tool, args=args).finish

    with Tap(server.url) as tap:
        # The harness holds every turn until its run shows, so a short grace proves as much as a long one.
        system = System("live", tap, begin, lambda: None, 0.2, {"openai/gpt-4o": MODEL})
        system.empty = lambda: _empty(system)
        yield system


def _begin_embedded(server: Server) -> Begin:
    def begin(agent: str, tool: str | None, args: Mapping[str, Any]) -> Finish:
        run = _control(server, "begin_turn", agent_id=agent)["run_id"]

        def finish() -> None:
            if tool:
                said = _control(server, "tool_call", run_id=run, tool=tool, args=dict(args))
                assert said["status"] == "success", said
            _control(server, "end_turn", run_id=run)

        return finish

    return begin


def _control(server: Server, name: str, **body: Any) -> Any:
    reply = HTTP.post(f"{server.url}/_control/{name}", json=body)
    assert reply.status_code < 400, reply.text
    return reply.json()


def _freeze(url: str) -> Callable[[], None]:
    then = HTTP.get(url).content
    headers = {"Content-Type": "application/json"}
    return lambda: HTTP.put(url, content=then, headers=headers).raise_for_status() and None


def _empty(system: System) -> None:
    for agent in system.agents():
        system.ask("DELETE", f"/v1/agents/{agent['id']}")
    for block in system.blocks():
        system.ask("DELETE", f"/v1/blocks/{block['id']}")
