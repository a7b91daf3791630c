"""A real Letta on loopback, with its own PostgreSQL and the stub model.

`LettaServer` is for tests; `python -m tests.live.server` is for people: it starts one,
prints its addresses and stays until Ctrl-C. Every server has a database of its own, so
several can run at once.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from tests.live.install import InstallError, binaries, ensure_letta, say, template_cluster
from tests.live.postgres import Postgres, PostgresError, copy_cluster, die_with_parent, free_port
from tests.live.processes import stop, sweep, tail
from tests.live.stub_llm import StubLLM

BOOT_SECONDS = 180.0
BUSY_SECONDS = 60.0
DATABASE = "letta"
MODEL = "openai-proxy/gpt-4o"
ANTHROPIC_MODEL = "anthropic/claude-sonnet-4-20250514"
EMBEDDING = "openai/text-embedding-3-small"

# What a boot writes and a clean server keeps; custom tools are deleted row by row.
KEPT_TABLES = {
    "alembic_version",
    "organizations",
    "users",
    "providers",
    "provider_models",
    "tools",
}


class LettaBootError(Exception):
    """Letta did not come up; the text ends with its log's tail."""


class LettaServer:
    """Start with `with LettaServer() as letta:`; `letta.url` and `letta.stub.url` are open then."""

    def __init__(self, port: int = 0, stub_port: int = 0, password: str | None = None) -> None:
        self.home = ensure_letta()
        self.password = password
        self.stub = StubLLM(stub_port)
        # After the stub, which listens from now on: a port found free before it may be the one it takes.
        self.port = port or free_port()
        name = f"{os.getpid()}-{self.port}"
        self.folder = self.home.postgres / "runs" / name
        self.log = self.home.logs / f"letta-{name}.log"
        self.postgres = Postgres(binaries(self.home), self.folder / "cluster", self.home.logs / f"postgres-{name}.log")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pids(self) -> list[int]:
        processes = (self.process, self.postgres.process)
        return [process.pid for process in processes if process]

    def __enter__(self) -> "LettaServer":
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
        self.home.logs.mkdir(exist_ok=True)
        sweep(self.home.postgres / "runs", self.home.logs)
        self.stub.start()
        copy_cluster(template_cluster(self.home), self.postgres.folder)
        self.postgres.start()
        self.start_letta()
        self.request("POST", "/v1/tools/add-base-tools")

    def start_letta(self) -> None:
        """Boot the server alone, on the same port and database as before."""
        letta = [str(self.home.letta), "server", "--host", "127.0.0.1", "--port", str(self.port)]
        if self.password:
            letta.append("--secure")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                letta,
                # It would read ./conf.yaml.
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        self._wait_until_healthy()

    def _environment(self) -> dict[str, str]:
        """Nothing of the caller's: a real key in it would make Letta list real models."""
        secret = {"LETTA_SERVER_PASSWORD": self.password} if self.password else {}
        return secret | {
            "PATH": f"{self.home.letta.parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "LETTA_PG_URI": f"{self.postgres.uri(DATABASE)}?sslmode=disable",
            # With the default, a turn that calls a tool stalls for a minute.
            "LETTA_DISABLE_SQLALCHEMY_POOLING": "false",
            "OPENAI_API_KEY": "stub",
            "OPENAI_BASE_URL": f"{self.stub.url}/v1",
            "ANTHROPIC_API_KEY": "stub",
            "ANTHROPIC_BASE_URL": self.stub.url,
        }

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/v1/health/", timeout=5).status_code == 200:
                    return
            time.sleep(0.2)
        raise LettaBootError(f"Letta did not start, see {self.log}\n{tail(self.log)}")

    def stop_letta(self, seconds: float = 10.0) -> None:
        """Stop the server alone; the database stays up."""
        # Its own session, hence its own group: tool sandboxes go with it.
        stop(self.process, seconds)

    def stop(self) -> None:
        self.stub.script.reset()
        self.stop_letta()
        self.postgres.stop()
        self.stub.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def request(self, method: str, path: str, **options: Any) -> Any:
        """One call of the API, as JSON; an error answer raises with its text."""
        # Without this header a bare list loads every relationship.
        headers = {"X-Stainless-Package-Version": "1.12.1"}
        if self.password:
            headers["Authorization"] = f"Bearer {self.password}"
        answer = httpx.request(method, self.url + path, headers=headers, timeout=120, **options)
        if answer.is_error:
            raise httpx.HTTPStatusError(
                f"{method} {path}: {answer.status_code} {answer.text}",
                request=answer.request,
                response=answer,
            )
        return answer.json() if answer.content else None

    def active_runs(self) -> list[Any]:
        return self.request("GET", "/v1/runs/", params={"active": "true", "limit": 1000})

    def wait_until_idle(self, seconds: float = BUSY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while self.active_runs():
            if time.monotonic() > deadline:
                raise TimeoutError(f"Letta still runs turns after {seconds:.0f} s")
            time.sleep(0.05)

    def clear(self) -> None:
        """Make it as it was after its boot: no agents, blocks, runs or custom tools."""
        self.stub.script.reset()
        self.stub.requests.clear()
        # A run that outlived its test may have lost its process: its row goes all the same.
        with suppress(TimeoutError):
            self.wait_until_idle(5)
        listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        tables = set(self.postgres.sql(DATABASE, listed).split()) - KEPT_TABLES
        names = ", ".join(f'"{table}"' for table in sorted(tables))
        own = "DELETE FROM tools WHERE tool_type = 'custom'"
        self.postgres.sql(DATABASE, f"TRUNCATE {names}; {own}")


def _until_stopped() -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.live.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="Letta's port (default: a free one)")
    parser.add_argument("--stub-port", type=int, default=0, help="the stub model's port")
    parser.add_argument("--password", help="ask clients for it (default: none)")
    parser.add_argument("--json", type=Path, help="write the addresses to this file")
    chosen = parser.parse_args(arguments)
    try:
        began = time.monotonic()
        with LettaServer(chosen.port, chosen.stub_port, chosen.password) as letta:
            say(f"started in {time.monotonic() - began:.0f} s, log in {letta.log}")
            say(f"Letta      {letta.url}  ({'with' if chosen.password else 'no'} password)")
            say(f"stub model {letta.stub.url}  ({MODEL}, {ANTHROPIC_MODEL}, {EMBEDDING})")
            if chosen.json:
                known = {"letta": letta.url, "stub": letta.stub.url}
                chosen.json.write_text(json.dumps(known | {"pids": [os.getpid(), *letta.pids]}))
            say("Ctrl-C stops it")
            _until_stopped()
            say("stopping")
    except (InstallError, LettaBootError, PostgresError) as error:
        print(f"[live] {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
