"""Whose turn it is to write, and who the loop is. A pass that only reads asks for neither.

The loop holds ``GitWorkspace.lock`` for its life, and the turn for each pass, so a person's ``--once --apply`` gets
its turn beside it. Both end with their process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.errors import Transient

_STEP_SECONDS = 0.05
_LOOP, _TURN = "lock", "turn"


@contextmanager
def a_turn_to_write(workspace: Path, patience_seconds: float = 60.0) -> Generator[None, None, None]:
    """Be the only process that applies in this workspace; Transient where another takes too long."""
    (workspace / "state").mkdir(parents=True, exist_ok=True)
    with _open(workspace / "state" / _TURN, os.O_RDWR | os.O_CREAT) as handle:
        until = time.monotonic() + patience_seconds
        while not _locked(handle, fcntl.LOCK_EX):
            if time.monotonic() >= until:
                raise Transient(f"process {_pid(handle)} is applying in {workspace}; try again when it is done")
            time.sleep(_STEP_SECONDS)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield


def loop_pid(workspace: Path) -> int | None:
    """The process that is the workspace's loop now; None where there is none.

    The lock is only tried where its holder seems alive, so that asking never keeps a loop from starting.
    """
    with suppress(FileNotFoundError), _open(workspace / "state" / _LOOP, os.O_RDONLY) as handle:
        pid = _pid(handle)
        return pid if _is_alive(pid) and not _locked(handle, fcntl.LOCK_SH) else None
    return None


@contextmanager
def _open(path: Path, flags: int) -> Generator[int, None, None]:
    handle = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def _locked(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(handle: int) -> int:
    """Who signed; 0 in the instant between taking and signing."""
    text = os.pread(handle, 32, 0).strip()
    return int(text) if text.isdigit() else 0


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != 0
