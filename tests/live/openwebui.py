"""A real Open WebUI on loopback, with its own data and the stub model.

`OpenWebUIServer` is for tests; `python -m tests.live.openwebui` is for people: it starts one, prints its address and
log-in and stays until Ctrl-C. Every server has a database of its own, so several can run at once.
"""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

from tests.live.install_openwebui import ensure_openwebui
from tests.live.openwebui_api import PASSWORD, WebUI
from tests.live.openwebui_home import (
    ADMIN_EMAIL,
    OpenWebUIBootError,
    ensure_template,
    in_database,
    launch,
)
from tests.live.postgres import free_port
from tests.live.processes import stop, sweep
from tests.live.steps import InstallError, say
from tests.live.stub_llm import StubLLM

BASE_MODEL = "gpt-4o"  # one that the stub lists


class OpenWebUIServer(WebUI):
    """Start with `with OpenWebUIServer() as webui:`; `webui.url` is open then."""

    def __init__(self, port: int = 0, stub_port: int = 0) -> None:
        super().__init__()
        self.home = ensure_openwebui()
        self.admin = ensure_template(self.home)
        self.admin_key = self.admin.key
        self.stub = StubLLM(stub_port)
        # After the stub, which listens from now on: a port found free before it may be the one it takes.
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        name = f"{os.getpid()}-{self.port}"
        self.folder = self.home.runs / name
        self.log = self.home.logs / f"openwebui-{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pids(self) -> list[int]:
        return [self.process.pid] if self.process else []

    def __enter__(self) -> "OpenWebUIServer":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        sweep(self.home.runs, self.home.logs)
        self.stub.start()
        self._start_empty()

    def stop(self) -> None:
        self.stop_server()
        self.stub.stop()
        self.client.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_server(self) -> None:
        """Boot the server alone, on the same port and data as before."""
        self.process = launch(self.home, self.folder, self.port, self.log)

    def stop_server(self, seconds: float = 10.0) -> None:
        stop(self.process, seconds)

    def restart(self) -> None:
        self.stop_server()
        self.start_server()

    def wipe(self) -> None:
        """As after a lost volume: another boot, on data that knows only the service account and its key."""
        self.stop_server()
        self._start_empty()

    def clear(self) -> None:
        """Make it as it was after its boot, while it runs: no users, notes, models, folders, chats or webhooks."""
        in_database(self.folder, self._empty)
        self.stub.script.reset()
        self.stub.requests.clear()
        self.refresh_models()

    def _start_empty(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.home.template, self.folder / "data")
        in_database(self.folder, self._point_at_stub)
        self.start_server()

    def _point_at_stub(self, database: sqlite3.Connection) -> None:
        value = json.dumps([f"{self.stub.url}/v1"])
        database.execute("UPDATE config SET value = ? WHERE key = 'openai.api_base_urls'", (value,))

    def _empty(self, database: sqlite3.Connection) -> None:
        """The rows of the template, and no others."""
        listed = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for table in {name for (name,) in listed} - {"alembic_version", "user", "auth", "api_key", "config"}:
            database.execute(f'DELETE FROM "{table}"')
        for table, column in (("user", "id"), ("auth", "id"), ("api_key", "user_id")):
            database.execute(f'DELETE FROM "{table}" WHERE {column} != ?', (self.admin.id,))
        database.execute("DELETE FROM config")
        database.execute("ATTACH ? AS template", (str(self.home.template / "webui.db"),))
        database.execute("INSERT INTO config SELECT * FROM template.config")
        self._point_at_stub(database)


def _until_stopped() -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()


def _known(webui: OpenWebUIServer) -> dict[str, object]:
    return {
        "url": webui.url,
        "stub": webui.stub.url,
        "admin_key": webui.admin_key,
        "admin_email": ADMIN_EMAIL,
        "admin_password": PASSWORD,
        "pids": [os.getpid(), *webui.pids],
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.live.openwebui", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="its port (default: a free one)")
    parser.add_argument("--stub-port", type=int, default=0, help="the stub model's port")
    parser.add_argument("--json", type=Path, help="write address and log-in to this file")
    chosen = parser.parse_args(arguments)
    try:
        began = time.monotonic()
        with OpenWebUIServer(chosen.port, chosen.stub_port) as webui:
            say(f"started in {time.monotonic() - began:.0f} s, log in {webui.log}")
            say(f"Open WebUI {webui.url}  (log in as {ADMIN_EMAIL}, password: {PASSWORD})")
            say(f"stub model {webui.stub.url}  ({BASE_MODEL})")
            if chosen.json:
                chosen.json.write_text(json.dumps(_known(webui)))
            say("Ctrl-C stops it")
            _until_stopped()
            say("stopping")
    except (InstallError, OpenWebUIBootError) as error:
        print(f"[live] {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
