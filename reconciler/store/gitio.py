"""A git repository, or one folder of a larger one, as the engine needs it: fast, and never through the index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path

import pygit2
from pygit2.enums import SortMode

from reconciler.errors import Terminal
from reconciler.ports import Commit, Draft, Person
from reconciler.store.cache import Cache
from reconciler.store.moves import Move, Mover
from reconciler.store.paths import check_paths
from reconciler.store.people import RECONCILER, clean_message, person
from reconciler.store.place import common_folder, damage, object_id, on_disk, open_repository
from reconciler.store.refs import Refs
from reconciler.store.trees import Listing, list_tree, subtree, write_tree

MAIN = "refs/heads/main"
MAX_BLOB = 32_000_000
"""Most bytes of one file. Documents have narrower limits of their own; a question holds every side of one, escaped."""
_KEPT_BYTES = 32_000_000
_LAST_SECOND = 253_402_300_799

_blobs: Cache[bytes] = Cache(_KEPT_BYTES, lambda content: 100 + len(content))


class GitRepo:
    """A ``Repo`` in git. Nothing is opened before it is needed, and a ref is read without opening anything.

    path: the repository. prefix: the folder of it that is ours, where not all of it is. identity: our committer.
    """

    def __init__(self, path: Path, prefix: str = "", identity: Person = RECONCILER) -> None:
        if prefix:
            check_paths([prefix])
        self.path = path
        self._prefix = prefix
        self._identity = person(identity.name, identity.email)

    @property
    def folder(self) -> Path:
        """Where our files are in the work tree."""
        return self.path / self._prefix

    @cached_property
    def _common(self) -> Path:
        return common_folder(self.path)

    @cached_property
    def _refs(self) -> Refs:
        return Refs(self._common)

    @cached_property
    def _mover(self) -> Mover:
        return Mover(self._common, self._refs, self._identity)

    @property
    def _git(self) -> pygit2.Repository:
        return open_repository(self._common)

    def ref(self, name: str) -> str | None:
        try:
            return self._refs.read(name)
        except OSError as error:
            raise on_disk(self.path, error) from error

    def move(self, name: str, old: str | None, new: str) -> bool:
        commit = self.info(new)
        why = f"reconciler: {commit.message.partition(chr(10))[0]}"
        with damage(self.path):
            return self._mover.move(Move(name, old, new, why, _now()))

    def heal(self) -> bool:
        """Finish what a process that was killed left half done; True where there was something. Cheap otherwise."""
        with damage(self.path):
            return self._mover.heal()

    def files(self, commit: str) -> Mapping[str, str]:
        return self._listing(commit).files

    def odd(self, commit: str) -> Sequence[str]:
        return self._listing(commit).odd

    def read(self, blob: str) -> bytes:
        found = _blobs.get(blob)
        if found is not None:
            return found
        with damage(self.path):
            kind, size = self._git.odb.read_header(object_id(blob))
            self._check_size(size, blob)
            if kind != pygit2.enums.ObjectType.BLOB:
                raise ValueError(f"{blob} is not a blob")
            content = self._git[blob].read_raw()
        _blobs.put(blob, content)
        return content

    def size(self, blob: str) -> int:
        """How many bytes a blob has, without reading it."""
        with damage(self.path):
            return self._git.odb.read_header(object_id(blob))[1]

    def commit(self, draft: Draft) -> str:
        check_paths(draft.changes)
        for path, content in draft.changes.items():
            if content is not None and len(content) > MAX_BLOB:
                raise Terminal(f"{path} would have {len(content)} bytes; at most {MAX_BLOB} are kept in git")
        with damage(self.path):
            onto = self._commit(draft.onto).tree if draft.onto else None
            parents = [self._commit(parent).id for parent in draft.parents]
            tree = write_tree(self._git, onto, {self._whole(path): text for path, text in draft.changes.items()})
            return str(self._write(draft, tree, parents))

    def _write(self, draft: Draft, tree: pygit2.Oid, parents: Sequence[pygit2.Oid]) -> pygit2.Oid:
        # The committer's date is the draft's too: the same draft is the same commit, also after a crash.
        when = int(draft.when.timestamp())
        author = person(draft.author.name, draft.author.email)
        return self._git.create_commit(
            None,
            pygit2.Signature(author.name, author.email, when, 0, "utf-8"),
            pygit2.Signature(self._identity.name, self._identity.email, when, 0, "utf-8"),
            clean_message(draft.message) + "\n",
            tree,
            list(parents),
        )

    def info(self, commit: str) -> Commit:
        with damage(self.path):
            return _info(self._commit(commit))

    def log(self, new: str, old: str | None = None, limit: int = 10_000) -> Sequence[Commit]:
        with damage(self.path):
            walker = self._git.walk(self._commit(new).id, SortMode.TOPOLOGICAL)
            if old is not None:
                walker.hide(self._commit(old).id)
            return [_info(commit) for commit in islice(walker, limit)][::-1]

    def is_ancestor(self, old: str, new: str) -> bool:
        with damage(self.path):
            ancestor, commit = self._commit(old).id, self._commit(new).id
            return ancestor == commit or self._git.descendant_of(commit, ancestor)

    def dirty(self) -> frozenset[str]:
        with damage(self.path):
            moving = self._mover.interrupted(MAIN)
            found = {path for desk in self._mover.desks(MAIN) for path in desk.dirty(moving)}
        start = self._whole("")
        return frozenset(path.removeprefix(start) for path in found if path.startswith(start))

    def _listing(self, commit: str) -> Listing:
        with damage(self.path):
            return list_tree(subtree(self._commit(commit).tree, self._prefix))

    def _commit(self, commit: str) -> pygit2.Commit:
        return self._git[object_id(commit)].peel(pygit2.Commit)

    def _whole(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path

    def _check_size(self, size: int, blob: str) -> None:
        if size <= MAX_BLOB:
            return
        main = self.ref(MAIN)
        named = [path for path, found in self.files(main).items() if found == blob] if main else []
        raise Terminal(f"{self.path}: {(*named, blob)[0]} has {size} bytes; at most {MAX_BLOB} are read from git")


def _info(commit: pygit2.Commit) -> Commit:
    author = commit.author
    return Commit(
        id=str(commit.id),
        parents=tuple(map(str, commit.parent_ids)),
        author=person(author.raw_name.decode(errors="replace"), author.raw_email.decode(errors="replace")),
        when=datetime.fromtimestamp(min(max(author.time, 0), _LAST_SECOND), UTC),
        message=commit.raw_message.decode(errors="replace").strip("\n"),
    )


def _now() -> int:
    # Only for git's log of where a ref has been; nothing is decided by it.
    return int(datetime.now(UTC).timestamp())
