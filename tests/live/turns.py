"""A turn of an agent, stopped in the middle: the model is asked, and answers when released.

Letta reads an agent's blocks when a turn starts and writes all of them back when the agent
calls a memory tool. `run_turn` opens that window and holds it open.
"""

import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.live.server import LettaServer
from tests.live.stub_script import Reply


class TurnError(Exception):
    """The turn did not reach the model, or did not end."""


@dataclass
class Turn:
    """A turn running in the background."""

    letta: LettaServer
    agent_id: str
    key: str
    answer: dict[str, Any] = field(default_factory=dict)
    error: Exception | None = None
    thread: threading.Thread | None = None

    def start(self, text: str) -> None:
        self.thread = threading.Thread(target=self._send, args=(text,), daemon=True)
        self.thread.start()

    def _send(self, text: str) -> None:
        message = {"role": "user", "content": f"{text} [script:{self.key}]"}
        try:
            path = f"/v1/agents/{self.agent_id}/messages"
            self.answer = self.letta.request("POST", path, json={"messages": [message]})
        except Exception as error:
            self.error = error

    def wait_until_held(self, seconds: float = 60) -> None:
        """From here on Letta has its snapshot of the agent's blocks, and the model is silent."""
        deadline = time.monotonic() + seconds
        while not self.letta.stub.script.held().get(self.key):
            if self.error:
                raise TurnError("the turn failed before it reached the model") from self.error
            if time.monotonic() > deadline or not self._is_running():
                raise TurnError("the turn never reached the model")
            time.sleep(0.01)

    def release(self) -> None:
        """Let the model make its tool call."""
        self.letta.stub.script.release(self.key)

    def finish(self, seconds: float = 90) -> dict[str, Any]:
        """Release, wait for the end, give Letta's answer."""
        self.release()
        if self.thread:
            self.thread.join(seconds)
        if self._is_running():
            raise TurnError(f"the turn did not end within {seconds:.0f} s")
        if self.error:
            raise TurnError("the turn failed") from self.error
        return self.answer

    def _is_running(self) -> bool:
        return self.thread is not None and self.thread.is_alive()


def run_turn(
    letta: LettaServer,
    agent_id: str,
    *,
    tool: str | None = None,
    args: Mapping[str, Any] | None = None,
    hold: bool = True,
) -> Turn:
    """Start a turn in which the model calls `tool` (or only talks) once it is released."""
    turn = Turn(letta, agent_id, key=f"turn-{uuid.uuid4().hex[:8]}")
    letta.stub.script.queue(turn.key, [Reply(tool=tool, args=args or {}, hold=hold)])
    turn.start("Please go on.")
    if hold:
        turn.wait_until_held()
    return turn
