"""Locks that a killed process cannot leave in anybody's way.

Two kinds meet here. Among ourselves: ``flock``, which ends with its holder. Towards git: its own ``*.lock`` files,
which do not; ours are hard links to a marked file, so that they are born with the mark in them, and whoever holds the
``flock`` knows that a marked one belongs to a process that died.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import Transient

_PATIENCE_SECONDS = 5.0
_STEP_SECONDS = 0.005
MARK = b"reconciler-lock\n"


@contextmanager
def sole_writer(folder: Path) -> Generator[None, None, None]:
    """Be the only one of our processes and threads that writes in this repository."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _wait_for(handle, folder)
        yield
    finally:
        os.close(handle)


def _wait_for(handle: int, folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not try_lock(handle):
        if time.monotonic() > deadline:
            raise Transient(f"{folder} is being written by another reconciler process; it is tried again later")
        time.sleep(_STEP_SECONDS)


def try_lock(handle: int) -> bool:
    """Take the ``flock`` of an open file; False where somebody else has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def take(locks: Sequence[Path], marked: Path) -> None:
    """Take git's lock files, all or none, as links to the ``marked`` file. The caller is the sole writer.

    One that is marked already was left by a process that died; it is taken over.
    """
    taken: list[Path] = []
    for lock in locks:
        try:
            os.link(marked, lock)
            taken.append(lock)
        except FileExistsError:
            if not is_own(lock):
                release(taken)
                raise _locked(lock) from None


def release(locks: Sequence[Path]) -> None:
    """Give the locks back, the last one first."""
    for lock in reversed(locks):
        lock.unlink(missing_ok=True)


def is_own(lock: Path) -> bool:
    """Whether a lock file is one of ours."""
    try:
        return lock.read_bytes().startswith(MARK)
    except FileNotFoundError:
        return False


def _locked(lock: Path) -> Transient:
    return Transient(f"{lock.with_suffix('')} is locked by another git process; if none runs, remove {lock}")
