"""Which paths may stand in a tree of ours: those that every checkout, on any file system, keeps inside its folder."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from reconciler.errors import Terminal

_MAX_COMPONENT = 255
_MAX_PATH = 1000
# "git~1" is what an NTFS disk calls a folder ".git" for old programs; a trailing dot or blank is dropped there, and
# ":" starts a stream of the same file. See protect_ntfs and protect_hfs in git's path.c and utf8.c.
_GIT_FOLDER = re.compile(r"(\.git|git~\d+)[ .]*(:.*)?", re.IGNORECASE | re.DOTALL)


def check_paths(paths: Iterable[str]) -> None:
    """Raise Terminal for the first path that could leave its folder, reach ``.git`` or start a flag."""
    for path in paths:
        if problem := path_problem(path):
            raise Terminal(f"the path {path[:200]!r} cannot be stored in git: {problem}")


@lru_cache(maxsize=10_000)
def path_problem(path: str) -> str | None:
    """Why a path may not be written; None where it may."""
    if not path:
        return "it is empty"
    if len(path) > _MAX_PATH:
        return f"it is longer than {_MAX_PATH} characters"
    problems = (_component_problem(part) for part in path.split("/"))
    return next((problem for problem in problems if problem), None)


def leaves_its_folder(path: str) -> bool:
    """Whether a path from somebody else's tree must not even be checked out."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or _is_git_folder(part) for part in parts):
        return True
    return any(c == "\0" or unicodedata.category(c) == "Cs" for c in path)  # surrogates: not UTF-8 in git


def _component_problem(part: str) -> str | None:
    if part in ("", ".", ".."):
        return "it is absolute, or has an empty, '.' or '..' part"
    if part.startswith("-"):
        return "a part starts with '-', which programs take for an option"
    if "\\" in part or any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in part):
        return "a part holds a backslash, a control character or a line break"
    if len(part.encode()) > _MAX_COMPONENT:
        return f"a part is longer than {_MAX_COMPONENT} bytes"
    return "a part means git's own folder" if _is_git_folder(part) else None


def _is_git_folder(part: str) -> bool:
    # HFS+ ignores code points of format (zero-width joiners and marks) when it compares names.
    visible = "".join(c for c in part if unicodedata.category(c) != "Cf")
    return _GIT_FOLDER.fullmatch(unicodedata.normalize("NFKC", visible)) is not None
