"""What a pass that finds nothing new must not do, counted in touches of the disk: time depends on the machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from reconciler.core.base import Base, FieldBase
from reconciler.store.bases import load_base, save_base
from reconciler.store.gitio import MAIN, GitRepo
from reconciler.store.workspace import GitWorkspace, init_workspace
from tests.store.hands import ADA, NOW, advance

BASE = Base(None, {"block/a/b": {"x": FieldBase(settled=1)}})
opened: list[str] = []
watching = False


def _watch(event: str, about: tuple[object, ...]) -> None:
    if watching and event == "open":
        opened.append(str(about[0]))


sys.addaudithook(_watch)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The files that Python opens meanwhile."""
    global watching
    opened.clear()
    watching = True
    try:
        yield opened
    finally:
        watching = False


@pytest.fixture
def workspace(tmp_path: Path) -> GitWorkspace:
    made = init_workspace(tmp_path / "ws", NOW)
    for count in range(20):
        made.add_user(f"u{count}", {"user.toml": b"%d" % count}, ADA, NOW)
    return GitWorkspace(made.root)


def test_a_ref_costs_one_file_and_opens_no_repository(workspace: GitWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    users = [workspace.repo(f"user/{user}") for user in workspace.users()]
    monkeypatch.setattr("reconciler.store.gitio.open_repository", _never)
    monkeypatch.setattr("reconciler.store.moves.open_repository", _never)
    with counted() as files:
        assert all(repo.ref(MAIN) for repo in users)

    assert len(files) == len(users)


def test_healing_where_nothing_is_broken_opens_one_file_each(workspace: GitWorkspace) -> None:
    with counted() as files:
        assert workspace.heal() == []

    assert len(files) <= 21


@pytest.mark.parametrize(
    "work",
    [
        lambda repo: repo.files(repo.ref(MAIN)),
        lambda repo: [repo.read(blob) for blob in repo.files(repo.ref(MAIN)).values()],
        lambda repo: repo.info(repo.ref(MAIN)),
        lambda repo: load_base(repo, "letta"),
        lambda repo: save_base(repo, "letta", load_base(repo, "letta"), load_base(repo, "letta"), NOW),
        lambda repo: repo.dirty(),
        lambda repo: repo.move(MAIN, None, repo.ref(MAIN)),
    ],
)
def test_what_changes_nothing_writes_nothing(workspace: GitWorkspace, work: Callable[[GitRepo], object]) -> None:
    repo = workspace.repo("user/u1")
    save_base(repo, "letta", BASE, load_base(repo, "letta"), NOW)
    before = everything(workspace.root)
    work(GitRepo(repo.path))

    assert everything(workspace.root) == before


def test_a_commit_writes_the_change_and_the_folders_on_its_way(workspace: GitWorkspace) -> None:
    repo = workspace.repo("user/u1")
    advance(repo, {f"{folder}/{name}": f"{folder}{name}".encode() for folder in "abc" for name in "xyz"})
    before = objects(repo)
    advance(repo, {"a/x": b"new"})

    assert len(objects(repo) - before) == 4  # the blob, two trees, the commit


def _never(path: Path) -> object:
    raise AssertionError(f"{path} was opened")


def objects(repo: GitRepo) -> set[str]:
    return {file.name for file in (repo.path / ".git/objects").rglob("*") if file.is_file()}


def everything(root: Path) -> dict[str, tuple[bytes, datetime]]:
    files = (file for file in root.rglob("*") if file.is_file())
    return {str(f): (f.read_bytes(), datetime.fromtimestamp(f.stat().st_mtime, NOW.tzinfo)) for f in files}
