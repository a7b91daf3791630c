"""PostgreSQL from the `pgserver` wheel: make a cluster, run it on loopback, talk SQL to it.

Clusters here are throw-away: nothing is flushed to disk and loopback is trusted.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1

THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "32MB",
    "max_wal_size": "512MB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
}


class PostgresError(Exception):
    """PostgreSQL did not do what was asked; the text is its own."""


def unprivileged() -> dict[str, object]:
    """Arguments for `subprocess` that give up root, which PostgreSQL refuses to run as."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def give_away(path: Path) -> None:
    """Hand a folder to the user that PostgreSQL runs as."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for folder, _, files in os.walk(path):
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            for name in files:
                os.chown(Path(folder) / name, nobody.pw_uid, nobody.pw_gid)


def die_with_parent() -> None:
    """Run in a child before its program: a killed test run leaves no server behind (Linux).

    SIGINT is PostgreSQL's fast shutdown, and ends Letta as well.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _run(command: list[str], **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", **options)  # type: ignore[call-overload]
    if done.returncode:
        raise PostgresError(f"{Path(command[0]).name}: {done.stderr.strip() or done.stdout}")
    return done.stdout


def create_cluster(binaries: Path, folder: Path) -> None:
    """initdb, as the unprivileged user when we are root."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    give_away(folder)
    initdb = [str(binaries / "initdb"), "-D", str(folder), "-U", "letta", "--auth=trust"]
    _run([*initdb, "-E", "UTF8", "--locale=C", "--no-sync"], **unprivileged())
    with (folder / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in THROW_AWAY.items())


def copy_cluster(source: Path, target: Path) -> None:
    """A stopped cluster is plain files: a copy is a new cluster."""
    shutil.copytree(source, target, symlinks=True)
    target.chmod(0o700)
    give_away(target)


@dataclass
class Postgres:
    """A running cluster. The folder stays when it stops."""

    binaries: Path
    folder: Path
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(self.binaries / "postgres"), "-D", str(self.folder), "-p", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # type: ignore[call-overload]
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=die_with_parent,
                **unprivileged(),
            )
        self._wait_until_ready()

    def _wait_until_ready(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            with suppress(PostgresError):
                self.sql("postgres", "SELECT 1")
                return
            time.sleep(0.1)
        raise PostgresError(f"PostgreSQL did not start, see {self.log}")

    def uri(self, database: str, scheme: str = "postgresql") -> str:
        return f"{scheme}://letta:letta@127.0.0.1:{self.port}/{database}"

    def sql(self, database: str, statement: str) -> str:
        command = [str(self.binaries / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        return _run([*command, "-d", self.uri(database), "-c", statement]).strip()

    def stop(self) -> None:
        """Fast shutdown: SIGINT rolls back what runs and writes a clean checkpoint."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
