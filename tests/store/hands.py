"""A repository on disk, and people's hands on it: the git program, and files saved in the folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from reconciler.ports import Draft, Person
from reconciler.store.gitio import MAIN, GitRepo

ADA = Person("Ada", "ada@example.org")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Eva",
    "GIT_AUTHOR_EMAIL": "eva@example.org",
    "GIT_COMMITTER_NAME": "Eva",
    "GIT_COMMITTER_EMAIL": "eva@example.org",
}


def git(folder: Path, *words: str, fine: bool = True) -> str:
    """Run the git program there, and give what it printed."""
    command = ["git", "-C", str(folder), *words]
    done = subprocess.run(command, env=os.environ | _QUIET, capture_output=True, text=True, check=fine)
    return done.stdout + ("" if fine else done.stderr)


def init(folder: Path, *options: str) -> GitRepo:
    subprocess.run(["git", "init", "-q", "--initial-branch=main", "--template=", *options, str(folder)], check=True)
    return GitRepo(folder)


def add(repo: GitRepo, changes: Mapping[str, bytes | None], on: str | None = None) -> str:
    return repo.commit(Draft(on, (on,) if on else (), changes, ADA, "A change", NOW))


def advance(repo: GitRepo, changes: Mapping[str, bytes | None], name: str = MAIN) -> str:
    """A commit on top of a ref, moved there as the engine does."""
    old = repo.ref(name)
    new = add(repo, changes, old)
    assert repo.move(name, old, new)
    return new


def tree(repo: GitRepo, commit: str | None) -> Mapping[str, bytes]:
    assert commit is not None
    return {path: repo.read(blob) for path, blob in repo.files(commit).items()}


def status(folder: Path) -> set[str]:
    """What ``git status`` prints, line by line."""
    return set(git(folder, "status", "--porcelain", "--untracked-files=all").splitlines())


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do the work in a child process that is killed before its ``step``-th touch of the disk. False: it got through."""
    child = os.fork()
    if child == 0:
        _count_down(step)
        try:
            work()
        finally:
            os._exit(0)
    _, code = os.waitpid(child, 0)
    return os.WIFSIGNALED(code)


def _count_down(step: int) -> None:
    left = step

    def hook(event: str, _: tuple[object, ...]) -> None:
        nonlocal left
        if event == "open" or event.startswith(("os.", "shutil.", "fcntl.")):
            left -= 1
            if left == -1:  # not below: the kill itself is an event too
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
