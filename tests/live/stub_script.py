"""What the stub model says next: replies queued per marker, held back until released.

A conversation is told apart by a marker in its last user message, `[script:KEY]`.
Nothing here knows a wire format.
"""

import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MARKER = re.compile(r"\[script:([\w.-]+)\]")
DEFAULT_TEXT = "Noted."
AUTOMATIC = ('"type": "heartbeat"', "automated system message", "automated alert")
HOLD_SECONDS = 300.0


@dataclass(frozen=True)
class Reply:
    """One answer of the model: a tool call, or else text."""

    tool: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict)
    say: str = DEFAULT_TEXT
    delay_seconds: float = 0.0
    hold: bool = False
    status: int = 200

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> "Reply":
        return cls(**raw)


@dataclass(frozen=True)
class Tool:
    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """What the model was sent, whichever wire format it came in."""

    model: str
    system: str
    user_texts: tuple[str, ...]
    tools: tuple[Tool, ...]
    stream: bool

    @property
    def key(self) -> str | None:
        return marker(self.user_texts)


def marker(user_texts: Iterable[str]) -> str | None:
    """The key of the last message a person sent; Letta's own heartbeats are passed over."""
    for text in reversed(tuple(user_texts)):
        if found := MARKER.findall(text):
            return found[-1]
        if not any(sign in text for sign in AUTOMATIC):
            return None
    return None


def default_reply(request: Request) -> Reply:
    """End the turn: with send_message where the agent has it, in plain text otherwise."""
    if any(tool.name == "send_message" for tool in request.tools):
        return Reply(tool="send_message", args={"message": DEFAULT_TEXT})
    return Reply()


def with_required(reply: Reply, request: Request) -> Reply:
    """Fill what Letta adds to a tool's schema (heartbeats, thoughts) and scripts leave out."""
    for tool in request.tools:
        if tool.name != reply.tool:
            continue
        properties = tool.schema.get("properties", {})
        missing = [name for name in tool.schema.get("required", ()) if name not in reply.args]
        filled = {name: _filler(properties.get(name, {})) for name in missing}
        return Reply(tool=reply.tool, args={**filled, **reply.args})
    return reply


def _filler(schema: Mapping[str, Any]) -> Any:
    return True if schema.get("type") == "boolean" else "-"


class Script:
    """Shared by all request threads; every field is guarded by one condition."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queues: dict[str, deque[Reply]] = defaultdict(deque)
        self._permits: dict[str, int] = defaultdict(int)
        self._held: dict[str, int] = defaultdict(int)
        self._generation = 0

    def queue(self, key: str, replies: Iterable[Reply]) -> None:
        with self._changed:
            self._queues[key].extend(replies)

    def release(self, key: str, count: int = 1) -> None:
        """Let `count` held replies go, those already waiting or the next to come."""
        with self._changed:
            self._permits[key] += count
            self._changed.notify_all()

    def reset(self) -> None:
        """Forget every script; what is held answers at once."""
        with self._changed:
            self._generation += 1
            self._queues.clear()
            self._permits.clear()
            self._changed.notify_all()

    def held(self) -> dict[str, int]:
        with self._changed:
            return {key: count for key, count in self._held.items() if count}

    def next_reply(self, request: Request) -> Reply:
        """Blocks for as long as the script says."""
        reply = self._take(request.key)
        if reply is None:
            return with_required(default_reply(request), request)
        if reply.hold and request.key:
            self._wait_for_permit(request.key)
        time.sleep(reply.delay_seconds)
        return reply if reply.tool is None else with_required(reply, request)

    def _take(self, key: str | None) -> Reply | None:
        with self._changed:
            waiting = self._queues.get(key or "")
            return waiting.popleft() if waiting else None

    def _wait_for_permit(self, key: str) -> None:
        with self._changed:
            born = self._generation
            self._held[key] += 1
            self._changed.wait_for(lambda: self._permits[key] > 0 or self._generation != born, HOLD_SECONDS)
            self._held[key] -= 1
            if self._generation == born and self._permits[key] > 0:
                self._permits[key] -= 1
