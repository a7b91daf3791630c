"""A learner's repository once more, under another name of the same length: every object rewritten, nothing recomputed.

Thousands are made in the time the engine would take for hundreds.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import pygit2

from reconciler.store.gitio import MAIN
from reconciler.store.minimal import make_repo

_HEX = re.compile(rb"\b[0-9a-f]{40}\b")


@dataclass(frozen=True)
class _Original:
    """Every object, those it names first; every ref; the files of the work tree."""

    objects: list[tuple[bytes, str, bytes]]
    refs: dict[str, bytes]
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])


def copy_learner(users: Path, original: str, name: str) -> None:
    assert len(original) == len(name), "lengths are part of what is copied"
    found = _read(users / original)
    folder = users / name
    make_repo(folder)
    ids: dict[bytes, bytes] = {}

    def renamed(content: bytes) -> bytes:
        named = content.replace(original.encode(), name.encode())
        return _HEX.sub(lambda match: ids.get(match[0], match[0]), named)

    for old, kind, content in found.objects:
        written = _tree(content, ids) if kind == "tree" else renamed(content)
        ids[old] = _write(folder / ".git" / "objects", kind, written)
    for ref, commit in found.refs.items():
        path = folder / ".git" / ref
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ids[commit] + b"\n")
    _check_out(folder, {path: renamed(content) for path, content in found.files.items()})


@lru_cache(maxsize=1)
def _read(folder: Path) -> _Original:
    repo = pygit2.Repository(str(folder))
    refs = {name: str(repo.references[name].target).encode() for name in repo.references}
    order = sorted(refs, key=lambda name: (name != MAIN, "base" in name))
    objects: dict[bytes, tuple[bytes, str, bytes]] = {}
    for name in order:  # a base names commits of main in its text, so main comes first
        for each in _below(repo, refs[name].decode(), objects):
            objects[each[0]] = each
    head = repo[refs[MAIN].decode()].peel(pygit2.Tree)
    files = {path: repo[blob].data for path, blob in _blobs(head, "")}
    return _Original(list(objects.values()), refs, files)


def _below(
    repo: pygit2.Repository, found: str, known: dict[bytes, tuple[bytes, str, bytes]]
) -> Iterator[tuple[bytes, str, bytes]]:
    if found.encode() in known:
        return
    thing = repo[found]
    if isinstance(thing, pygit2.Commit):
        for below in (*thing.parent_ids, thing.tree_id):
            yield from _below(repo, str(below), known)
    elif isinstance(thing, pygit2.Tree):
        for entry in thing:
            yield from _below(repo, str(entry.id), known)
    yield found.encode(), thing.type_str, thing.read_raw()


def _blobs(tree: pygit2.Tree, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in tree:
        if isinstance(entry, pygit2.Tree):
            yield from _blobs(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", str(entry.id)


def _tree(content: bytes, ids: dict[bytes, bytes]) -> bytes:
    """A tree whose entries (`mode name NUL id`) point at the copies."""
    written, at = bytearray(), 0
    while at < len(content):
        end = content.index(b"\0", at) + 1
        old = content[end : end + 20].hex().encode()
        written += content[at:end] + bytes.fromhex(ids[old].decode())
        at = end + 20
    return bytes(written)


def _write(objects: Path, kind: str, content: bytes) -> bytes:
    whole = f"{kind} {len(content)}\0".encode() + content
    name = hashlib.sha1(whole).hexdigest()
    folder = f"{objects}/{name[:2]}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{name[2:]}", "wb") as file:
        file.write(zlib.compress(whole, 1))
    return name.encode()


def _check_out(folder: Path, files: dict[str, bytes]) -> None:
    index = pygit2.Index(str(folder / ".git" / "index"))
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        index.add(pygit2.IndexEntry(path, pygit2.hash(content), pygit2.enums.FileMode.BLOB))
    index.write()
