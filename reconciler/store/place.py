"""Where the parts of a repository lie on disk: its folders, work trees included, and an open pygit2 handle.

Worked out from files, without opening the repository: a no-op pass asks ten thousand repositories for one ref each.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pygit2
from pygit2.enums import RepositoryOpenFlag

from reconciler.errors import ReconcilerError, Terminal, Transient

_OPEN = 16
_ID = re.compile(r"[0-9a-f]{40}")


def common_folder(path: Path) -> Path:
    """The folder that holds refs and objects, for a repository, a bare one, or a linked work tree at ``path``."""
    git = f"{path}/.git"
    if os.path.isdir(git):  # nearly always; whether it is sound, reading it will tell
        return Path(git)
    folder = _pointed_at(path) if os.path.isfile(git) else path
    if not (folder / "HEAD").is_file():
        raise Terminal(f"{path} is not a git repository: it has no HEAD")
    return folder.resolve()


def _pointed_at(path: Path) -> Path:
    """Where a ``.git`` that is a file says the repository is."""
    text = (path / ".git").read_text().strip()
    if not text.startswith("gitdir: "):
        raise Terminal(f"{path}/.git is damaged: it should say where the repository is")
    git = path / text.removeprefix("gitdir: ")
    common = git / "commondir"
    return git / common.read_text().strip() if common.is_file() else git


def desks(common: Path, ref: str) -> list[pygit2.Repository]:
    """The work trees that have a branch checked out: the main one, or linked ones (``git worktree``)."""
    if not ref.startswith("refs/heads/"):
        return []
    linked = sorted((common / "worktrees").glob("*")) if (common / "worktrees").is_dir() else []
    found = [_desk(common, git) for git in [common, *linked] if _head(git) == ref]
    return [desk for desk in found if desk is not None]


def _head(git: Path) -> str | None:
    try:
        text = (git / "HEAD").read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return text.removeprefix("ref:").strip() if text.startswith("ref:") else None


def _desk(common: Path, git: Path) -> pygit2.Repository | None:
    if git == common:
        opened = open_repository(common)
        return None if opened.is_bare else opened
    try:
        folder = Path((git / "gitdir").read_text().strip()).parent
    except FileNotFoundError:
        return None
    # A linked work tree may have been deleted without ``git worktree prune``: then nobody works there.
    return open_repository(folder) if (folder / ".git").is_file() else None


def open_repository(path: Path) -> pygit2.Repository:
    """The repository at exactly this path; the ones used last stay open."""
    with damage(path):
        return _open(str(path))


@lru_cache(maxsize=_OPEN)
def _open(path: str) -> pygit2.Repository:
    return pygit2.Repository(path, RepositoryOpenFlag.NO_SEARCH)


@contextmanager
def damage(where: Path) -> Generator[None, None, None]:
    """Turn what pygit2 raises on a missing or broken object into Terminal, naming the repository."""
    try:
        yield
    except KeyError as error:
        raise Terminal(f"{where}: there is no object {error.args[0]}; `git fsck` shows what is missing") from error
    except OSError as error:
        raise on_disk(where, error) from error
    except (pygit2.GitError, ValueError, TypeError) as error:
        raise Terminal(f"{where}: {error}; `git fsck` shows what is damaged") from error


def on_disk(where: Path, error: OSError) -> ReconcilerError:
    """Trouble of the disk: a full one, or too many open files, may be over later; the rest needs a person."""
    kind = Transient if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE) else Terminal
    return kind(f"{error.filename or where}: {error.strerror or error}")


def object_id(text: str) -> str:
    """The text where it is a whole object id; a ValueError otherwise, as an abbreviation can mean anything."""
    if not _ID.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is not an object id")
    return text
