"""`world` is every server in turn: the stand-in, and a real one where RECONCILER_LIVE=1."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from reconciler.remotes.openwebui import OpenWebUIRemote
from tests.contract.openwebui.world import Account, World
from tests.contract.tap import Tap
from tests.live.fixtures import clean_openwebui, openwebui

__all__ = ["clean_openwebui", "openwebui"]

STAND_IN = "reconciler.embedded.openwebui"


@pytest.fixture(params=["embedded", "live"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "embedded":
        yield from _embedded()
    else:
        server = request.getfixturevalue("clean_openwebui")
        yield from _opened(server.url, server.admin_key)


@pytest.fixture
def remote(world: World) -> OpenWebUIRemote:
    return world.remote()


@pytest.fixture
def ann(world: World) -> Account:
    return world.account("ann")


@pytest.fixture
def ben(world: World) -> Account:
    return world.account("ben")


@pytest.fixture
def staff(world: World) -> Account:
    """An admin, but not the service account."""
    return world.account("staff", "admin")


def _embedded() -> Iterator[World]:
    if find_spec(STAND_IN) is None or find_spec(f"{STAND_IN}.server") is None:
        pytest.skip("the stand-in for Open WebUI is not there yet")
    from importlib import import_module

    serve: Any = import_module(f"{STAND_IN}.server").serve
    with serve() as server:
        yield from _opened(server.url, server.admin_key)


def _opened(url: str, key: str) -> Iterator[World]:
    with Tap(url) as tap:
        world = World(tap, key)
        try:
            yield world
        finally:
            world.close()
