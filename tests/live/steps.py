"""The steps every install is made of: one at a time, said aloud, and loud when one fails."""

import fcntl
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InstallError(Exception):
    """A step failed; the text is the end of what it printed."""


def say(text: str) -> None:
    print(f"[live] {time.strftime('%H:%M:%S')} {text}", flush=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another install is running, waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run(command: list[str], cwd: Path, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, env=env, text=True, capture_output=True)
    if done.returncode:
        shown = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise InstallError(f"{' '.join(command)}\nended with {done.returncode}:\n{shown}")


def fresh_venv(folder: Path) -> None:
    say("making a venv")
    venv.create(folder, with_pip=True, clear=True)


def pip(python: Path, cwd: Path, *arguments: str) -> None:
    run([str(python), "-m", "pip", "--disable-pip-version-check", *arguments], cwd)
