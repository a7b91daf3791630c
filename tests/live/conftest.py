"""Makes the live fixtures known to the tests of this folder."""

from collections.abc import Iterator

import pytest

from reconciler.embedded.openwebui.server import Server, serve
from tests.live.fixtures import clean_letta, clean_openwebui, letta, openwebui
from tests.live.openwebui_api import HasId, WebUI

__all__ = ["clean_letta", "clean_openwebui", "letta", "openwebui"]


class StandIn(WebUI):
    """The stand-in, looked at as the real server is."""

    def __init__(self, server: Server, admin: HasId) -> None:
        super().__init__()
        self.url, self.admin_key, self.admin = server.url, server.admin_key, admin


class _Account:
    def __init__(self, key: str) -> None:
        self.id = key


@pytest.fixture(params=["embedded", "live"])
def either(request: pytest.FixtureRequest) -> Iterator[WebUI]:
    """An empty Open WebUI: the stand-in first, and then the real one, which must answer alike."""
    if request.param == "live":
        yield request.getfixturevalue("clean_openwebui")
        return
    with serve() as server:
        webui = StandIn(server, _Account(""))
        webui.admin = _Account(webui.request("GET", "/api/v1/users/user/status")["id"])
        yield webui
        webui.client.close()
