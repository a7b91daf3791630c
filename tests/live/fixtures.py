"""Fixtures for tests against a real Letta and a real Open WebUI. Any conftest may import them.

They run when RECONCILER_LIVE=1 and skip otherwise. One server of each serves the whole session:
emptying it takes a tenth of a second, starting it a dozen.
"""

import os
from collections.abc import Iterator

import pytest

from tests.live.openwebui import OpenWebUIServer
from tests.live.server import LettaServer

_running: list[LettaServer] = []
_webuis: list[OpenWebUIServer] = []


@pytest.fixture(scope="session")
def letta() -> Iterator[LettaServer]:
    """A running server; what earlier tests left is still in it."""
    if os.environ.get("RECONCILER_LIVE") != "1":
        pytest.skip("needs a real Letta: set RECONCILER_LIVE=1, or run `make test-live`")
    if _running:  # another conftest imported this fixture too
        yield _running[0]
        return
    with LettaServer() as server:
        _running.append(server)
        yield server
        _running.clear()


@pytest.fixture
def clean_letta(letta: LettaServer) -> LettaServer:
    """A server without agents, blocks, runs or custom tools."""
    letta.clear()
    return letta


@pytest.fixture(scope="session")
def openwebui() -> Iterator[OpenWebUIServer]:
    """A running server; what earlier tests left is still in it."""
    if os.environ.get("RECONCILER_LIVE") != "1":
        pytest.skip("needs a real Open WebUI: set RECONCILER_LIVE=1, or run `make test-live`")
    if _webuis:
        yield _webuis[0]
        return
    with OpenWebUIServer() as server:
        _webuis.append(server)
        yield server
        _webuis.clear()


@pytest.fixture
def clean_openwebui(openwebui: OpenWebUIServer) -> OpenWebUIServer:
    """A server with one account, the service account's, and nothing else."""
    openwebui.clear()
    return openwebui
