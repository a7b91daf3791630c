"""New repositories, as small as git takes them: a tenth of the files that ``git init`` copies from its templates."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from reconciler.errors import Terminal
from reconciler.ports import Draft, Person
from reconciler.store.gitio import MAIN, GitRepo

_MAKING = ".making-"
_FOLDERS = ("objects/info", "objects/pack", "refs/heads")
_FILES: Final[Mapping[str, str]] = {
    "HEAD": f"ref: {MAIN}\n",
    # updateInstead: people may push to the branch that is checked out, as long as nothing uncommitted is in the way.
    "config": (
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n"
        "[receive]\n\tdenyCurrentBranch = updateInstead\n"
    ),
}


def make_repo(folder: Path) -> None:
    """An empty repository in a folder, which may hold files already. HEAD comes last: it makes it one."""
    git = folder / ".git"
    for name in _FOLDERS:
        (git / name).mkdir(parents=True, exist_ok=True)
    for name in ("config", "HEAD"):
        (git / name).write_text(_FILES[name])


def make_repo_at_once(folder: Path, files: Mapping[str, bytes], author: Person, message: str, when: datetime) -> None:
    """A repository with a first commit, which appears in one step or, where we are killed, not at all."""
    spare = folder.with_name(f"{_MAKING}{os.getpid()}-{folder.name}")
    shutil.rmtree(spare, ignore_errors=True)
    spare.mkdir(parents=True)
    try:
        make_repo(spare)
        repo = GitRepo(spare)
        first = repo.commit(Draft(None, (), files, author, message, when))
        repo.move(MAIN, None, first)
        _appear(spare, folder)
    finally:
        shutil.rmtree(spare, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what processes that died while making a repository left here: it may hold somebody's data."""
    for spare in folder.glob(f"{_MAKING}*"):
        pid = spare.name.removeprefix(_MAKING).partition("-")[0]
        if not Path("/proc", pid).exists():
            shutil.rmtree(spare, ignore_errors=True)


def _appear(spare: Path, folder: Path) -> None:
    try:
        # Only an empty folder gives way to this, so two processes cannot both make it.
        os.rename(spare, folder)
    except OSError as error:
        raise Terminal(f"{folder} exists already, and is not empty") from error
