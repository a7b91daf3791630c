"""`POST /v1/agents/{id}/messages`: a whole turn. What the agent does in it is spelled out by the message itself."""

import time
from collections.abc import Callable
from typing import Any, cast

from reconciler.embedded.letta import script
from reconciler.embedded.letta.model import Letta, Refused, Row
from reconciler.embedded.letta.request import as_object

REPLY = "Noted."


def turn(act: Callable[[Callable[[Letta], Any]], Any], agent_id: str, body: object) -> Row:
    """Run the turn step by step. `act` holds the lock for one step only, so that others can write in between."""
    text = said(body)
    run_id: str = act(lambda letta: letta.begin_turn(agent_id, text))
    for step in script.steps(text):
        match step:
            case script.Wait(seconds):
                time.sleep(seconds)
            case script.Call(tool, args):
                act(lambda letta, tool=tool, args=args: letta.tool_call(run_id, tool, args))
    return act(lambda letta: _ended(letta, run_id))


def said(body: object) -> str:
    """The text of the last message, or of `input`; 422 without either."""
    sent = as_object(body)
    if sent.get("input"):
        return _text(sent["input"])
    listed = sent.get("messages")
    if not isinstance(listed, list) or not listed:
        raise Refused(422, "Messages must not be empty")
    last = as_object(cast(list[Any], listed)[-1])
    if last.get("role") not in ("user", "system", "assistant"):
        raise Refused(422, "Input should be 'user', 'system' or 'assistant': role")
    return _text(last.get("content"))


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = cast(list[Any], content) if isinstance(content, list) else []
    return "\n".join(str(as_object(part).get("text", "")) for part in parts)


def _ended(letta: Letta, run_id: str) -> Row:
    letta.end_turn(run_id, REPLY)
    answers = [each for each in letta.turns.messages_of_run(run_id) if each["message_type"] != "user_message"]
    usage = {"message_type": "usage_statistics", "completion_tokens": 0, "prompt_tokens": 0, "total_tokens": 0}
    return {
        "messages": answers,
        "stop_reason": {"message_type": "stop_reason", "stop_reason": "end_turn"},
        "usage": usage | {"step_count": len(answers)},
    }
