"""What a message asks the stand-in's agent to do, since there is no model here to think of it.

A message is JSON (one step or a list: `{"tool": "memory_insert", "args": {…}}`, `{"wait": 1.5}`) or one line
`call: memory_insert(label="human", new_str="Likes tea")`. Anything else is only talk.
"""

import ast
import json
from dataclasses import dataclass
from typing import Any, cast

from reconciler.embedded.letta.state import Row

LONGEST_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Call:
    tool: str
    args: Row


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


Step = Call | Wait


def steps(text: str) -> list[Step]:
    """The steps a message spells out, in order; none for ordinary talk."""
    if text.startswith("call:"):
        return _called(text.removeprefix("call:").strip())
    if text[:1] not in ("{", "["):
        return []
    try:
        said = json.loads(text)
    except ValueError:
        return []
    listed = cast(list[Any], said) if isinstance(said, list) else [said]
    return [step for each in listed if (step := _step(each)) is not None]


def _step(said: object) -> Step | None:
    if not isinstance(said, dict):
        return None
    asked = cast(Row, said)
    if isinstance(asked.get("tool"), str):
        args = asked.get("args", {})
        return Call(asked["tool"], cast(Row, args) if isinstance(args, dict) else {})
    if isinstance(asked.get("wait"), int | float):
        return Wait(min(float(asked["wait"]), LONGEST_WAIT_SECONDS))
    return None


def _called(source: str) -> list[Step]:
    try:
        call = ast.parse(source, mode="eval").body
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and not call.args:
            named = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}
            return [Call(call.func.id, named)]
    except (SyntaxError, ValueError):
        pass
    return []
