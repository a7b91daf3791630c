"""Install a real server into its own cached folder: `python -m tests.live.install letta|openwebui`.

Only pip is used. An install that finished is left alone; one that did not is begun again.
"""

import hashlib
import os
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.live import steps
from tests.live.install_openwebui import ensure_openwebui
from tests.live.layout import LETTA_VERSION, PGSERVER_VERSION, PINS, LettaHome, OpenWebUIHome, letta_home
from tests.live.postgres import Postgres, create_cluster
from tests.live.steps import InstallError, fresh_venv, locked, run, say

__all__ = ["InstallError", "binaries", "ensure_letta", "ensure_openwebui", "say", "template_cluster"]

LAYOUT = "1"  # raise it when what is installed changes in a way that the pins do not show


def expected_stamp() -> str:
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()
    return f"letta {LETTA_VERSION}, pgserver {PGSERVER_VERSION}, pins {pins}, layout {LAYOUT}\n"


def is_installed(home: LettaHome) -> bool:
    return home.stamp.is_file() and home.stamp.read_text() == expected_stamp() and template_cluster(home).is_dir()


def binaries(home: LettaHome) -> Path:
    return home.postgres / "pgserver" / "pgserver" / "pginstall" / "bin"


def template_cluster(home: LettaHome) -> Path:
    """A stopped cluster with the migrated database `letta`, to be copied by each server."""
    return home.postgres / "template"


def pip(home: LettaHome, *arguments: str) -> None:
    steps.pip(home.python, home.root, *arguments)


def install_packages(home: LettaHome) -> None:
    fresh_venv(home.root / "venv")
    say("installing the pinned packages (a minute or two)")
    pip(home, "install", "--quiet", "--no-deps", "-r", str(PINS))
    say(f"installing letta {LETTA_VERSION}")
    pip(home, "install", "--quiet", "--no-deps", f"letta=={LETTA_VERSION}")


def install_postgres(home: LettaHome) -> None:
    say(f"installing PostgreSQL (pgserver {PGSERVER_VERSION})")
    shutil.rmtree(home.postgres, ignore_errors=True)
    home.postgres.mkdir(parents=True)
    target = str(home.postgres / "pgserver")
    wheel = f"pgserver=={PGSERVER_VERSION}"
    pip(home, "install", "--quiet", "--no-deps", "--target", target, wheel)


def unpack_migrations(home: LettaHome) -> None:
    """The wheel has no migrations: they come only with the source distribution."""
    say("fetching the database migrations")
    source = f"letta=={LETTA_VERSION}"
    with tempfile.TemporaryDirectory(dir=home.root) as folder:
        pip(home, "download", "--quiet", "--no-deps", "--no-binary", "letta", "-d", folder, source)
        (archive,) = Path(folder).glob("letta-*.tar.gz")
        with tarfile.open(archive) as packed:
            # Python before 3.11.4 has no filters.
            packed.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        unpacked = Path(folder) / archive.name.removesuffix(".tar.gz")
        shutil.rmtree(home.migrations, ignore_errors=True)
        home.migrations.mkdir()
        shutil.move(unpacked / "alembic", home.migrations / "alembic")
        shutil.move(unpacked / "alembic.ini", home.migrations / "alembic.ini")


def migrate_template(home: LettaHome) -> None:
    say("migrating the template database")
    home.logs.mkdir(exist_ok=True)
    create_cluster(binaries(home), template_cluster(home))
    postgres = Postgres(binaries(home), template_cluster(home), home.logs / "template.log")
    postgres.start()
    try:
        postgres.sql("postgres", "CREATE DATABASE letta")
        postgres.sql("letta", "CREATE EXTENSION IF NOT EXISTS vector")
        env = os.environ | {"LETTA_PG_URI": postgres.uri("letta"), "HOME": str(home.root)}
        alembic = [str(home.python), "-m", "alembic", "upgrade", "head"]
        run(alembic, home.migrations, env)
    finally:
        postgres.stop()


def ensure_letta() -> LettaHome:
    """The installed Letta, installing it first if need be."""
    home = letta_home()
    with locked(home.root.with_name(f"{home.root.name}.lock")):
        if is_installed(home):
            return home
        began = time.monotonic()
        say(f"installing Letta {LETTA_VERSION} into {home.root}")
        home.root.mkdir(parents=True, exist_ok=True)
        home.stamp.unlink(missing_ok=True)
        install_packages(home)
        install_postgres(home)
        unpack_migrations(home)
        migrate_template(home)
        home.stamp.write_text(expected_stamp())
        say(f"installed in {time.monotonic() - began:.0f} s")
        return home


RECIPES: dict[str, Callable[[], LettaHome | OpenWebUIHome]] = {"letta": ensure_letta, "openwebui": ensure_openwebui}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in RECIPES:
        print(f"usage: python -m tests.live.install {'|'.join(RECIPES)}", file=sys.stderr)
        return 2
    try:
        home = RECIPES[arguments[0]]()
    except InstallError as error:
        print(f"[live] install failed: {error}", file=sys.stderr)
        return 1
    say(f"ready: {home.root}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
