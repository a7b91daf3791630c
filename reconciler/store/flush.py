"""Whether what is written into repositories is on the disk before the call that wrote it returns.

It is so for the whole process or not at all, as libgit2 has it. An object is flushed before the ref that names it.
"""

from __future__ import annotations

import os

import pygit2

_flushing = False


def flush_writes(on: bool) -> None:
    """From now on flush what libgit2 writes, and what we write; or leave the moment to the system."""
    global _flushing
    _flushing = on
    pygit2.settings.enable_fsync_gitdir(on)


def flush(file: int) -> None:
    """Flush an open file of ours."""
    if _flushing:
        os.fsync(file)


def flush_folder(path: str) -> None:
    """Flush the names of a folder's files, after one was made or replaced."""
    if _flushing:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
