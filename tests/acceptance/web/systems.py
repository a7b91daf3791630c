"""An Open WebUI for scenarios: the stand-in or the real server, behind a tap that counts and spoils requests."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from reconciler.embedded.openwebui.server import Server, serve
from tests.contract.tap import Tap
from tests.http import HTTP
from tests.live import webui
from tests.live.openwebui import OpenWebUIServer
from tests.live.openwebui_api import WebUI
from tests.live.openwebui_home import in_database
from tests.live.webui import V1, Json


@dataclass
class Web:
    """server: asked in anybody's name, past the tap. stop and start: the server's process, on the same data.

    wipe: as after a lost volume. give_key: makes the key the service account's again.
    """

    server: WebUI
    tap: Tap
    stop: Callable[[], None]
    start: Callable[[], None]
    wipe: Callable[[], None]
    give_key: Callable[[str], None]
    is_live: bool = False

    @property
    def url(self) -> str:
        """Where the reconciler goes."""
        return self.tap.url

    def ask(self, method: str, path: str, token: str | None = None, **options: Any) -> Any:
        return self.server.request(method, V1 + path, token, **options)

    def status(self, method: str, path: str, token: str | None = None, **options: Any) -> int:
        return self.server.call(method, V1 + path, token, **options).status_code

    def notes(self) -> list[Json]:
        """Every note there is, whole."""
        found: list[Json] = []
        while True:
            page = self.ask("GET", "/notes/search", params={"page": len(found) // 60 + 1})
            found += page["items"]
            if len(found) >= page["total"]:
                return [webui.get_note(self.server, row["id"]) for row in found]

    def models(self) -> list[Json]:
        return self.ask("GET", "/models/all")

    def new_key(self) -> str:
        """As the service account does it in its settings; the key before it is refused from then on."""
        return self.ask("POST", "/auths/api_key", self.server.admin_token)["api_key"]

    def everything(self) -> Json:
        """All that an administrator sees, but when somebody was here last."""
        users = self.ask("GET", "/users/all")["users"]
        seen = {"notes": self.notes(), "models": self.models(), "folders": self.ask("GET", "/folders/")}
        accounts = [{name: user[name] for name in ("id", "name", "email", "role")} for user in users]
        return seen | {"users": accounts, "chats": self.ask("GET", "/chats/all/db")}


class StandIn(WebUI):
    """The stand-in, looked at as the real server is."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder
        self._server: Server | None = None
        self.start(0)
        assert self._server
        self.url, self.admin_key = self._server.url, self._server.admin_key
        self.admin = webui.Person(self.request("GET", f"{V1}/users/user/status")["id"], "", self.admin_email)

    def start(self, port: int | None = None) -> None:
        self._server = serve(self._folder, int(self.url.rpartition(":")[2]) if port is None else port)

    def stop(self) -> None:
        if self._server:
            self._server.stop()
            self._server = None

    def control(self, name: str, **body: Any) -> Any:
        reply = HTTP.post(f"{self.url}/_control/{name}", json=body)
        assert reply.status_code < 400, reply.text
        return reply.json() if reply.content else None

    def wipe(self) -> None:
        """Nothing stays but the service account and its key; what it had written about itself goes, too."""
        self.set_admin(info=None)

    def give_key(self, key: str) -> None:
        """Unlike `wipe`, with everything kept."""
        tables = HTTP.get(f"{self.url}/_control/state").json()
        tables["users"][self.admin.id]["api_key"] = key
        HTTP.put(f"{self.url}/_control/state", json=tables).raise_for_status()

    def set_admin(self, **fields: Any) -> None:
        row = HTTP.get(f"{self.url}/_control/state").json()["users"][self.admin.id]
        tables = {"users": {self.admin.id: {**row, **fields}}}
        HTTP.put(f"{self.url}/_control/state", json=tables).raise_for_status()


@contextmanager
def embedded() -> Iterator[Web]:
    with tempfile.TemporaryDirectory() as folder:
        server = StandIn(folder)
        try:
            with Tap(server.url) as tap:
                yield Web(server, tap, server.stop, server.start, server.wipe, server.give_key)
        finally:
            server.stop()
            server.client.close()


@contextmanager
def live(server: OpenWebUIServer) -> Iterator[Web]:
    def give_key(key: str) -> None:
        update = "UPDATE api_key SET key = ? WHERE user_id = ?"
        in_database(server.folder, lambda database: database.execute(update, (key, server.admin.id)) and None)

    with Tap(server.url) as tap:
        yield Web(server, tap, server.stop_server, server.start_server, server.wipe, give_key, is_live=True)
