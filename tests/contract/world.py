"""The server a contract test looks at: the stand-in or a real one, behind a tap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.ports import Action, Applied, Live
from reconciler.remotes.letta import LettaRemote
from tests.contract.tap import Tap
from tests.contract.things import WORKSPACE
from tests.http import HTTP

ALL = {"include": ["agent.blocks", "agent.tags", "agent.tools"]}
Speak = Callable[[str, str, dict[str, Any]], None]
Begin = Callable[[str], Callable[[], object]]


@dataclass
class Watch:
    """Time that passes only when told, except that it starts now: the server stamps with the real time."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class World:
    """agent_calls: an agent calls a tool in a turn of its own. begin_turn: starts one, gives what ends it."""

    tap: Tap
    agent_calls: Speak
    begin_turn: Begin
    watch: Watch = field(default_factory=Watch)
    remotes: list[LettaRemote] = field(default_factory=list)

    def remote(self, workspace: str = WORKSPACE, token: str = "") -> LettaRemote:
        """A fresh adapter: it remembers nothing of what another has read."""
        made = LettaRemote(self.tap.url, token, workspace, now=self.watch.now, timeout=30)
        self.remotes.append(made)
        return made

    def close(self) -> None:
        for remote in self.remotes:
            remote.close()

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Somebody else's request, past the tap."""
        headers = {"X-Stainless-Package-Version": "1.12.1"}
        reply = HTTP.request(method, self.tap.upstream + path, headers=headers, timeout=60, **options)
        assert reply.status_code < 400, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json() if reply.content else None

    def block(self, handle: str) -> Any:
        return self.ask("GET", f"/v1/blocks/{handle}")

    def agent(self, handle: str) -> Any:
        return self.ask("GET", f"/v1/agents/{handle}", params=ALL)

    def patch(self, handle: str, **fields: Any) -> Any:
        return self.ask("PATCH", f"/v1/{handle.partition('-')[0]}s/{handle}", json=fields)

    def prompt(self, agent: str) -> str:
        """The compiled prompt, as the model would be sent it."""
        messages = self.ask("GET", f"/v1/agents/{agent}/messages", params={"limit": 100})
        return next(each["content"] for each in messages if each["message_type"] == "system_message")


def applied(remote: LettaRemote, action: Action) -> Live:
    outcome = remote.apply(action)
    assert isinstance(outcome, Applied), outcome
    assert outcome.live is not None
    return outcome.live
