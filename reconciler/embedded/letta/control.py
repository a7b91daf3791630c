"""Routes under `/_control/` that no Letta has: turns step by step, faults on demand, the whole state in and out.

POST begin_turn  {"agent_id", "text"?}           -> {"run_id"}
POST tool_call   {"run_id", "tool", "args"}      -> the tool's return message
POST end_turn    {"run_id", "reply"?}            -> the run
POST fail        {"count"?, "skip"?, "status"? | "cut", "applied"?, "delay_seconds"?, "method"?, "path"?}
POST calm        forget the faults not yet used
GET  state / PUT state {tables} / POST wipe
"""

import time
from dataclasses import dataclass, replace
from typing import Any, cast

from reconciler.embedded.letta.model import Letta, Refused, Row
from reconciler.embedded.letta.request import Request, as_object
from reconciler.embedded.letta.routes import table
from reconciler.embedded.letta.state import TABLES, Table

PREFIX = "/_control/"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next `count` matching requests, after `skip` others.

    `status=None` cuts the connection. `applied` says whether the request took effect first; with it, a cut is a
    lost reply. A fault that only delays lets the answer through.
    """

    count: int = 1
    skip: int = 0
    status: int | None = None
    cut: bool = False
    applied: bool = False
    delay_seconds: float = 0.0
    method: str | None = None
    path: str = ""

    def matches(self, method: str, path: str) -> bool:
        return self.count > 0 and self.method in (None, method) and self.path in path

    @classmethod
    def parse(cls, body: object) -> "Fault":
        """`{"cut": "before" | "after"}` or `{"status": 503}`."""
        sent = dict(as_object(body))
        if sent.get("cut") in ("before", "after"):
            sent |= {"applied": sent["cut"] == "after", "cut": True}
        try:
            return cls(**sent)
        except TypeError as error:
            raise Refused(422, str(error)) from error


class Faults:
    """The faults that are still to come. The first one that matches is used up by one request."""

    def __init__(self) -> None:
        self._left: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._left.append(fault)

    def clear(self) -> None:
        self._left.clear()

    def next_for(self, method: str, path: str) -> Fault | None:
        for at, fault in enumerate(self._left):
            if fault.matches(method, path):
                used = replace(fault, skip=fault.skip - 1) if fault.skip else replace(fault, count=fault.count - 1)
                self._left[at] = used
                return None if fault.skip else fault
        return None


def delayed(fault: Fault | None) -> None:
    if fault is not None and fault.delay_seconds > 0:
        time.sleep(fault.delay_seconds)


def tables_of(body: object) -> dict[str, Table]:
    tables: dict[str, Table] = cast(Any, body if isinstance(body, dict) else {"": {}})
    if not set(TABLES).issuperset(tables):
        raise Refused(422, f"Input should be an object with {TABLES}")
    return tables


def _asked(request: Request, *names: str) -> Row:
    body = as_object(request.body)
    for name in names:
        if name not in body:
            raise Refused(422, f"Field required: {name}")
    return body


def _begin(letta: Letta, request: Request) -> Row:
    body = _asked(request, "agent_id")
    return {"run_id": letta.begin_turn(body["agent_id"], body.get("text", ""))}


def _call(letta: Letta, request: Request) -> Row:
    body = _asked(request, "run_id", "tool")
    return letta.tool_call(body["run_id"], body["tool"], body.get("args", {}))


def _end(letta: Letta, request: Request) -> Row:
    body = _asked(request, "run_id")
    return letta.end_turn(body["run_id"], body.get("reply", ""))


def _put_state(letta: Letta, request: Request) -> None:
    letta.restore(tables_of(request.body))


ROUTES = table(
    {
        "POST /_control/begin_turn": _begin,
        "POST /_control/tool_call": _call,
        "POST /_control/end_turn": _end,
        "GET /_control/state": lambda letta, request: letta.snapshot(),
        "PUT /_control/state": _put_state,
        "POST /_control/wipe": lambda letta, request: letta.restore({}),
    }
)
