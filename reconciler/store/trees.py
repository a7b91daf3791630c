"""Trees, read as flat listings and written from changes. Links and submodules are seen and never followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import pygit2
from pygit2.enums import FileMode

from reconciler.errors import Terminal
from reconciler.store.cache import Cache
from reconciler.store.paths import path_problem

_REGULAR = (FileMode.BLOB, FileMode.BLOB_EXECUTABLE, 0o100664)
_KEPT_ENTRIES = 200_000


@dataclass(frozen=True)
class Listing:
    """Every path below a tree: blob ids of regular files, and the names of what is not one of ours."""

    files: Mapping[str, str]
    odd: tuple[str, ...]


_EMPTY = Listing(MappingProxyType({}), ())
_listings: Cache[Listing] = Cache(_KEPT_ENTRIES, lambda listing: 1 + len(listing.files) + len(listing.odd))


def list_tree(tree: pygit2.Tree | None) -> Listing:
    """The listing of a tree; the same tree is walked once, in whichever repository."""
    if tree is None:
        return _EMPTY
    key = str(tree.id)
    found = _listings.get(key)
    if found is None:
        found = _walk(tree)
        _listings.put(key, found)
    return found


def _walk(tree: pygit2.Tree) -> Listing:
    entries = list(_entries(tree, ""))
    files = {path: blob for path, blob in entries if blob is not None}
    return Listing(MappingProxyType(files), tuple(path for path, blob in entries if blob is None))


def _entries(tree: pygit2.Tree, prefix: str) -> Iterator[tuple[str, str | None]]:
    for entry in tree:
        path = f"{prefix}{entry.name}"
        if isinstance(entry, pygit2.Tree):
            yield from _entries(entry, f"{path}/")
        elif entry.filemode in _REGULAR and not path_problem(path):  # one we would never write, we never read
            yield path, str(entry.id)
        else:
            yield path, None


def subtree(tree: pygit2.Tree, prefix: str) -> pygit2.Tree | None:
    """The folder of a tree that ours is, None where it is not there (yet)."""
    if not prefix:
        return tree
    if prefix not in tree:
        return None
    found = tree[prefix]
    if not isinstance(found, pygit2.Tree):
        raise Terminal(f"{prefix} is not a folder in git, but a file or a link")
    return found


Plan: TypeAlias = "dict[str, tuple[Leaf | None, Plan]]"


@dataclass(frozen=True)
class Leaf:
    """What becomes of one file; ``content`` None deletes it."""

    path: str
    content: bytes | None


def write_tree(repo: pygit2.Repository, onto: pygit2.Tree | None, changes: Mapping[str, bytes | None]) -> pygit2.Oid:
    """A tree with the changes applied. Only the folders on the way to a change are written again."""
    written = _write(repo, onto, _plan(changes))
    return written or repo.TreeBuilder().write()


def _plan(changes: Mapping[str, bytes | None]) -> Plan:
    root: Plan = {}
    for path, content in changes.items():
        *folders, name = path.split("/")
        level = root
        for folder in folders:
            level = level.setdefault(folder, (None, {}))[1]
        level[name] = (Leaf(path, content), level.get(name, (None, {}))[1])
    return root


def _write(repo: pygit2.Repository, onto: pygit2.Tree | None, plan: Plan) -> pygit2.Oid | None:
    """The id of the tree; None where nothing is left in it."""
    builder = repo.TreeBuilder(onto) if onto is not None else repo.TreeBuilder()
    for name, (leaf, below) in plan.items():
        # In this order a file can give way to a folder within one commit, and a folder to a file.
        if leaf is not None and leaf.content is None:
            _delete(builder, name, leaf)
        if below:
            _descend(repo, builder, name, below)
        if leaf is not None and leaf.content is not None:
            _insert(repo, builder, name, leaf)
    return builder.write() if len(builder) else None


def _existing(builder: pygit2.TreeBuilder, name: str) -> pygit2.Object | None:
    return builder.get(name)


def _delete(builder: pygit2.TreeBuilder, name: str, leaf: Leaf) -> None:
    found = _existing(builder, name)
    if found is None or isinstance(found, pygit2.Tree):
        return
    _check_regular(found, leaf.path)
    builder.remove(name)


def _descend(repo: pygit2.Repository, builder: pygit2.TreeBuilder, name: str, below: Plan) -> None:
    found = _existing(builder, name)
    if found is not None and not isinstance(found, pygit2.Tree):
        if blocked := _first_write(below):
            raise Terminal(f"{blocked} cannot be written: {name} is not a folder in git, but a file or a link")
        return
    written = _write(repo, found, below)
    if written is not None:
        builder.insert(name, written, FileMode.TREE)
    elif found is not None:
        builder.remove(name)


def _insert(repo: pygit2.Repository, builder: pygit2.TreeBuilder, name: str, leaf: Leaf) -> None:
    found = _existing(builder, name)
    if isinstance(found, pygit2.Tree):
        raise Terminal(f"{leaf.path} cannot be written as a file: it is a folder in git")
    if found is not None:
        _check_regular(found, leaf.path)
    mode = found.filemode if found is not None else FileMode.BLOB
    builder.insert(name, repo.create_blob(leaf.content or b""), mode)


def _check_regular(found: pygit2.Object, path: str) -> None:
    if found.filemode not in _REGULAR:
        raise Terminal(f"{path} is a symbolic link or a submodule in git, which is never followed nor replaced")


def _first_write(plan: Plan) -> str | None:
    for leaf, below in plan.values():
        if leaf is not None and leaf.content is not None:
            return leaf.path
        if found := _first_write(below):
            return found
    return None
