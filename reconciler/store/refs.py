"""Refs as files: reading one in a few microseconds, and writing one under git's own lock.

pygit2 can do both, but opens the repository first, and has no compare-and-set that leaves a lock we can recognise
after a crash.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import pygit2

from reconciler.errors import Terminal
from reconciler.store.flush import flush, flush_folder
from reconciler.store.place import object_id

_LINKS = 5


class Refs:
    """The refs of one repository. ``common``: the folder that holds them."""

    def __init__(self, common: Path) -> None:
        self._common = str(common)
        self._packed: dict[str, str] = {}
        self._packed_stamp: tuple[int, int, int] | None = None

    def read(self, name: str) -> str | None:
        """The commit of a ref, through symbolic ones; None where it does not exist."""
        for _ in range(_LINKS):
            found = self._read_one(name)
            if found is None or not found.startswith("ref:"):
                return found
            name = found.removeprefix("ref:").strip()
        raise self._damaged(name, "it is a chain of symbolic refs")

    def _read_one(self, name: str) -> str | None:
        text = self._read_loose(name)
        if text is None:
            # Looked up only now, which is the safe order: packing writes the packed file before it removes loose ones.
            return self._read_packed(name)
        if text.startswith("ref:"):
            return text
        try:
            return object_id(text.rstrip())
        except ValueError as error:
            raise self._damaged(name, f"it holds {text[:60]!r}") from error

    def _read_loose(self, name: str) -> str | None:
        _check_name(name)
        try:
            file = os.open(f"{self._common}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            return os.read(file, 1024).decode(errors="replace")
        except IsADirectoryError:
            return None
        finally:
            os.close(file)

    def _read_packed(self, name: str) -> str | None:
        try:
            about = os.stat(f"{self._common}/packed-refs")
        except FileNotFoundError:
            self._check_alive()
            return None
        stamp = (about.st_mtime_ns, about.st_size, about.st_ino)
        if stamp != self._packed_stamp:
            self._packed, self._packed_stamp = self._load_packed(), stamp
        return self._packed.get(name)

    def _load_packed(self) -> dict[str, str]:
        text = Path(self._common, "packed-refs").read_text(errors="replace")
        lines = (line.split(" ", 1) for line in text.splitlines() if line and line[0] not in "#^")
        try:
            return {name: object_id(commit) for commit, name in lines}
        except ValueError as error:
            raise self._damaged("packed-refs", str(error)) from error

    def _check_alive(self) -> None:
        """A repository that went away, or keeps refs in another way, must not look like one without commits."""
        if not os.path.exists(f"{self._common}/HEAD"):
            raise Terminal(f"{self._common} is not a git repository any more: it has no HEAD")
        if not os.path.isdir(f"{self._common}/refs"):
            raise Terminal(f"{self._common} does not keep its refs as files; `git refs migrate --ref-format=files`")

    def _damaged(self, name: str, why: str) -> Terminal:
        return Terminal(f"{self._common}/{name} is damaged: {why}; `git reflog` shows where it was")

    def write(self, name: str, commit: str) -> None:
        """Point a ref at a commit, at once. The caller holds its lock."""
        target = f"{self._common}/{name}"
        made = f"{self._common}/reconciler-ref"
        with open(made, "w") as file:
            file.write(f"{commit}\n")
            file.flush()
            flush(file.fileno())
        try:
            os.replace(made, target)
        except IsADirectoryError:
            _remove_empty_folders(target)
            os.replace(made, target)
        flush_folder(os.path.dirname(target))

    def log_path(self, name: str) -> Path:
        """Where git logs the moves of a ref."""
        return Path(self._common, "logs", name)

    def lock_path(self, name: str) -> Path:
        """Where git locks a ref; the folder is there afterwards."""
        _check_name(name)
        path = Path(f"{self._common}/{name}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise Terminal(f"the ref {name} cannot be made: a part of its name is a ref itself") from error
        return path


@lru_cache(maxsize=1000)
def _check_name(name: str) -> None:
    if not name.startswith("refs/") or not pygit2.reference_is_valid_name(name):
        raise Terminal(f"{name!r} is not the full name of a ref")


def _remove_empty_folders(path: str) -> None:
    """Make way for a ref where only empty folders of former refs are left; raises OSError where there is more."""
    for folder, _, _ in os.walk(path, topdown=False):
        os.rmdir(folder)
