"""How the real Open WebUI is started here: its environment, and the data folder every server begins with.

A first boot migrates a database and makes the administrator. It happens once; servers copy the result.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from tests.live.layout import OpenWebUIHome
from tests.live.openwebui_api import PASSWORD
from tests.live.postgres import die_with_parent, free_port
from tests.live.processes import stop, tail
from tests.live.steps import locked, say

BOOT_SECONDS = 180.0
ADMIN_NAME = "Service Account"
ADMIN_EMAIL = "service@example.org"

_UNUSED = "http://127.0.0.1:9/v1"
_OFF = ("TITLE", "TAGS", "FOLLOW_UP", "AUTOCOMPLETE", "SEARCH_QUERY", "RETRIEVAL_QUERY")


class OpenWebUIBootError(Exception):
    """Open WebUI did not come up; the text ends with its log's tail."""


@dataclass(frozen=True)
class Admin:
    """The account of the template, and its key."""

    id: str
    key: str


def environment(home: OpenWebUIHome, folder: Path) -> dict[str, str]:
    """Nothing of the caller's, and nothing that would reach out to the network."""
    return {
        "PATH": f"{home.program.parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "DATA_DIR": str(folder / "data"),
        # The server wipes and rewrites it.
        "STATIC_DIR": str(folder / "static"),
        "WEBUI_SECRET_KEY": "of a test server",
        "WEBUI_ADMIN_EMAIL": ADMIN_EMAIL,
        "WEBUI_ADMIN_PASSWORD": PASSWORD,
        "WEBUI_ADMIN_NAME": ADMIN_NAME,
        "ENABLE_API_KEYS": "true",
        "USER_PERMISSIONS_FEATURES_API_KEYS": "true",
        "USE_SLIM_DOCKER": "true",
        "VECTOR_DB": "none",
        "OFFLINE_MODE": "true",
        "HF_HUB_OFFLINE": "1",
        "RAG_EMBEDDING_ENGINE": "openai",
        "AUDIO_STT_ENGINE": "openai",
        "ENABLE_OLLAMA_API": "false",
        "OPENAI_API_BASE_URL": _UNUSED,
        "OPENAI_API_KEY": "stub",
        # Else webhooks to loopback are dropped, with only a log line.
        "ENABLE_LOCAL_WEB_FETCH": "true",
        "ENABLE_VERSION_UPDATE_CHECK": "false",
        **{f"ENABLE_{name}_GENERATION": "false" for name in _OFF},
    }


def launch(home: OpenWebUIHome, folder: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    """A server on the data of `folder`; returns when it is healthy."""
    (folder / "cwd").mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(home.program), "serve", "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder / "cwd",
            env=environment(home, folder),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    _wait_until_healthy(process, f"http://127.0.0.1:{port}", log)
    return process


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    stop(process)
    raise OpenWebUIBootError(f"Open WebUI did not start, see {log}\n{tail(log)}")


def signed_in(url: str, email: str, password: str = PASSWORD) -> str:
    """The token a browser would hold."""
    answer = httpx.post(f"{url}/api/v1/auths/signin", json={"email": email, "password": password}, timeout=30)
    answer.raise_for_status()
    return answer.json()["token"]


def ensure_template(home: OpenWebUIHome) -> Admin:
    """The administrator of `home.template`, which is made first if need be."""
    known = home.template / "admin.json"
    with locked(home.root / "template.lock"):
        if not known.is_file():
            say("making the template database")
            home.logs.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=home.root) as scratch:
                folder = Path(scratch)
                admin = _first_boot(home, folder)
                (folder / "data" / "admin.json").write_text(json.dumps(asdict(admin)))
                shutil.rmtree(home.template, ignore_errors=True)
                (folder / "data").rename(home.template)
        return Admin(**json.loads(known.read_text()))


def _first_boot(home: OpenWebUIHome, folder: Path) -> Admin:
    port = free_port()
    process = launch(home, folder, port, home.logs / "template.log")
    try:
        url = f"http://127.0.0.1:{port}"
        token = {"Authorization": f"Bearer {signed_in(url, ADMIN_EMAIL)}"}
        key = httpx.post(f"{url}/api/v1/auths/api_key", headers=token, timeout=30).raise_for_status().json()["api_key"]
        who = httpx.get(f"{url}/api/v1/auths/", headers=token, timeout=30).raise_for_status().json()["id"]
    finally:
        stop(process)
    with closing(sqlite3.connect(folder / "data" / "webui.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Admin(who, key)


def in_database(folder: Path, change: Callable[[sqlite3.Connection], None]) -> None:
    """Change rows behind the server's back: it keeps its settings and resources nowhere else."""
    with closing(sqlite3.connect(folder / "data" / "webui.db", timeout=30)) as database, database:
        change(database)
