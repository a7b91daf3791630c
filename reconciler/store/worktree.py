"""Bringing a work tree and its index along when the branch they show moves, without touching anybody's edits.

A path is clean where file and index both hold what the old commit had. Clean paths follow. Elsewhere the file stays;
the index follows where it held the old version, as it would otherwise look like a staged return to it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pygit2
from pygit2.enums import DiffOption, FileMode, FileStatus

from reconciler.errors import Terminal
from reconciler.store.disk import Disk, Found
from reconciler.store.paths import leaves_its_folder

Entry: TypeAlias = "tuple[str, int] | None"
"""Blob id and mode of a path in a tree or an index; None where it is not there."""
_NO_ID = "0" * 40


@dataclass(frozen=True)
class Delta:
    """What a move does to one path."""

    path: str
    old: Entry
    new: Entry


def deltas(repo: pygit2.Repository, old: str | None, new: str) -> Sequence[Delta]:
    """What differs between two commits, deletions first: a folder may have to go for a file to come."""
    target = _tree(repo, new)
    flags = DiffOption.INCLUDE_TYPECHANGE
    diff = _tree(repo, old).diff_to_tree(target, flags) if old else target.diff_to_tree(flags=flags, swap=True)
    found = [
        Delta(delta.new_file.path, _entry(delta.old_file), _entry(delta.new_file))
        for delta in diff.deltas
        if delta.old_file.mode != delta.new_file.mode or delta.old_file.id != delta.new_file.id
    ]
    for delta in found:
        if leaves_its_folder(delta.path):
            raise Terminal(f"{repo.path}: commit {new} holds the path {delta.path!r}, which cannot be checked out")
    return sorted(found, key=lambda delta: (delta.new is not None, delta.path))


def _tree(repo: pygit2.Repository, commit: str) -> pygit2.Tree:
    return repo[commit].peel(pygit2.Tree)


def _entry(file: pygit2.DiffFile) -> Entry:
    return None if str(file.id) == _NO_ID else (str(file.id), int(file.mode))


class Desk:
    """One work tree with its index."""

    def __init__(self, repo: pygit2.Repository) -> None:
        self._repo = repo
        self._git = Path(repo.path)
        self._disk = Disk(Path(repo.workdir), self._git / "reconciler-file")

    @property
    def index_lock(self) -> Path:
        """Where git locks the index."""
        return self._git / "index.lock"

    @property
    def head_log(self) -> Path:
        """Where git logs the moves of HEAD."""
        return self._git / "logs" / "HEAD"

    def check(self, changes: Sequence[Delta]) -> None:
        """Raise, before anything is touched, where the index is damaged or a file would be written through a link."""
        pygit2.Index(str(self._git / "index"))
        gone = {delta.path for delta in changes if delta.new is None}
        for delta in changes:
            link = self._disk.link_on_the_way(delta.path) if delta.new else None
            if link and link not in gone:
                raise Terminal(
                    f"{self._repo.workdir}{link} is a symbolic link to a folder, and {delta.path} would be written "
                    "through it; put a real folder there"
                )

    def follow(self, changes: Sequence[Delta]) -> None:
        """Bring files and index along. The caller holds the lock of the index.

        It may be cut off anywhere and done again: a path that is already there is seen to be.
        """
        index, spare = self._copy_index()
        for delta in changes:
            staged = _staged(index, delta.path)
            found = self._disk.look(delta.path)
            if staged in (delta.old, delta.new) and self._holds(delta.path, delta.old, found):
                self._replace(delta, found)
            if staged == delta.old:
                _stage(index, delta)
        index.write()
        os.replace(spare, self._git / "index")

    def dirty(self, moving: Sequence[Delta]) -> Iterator[str]:
        """Paths with edits of somebody's. ``moving``: a move that was cut off, whose half-done work is nobody's."""
        ours = {delta.path: delta for delta in moving}
        ignored = FileStatus.CURRENT | FileStatus.IGNORED
        index = self._repo.index if ours else None
        for path, status in self._repo.status(untracked_files="all").items():
            if status & ~ignored and not (index and path in ours and self._is_ours(ours[path], index)):
                yield path

    def _is_ours(self, delta: Delta, index: pygit2.Index) -> bool:
        found = self._disk.look(delta.path)
        held = any(self._holds(delta.path, entry, found) for entry in (delta.old, delta.new))
        return held and _staged(index, delta.path) in (delta.old, delta.new)

    def _replace(self, delta: Delta, found: Found) -> None:
        if delta.new is None:
            self._disk.remove(delta.path, found)
        elif delta.new[1] != FileMode.COMMIT:
            content = self._repo[delta.new[0]].read_raw()
            self._disk.write(delta.path, content, delta.new[1], found)

    def _holds(self, path: str, entry: Entry, found: Found) -> bool:
        """Whether what was found on disk is this entry."""
        if entry is None:
            return found.kind in ("none", "folder")  # a folder is no file, and never overwritten by one
        kind = "link" if entry[1] == FileMode.LINK else "file"
        if entry[1] == FileMode.COMMIT or found.kind != kind:
            return False
        return str(pygit2.hash(found.content)) == entry[0] or self._is_filtered(path, entry)

    def _is_filtered(self, path: str, entry: Entry) -> bool:
        """Whether git calls the file unchanged though its bytes differ: line ends, by ``autocrlf`` or attributes."""
        index = self._repo.index
        index.read(False)
        return _staged(index, path) == entry and self._repo.status_file(path) == FileStatus.CURRENT

    def _copy_index(self) -> tuple[pygit2.Index, Path]:
        """A copy of the index to work on. It replaces the real one by renaming, so nobody ever reads half of one."""
        spare = self._git / "reconciler-index"
        for left in (spare, spare.with_suffix(".lock")):
            left.unlink(missing_ok=True)
        if (self._git / "index").exists():
            shutil.copyfile(self._git / "index", spare)
        return pygit2.Index(str(spare)), spare


def _staged(index: pygit2.Index, path: str) -> Entry:
    try:
        entry = index[path]
    except KeyError:
        return None
    return str(entry.id), int(entry.mode)


def _stage(index: pygit2.Index, delta: Delta) -> None:
    if delta.new is None:
        index.remove(delta.path)
    else:
        index.add(pygit2.IndexEntry(delta.path, pygit2.Oid(hex=delta.new[0]), FileMode(delta.new[1])))
