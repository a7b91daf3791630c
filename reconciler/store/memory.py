"""A repository and a workspace that are nothing but dictionaries: git's promises, a hundred times faster.

Ids are hashes of content, as in git, so a run is reproducible to the last byte. It is a twin of ``store.gitio``:
one contract suite holds for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha1
from types import MappingProxyType

from reconciler.core.snapshot import Scope
from reconciler.errors import Terminal
from reconciler.manifest.names import check_user_id
from reconciler.ports import Commit, Draft, Person
from reconciler.store.paths import check_paths
from reconciler.store.people import clean_message, person

_MAIN = "refs/heads/main"


@dataclass(frozen=True)
class _Made:
    """A commit with its tree. ``order`` grows with time, so parents always come before their children."""

    info: Commit
    tree: Mapping[str, str]
    order: int


class MemoryRepo:
    """A ``Repo`` in memory, with a work tree of which only the uncommitted edits are kept."""

    def __init__(self) -> None:
        self._refs: dict[str, str] = {}
        self._blobs: dict[str, bytes] = {}
        self._commits: dict[str, _Made] = {}
        self._edits: dict[str, bytes | None] = {}

    def ref(self, name: str) -> str | None:
        return self._refs.get(name)

    @property
    def refs(self) -> Mapping[str, str]:
        """Every ref, for those who ask what is still reachable."""
        return MappingProxyType(self._refs)

    def move(self, name: str, old: str | None, new: str) -> bool:
        self._found(new)
        if self._refs.get(name) != old:
            return False
        self._drop_clean_edits()
        self._refs[name] = new
        self._drop_clean_edits()
        return True

    def files(self, commit: str) -> Mapping[str, str]:
        return self._found(commit).tree

    def odd(self, commit: str) -> Sequence[str]:
        self._found(commit)
        return ()

    def read(self, blob: str) -> bytes:
        try:
            return self._blobs[blob]
        except KeyError:
            raise Terminal(f"there is no blob {blob}") from None

    def commit(self, draft: Draft) -> str:
        check_paths(draft.changes)
        for parent in draft.parents:
            self._found(parent)
        tree = dict(self._found(draft.onto).tree) if draft.onto else {}
        for path, content in draft.changes.items():
            if content is None:
                tree.pop(path, None)
        tree.update((path, self._blob(content)) for path, content in draft.changes.items() if content is not None)
        _check_folders(tree, draft.changes)
        return self._remember(draft, tree)

    def info(self, commit: str) -> Commit:
        return self._found(commit).info

    def log(self, new: str, old: str | None = None, limit: int = 10_000) -> Sequence[Commit]:
        hidden: set[str] = set()
        if old is not None:
            self._found(old)
            hidden.add(old)
        todo = {new, *hidden}
        shown: list[Commit] = []
        # Newest first: no commit is looked at before all of its children, so ``hidden`` is known by then.
        while todo - hidden:
            made = max(map(self._found, todo), key=_order)
            todo.remove(made.info.id)
            todo.update(made.info.parents)
            if made.info.id in hidden:
                hidden.update(made.info.parents)
            else:
                shown.append(made.info)
        return shown[:limit][::-1]

    def is_ancestor(self, old: str, new: str) -> bool:
        wanted, todo = self._found(old).order, {new}
        while todo:
            made = max(map(self._found, todo), key=_order)
            if made.order <= wanted:
                return made.order == wanted
            todo.remove(made.info.id)
            todo.update(made.info.parents)
        return False

    def dirty(self) -> frozenset[str]:
        self._drop_clean_edits()
        return frozenset(self._edits)

    def edit(self, path: str, content: bytes | None) -> None:
        """Save a file in the work tree without committing it, as a person would. None deletes it."""
        check_paths([path])
        self._edits[path] = content

    def worktree(self) -> Mapping[str, bytes]:
        """What a person would find in the folder."""
        main = self._refs.get(_MAIN)
        committed = {path: self._blobs[blob] for path, blob in self.files(main).items()} if main else {}
        both = {**committed, **self._edits}
        return {path: content for path, content in both.items() if content is not None}

    def _drop_clean_edits(self) -> None:
        if self._edits:
            main = self._refs.get(_MAIN)
            tree: Mapping[str, str] = self.files(main) if main else {}
            now = {path: self._blobs[tree[path]] if path in tree else None for path in self._edits}
            self._edits = {path: content for path, content in self._edits.items() if content != now[path]}

    def _found(self, commit: str) -> _Made:
        try:
            return self._commits[commit]
        except KeyError:
            raise Terminal(f"there is no commit {commit}") from None

    def _blob(self, content: bytes) -> str:
        blob = sha1(b"blob %d\0" % len(content) + content).hexdigest()
        self._blobs[blob] = content
        return blob

    def _remember(self, draft: Draft, tree: Mapping[str, str]) -> str:
        when = draft.when.astimezone(UTC).replace(microsecond=0)
        author = person(draft.author.name, draft.author.email)
        message = clean_message(draft.message)
        said = repr((sorted(tree.items()), draft.parents, author, when.isoformat(), message))
        commit = sha1(said.encode()).hexdigest()
        if commit not in self._commits:
            info = Commit(commit, tuple(draft.parents), author, when, message)
            self._commits[commit] = _Made(info, MappingProxyType(tree), len(self._commits))
        return commit


def _order(made: _Made) -> int:
    return made.order


def _check_folders(tree: Mapping[str, str], changes: Mapping[str, bytes | None]) -> None:
    """Refuse what no file system could hold: one path both a file and a folder."""
    folders = {folder for path in tree for folder in _parents(path)}
    for path, content in changes.items():
        if content is not None and path in folders:
            raise Terminal(f"{path} cannot be written as a file: it is a folder")
        if content is not None and (file := next((f for f in _parents(path) if f in tree), None)):
            raise Terminal(f"{path} cannot be written: {file} is a file")


def _parents(path: str) -> Sequence[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


@dataclass
class MemoryWorkspace:
    """A ``Workspace`` in memory: the courses and one repository per user."""

    uuid: str = "00000000-0000-4000-8000-000000000000"
    repos: dict[Scope, MemoryRepo] = field(default_factory=lambda: {"courses": MemoryRepo()})

    def users(self) -> Sequence[str]:
        return sorted(scope.removeprefix("user/") for scope in self.repos if scope.startswith("user/"))

    def repo(self, scope: Scope) -> MemoryRepo:
        try:
            return self.repos[scope]
        except KeyError:
            raise Terminal(f"there is no scope {scope!r} in this workspace") from None

    def add_user(self, user: str, files: Mapping[str, bytes], author: Person, when: datetime) -> MemoryRepo:
        """A new user's repository with one commit; the id must be a new one."""
        check_user_id(user)
        if f"user/{user}" in self.repos:
            raise Terminal(f"the user {user!r} exists already")
        repo = MemoryRepo()
        first = repo.commit(Draft(None, (), files, author, f"Add the user {user}", when))
        repo.move(_MAIN, None, first)
        self.repos[f"user/{user}"] = repo
        return repo
