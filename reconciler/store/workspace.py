"""The folders of a workspace: its courses, a repository per user, and the disposable state beside them."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from reconciler.core.snapshot import Scope
from reconciler.errors import Terminal, Transient
from reconciler.manifest.names import check_user_id
from reconciler.ports import Person
from reconciler.store.flush import flush_writes
from reconciler.store.gitio import MAIN, GitRepo
from reconciler.store.identity import give_uuid, read_uuid
from reconciler.store.locks import try_lock
from reconciler.store.minimal import make_repo, make_repo_at_once, sweep
from reconciler.store.people import RECONCILER

COURSES = "courses"
USERS = "users"
STATE = "state"
SETTINGS = "reconciler.toml"
_SETTINGS_TEXT = "# Settings of the reconciler for this workspace; every one has a default.\n"
_NOT_YET = "; `reconciler init` makes a workspace"


class GitWorkspace:
    """A ``Workspace`` on disk. identity: our committer in every repository of it.

    fsync: whether objects and refs are flushed as they are written, which costs some milliseconds for every commit.
    What is overwritten live must be in git by then, and not on its way there.
    """

    def __init__(self, root: Path, identity: Person = RECONCILER, *, fsync: bool = True) -> None:
        flush_writes(fsync)
        self.root = root.resolve()
        self._identity = identity
        self._repos: dict[Scope, GitRepo] = {}
        for name in (USERS, STATE):
            _refuse_link(self.root / name)
        self._repos[COURSES] = courses_repo(self.root / COURSES, identity)
        self.uuid = self._read_uuid()

    def users(self) -> Sequence[str]:
        """Every folder of users/, also one that ``repo`` will refuse: a learner must not go missing in silence."""
        try:
            with os.scandir(self.root / USERS) as entries:
                return sorted(e.name for e in entries if e.name[0] != "." and not e.is_file(follow_symlinks=False))
        except FileNotFoundError:
            return []

    def repo(self, scope: Scope) -> GitRepo:
        if scope not in self._repos:
            self._repos[scope] = self._user_repo(scope)
        return self._repos[scope]

    def add_user(self, user: str, files: Mapping[str, bytes], author: Person, when: datetime) -> GitRepo:
        """A new user's repository with these files as its first commit."""
        folder = self.root / USERS / check_user_id(user)
        make_repo_at_once(folder, files, author, f"Add the user {user}", when)
        return self.repo(f"user/{user}")

    def heal(self) -> Sequence[Scope]:
        """Finish whatever a process that was killed left half done, and name where. For the start of a loop."""
        sweep(self.root / USERS)
        scopes = [COURSES, *(f"user/{user}" for user in self.users())]
        return [scope for scope in scopes if self._is_whole(scope) and self.repo(scope).heal()]

    @contextmanager
    def lock(self) -> Generator[None, None, None]:
        """Be the only loop on this workspace; it ends with the process, however that ends."""
        folder = self.root / STATE
        folder.mkdir(exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(folder / "lock", flags, 0o644), "r+") as file:
            if not try_lock(file.fileno()):
                who = file.read(20).strip() or "unknown"
                raise Transient(
                    f"another reconciler (process {who}) works on {self.root}; stop it first. "
                    "`reconciler --once` works beside it"
                )
            file.truncate()
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield

    def _user_repo(self, scope: Scope) -> GitRepo:
        kind, _, user = scope.partition("/")
        if kind != "user":
            raise Terminal(f"there is no scope {scope!r}: expected {COURSES}, or user/ and an id")
        folder = self.root / USERS / check_user_id(user)
        _refuse_link(folder)
        _refuse_link(folder / ".git")
        if not os.path.isdir(folder):
            raise Terminal(f"there is no user {user!r}: {folder} is not there")
        return GitRepo(folder, identity=self._identity)

    def _is_whole(self, scope: Scope) -> bool:
        """Whether the scope can be opened at all; what cannot is for the pass to report, one scope at a time."""
        try:
            self.repo(scope).ref(MAIN)
        except Terminal:
            return False
        return True

    def _read_uuid(self) -> str:
        uuid = read_uuid(self._repos[COURSES])
        if uuid is None:
            raise Terminal(f"{self.root} is not a workspace: no workspace.toml is committed in {COURSES}/{_NOT_YET}")
        return uuid


def init_workspace(root: Path, when: datetime, identity: Person = RECONCILER) -> GitWorkspace:
    """Make what is missing of a workspace, and nothing else: done twice, it is as done once."""
    _refuse_foreign(root)
    root.mkdir(parents=True, exist_ok=True)
    if not (root / SETTINGS).exists():  # first, as it shows whose folder this is should we not get further
        (root / SETTINGS).write_text(_SETTINGS_TEXT)
    for name in (USERS, STATE):
        _refuse_link(root / name)
        (root / name).mkdir(exist_ok=True)
    courses = (root / COURSES).resolve()
    courses.mkdir(exist_ok=True)
    if not _is_repo(courses) and not _is_followed_by_larger(courses, identity):
        make_repo(courses)
    give_uuid(courses_repo(courses, identity), identity, when)
    return GitWorkspace(root, identity)


def courses_repo(folder: Path, identity: Person) -> GitRepo:
    """The repository of the courses: the folder itself, or the larger one around it."""
    folder = folder.resolve()
    if _is_repo(folder):
        return GitRepo(folder, identity=identity)
    larger = _larger(folder)
    if larger is None or not folder.is_dir():
        raise Terminal(f"{folder} is not a git repository, nor a folder in one{_NOT_YET}")
    return GitRepo(larger, folder.relative_to(larger).as_posix(), identity)


def _is_repo(folder: Path) -> bool:
    git = folder / ".git"
    is_bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir()
    # A .git without HEAD is a repository that was being made: not one yet.
    return git.is_file() or (git / "HEAD").is_file() or is_bare


def _larger(folder: Path) -> Path | None:
    return next((parent for parent in folder.parents if (parent / ".git").exists()), None)


def _is_followed_by_larger(folder: Path, identity: Person) -> bool:
    """Whether the larger repository around, if any, has files of this folder committed.

    Where it has none (a workspace in an ignored folder of some project), the courses get a repository of their own.
    """
    larger = _larger(folder)
    if larger is None:
        return False
    repo = GitRepo(larger, folder.relative_to(larger).as_posix(), identity)
    main = repo.ref(MAIN)
    return main is not None and bool(repo.files(main))


def _refuse_foreign(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise Terminal(f"{root} is a file; name a folder")
    known = {COURSES, SETTINGS}
    found = {entry.name for entry in root.iterdir()} if root.exists() else known
    if found and not known & found:
        raise Terminal(
            f"{root} is not empty and not a workspace: it holds {min(found)}, but neither {COURSES} nor {SETTINGS}. "
            "Name a new folder, or an empty one"
        )


def _refuse_link(path: Path) -> None:
    if os.path.islink(path):
        raise Terminal(f"{path} is a symbolic link, which is never followed; put the real folder there")
