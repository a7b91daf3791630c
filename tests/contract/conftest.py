"""`world` is every server in turn: the stand-in, and a real one where RECONCILER_LIVE=1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.embedded.letta.server import serve
from reconciler.remotes.letta import LettaRemote
from tests.contract.tap import Tap
from tests.contract.world import World
from tests.http import HTTP
from tests.live.fixtures import clean_letta, letta
from tests.live.turns import run_turn

__all__ = ["clean_letta", "letta"]


@pytest.fixture(params=["embedded", "live"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "embedded":
        yield from _embedded()
    else:
        yield from _live(request.getfixturevalue("clean_letta"))


@pytest.fixture
def remote(world: World) -> LettaRemote:
    return world.remote()


def _embedded() -> Iterator[World]:
    with serve() as server, Tap(server.url) as tap:

        def control(name: str, **body: Any) -> Any:
            reply = HTTP.post(f"{server.url}/_control/{name}", json=body)
            assert reply.status_code < 400, reply.text
            return reply.json()

        def begin(agent: str) -> Any:
            run = control("begin_turn", agent_id=agent)["run_id"]
            return lambda: control("end_turn", run_id=run)

        def calls(agent: str, tool: str, args: dict[str, Any]) -> None:
            run = control("begin_turn", agent_id=agent)["run_id"]
            control("tool_call", run_id=run, tool=tool, args=args)
            control("end_turn", run_id=run)

        yield from _closed(World(tap, calls, begin))


def _live(server: Any) -> Iterator[World]:
    with Tap(server.url) as tap:

        def begin(agent: str) -> Any:
            return run_turn(server, agent, hold=True).finish

        def calls(agent: str, tool: str, args: dict[str, Any]) -> None:
            run_turn(server, agent, tool=tool, args=args, hold=False).finish()

        yield from _closed(World(tap, calls, begin))


def _closed(world: World) -> Iterator[World]:
    try:
        yield world
    finally:
        world.close()
