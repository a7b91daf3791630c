"""A workspace is made once, found again, and never reaches outside its folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pygit2
import pytest

from reconciler.bootstrap import open_workspace
from reconciler.errors import Terminal, Transient
from reconciler.ports import Workspace
from reconciler.settings import load
from reconciler.store.gitio import MAIN
from reconciler.store.workspace import GitWorkspace, init_workspace
from tests.store.hands import ADA, NOW, advance, git, init, killed_at, status, tree

FILES = {"user.toml": b'id = "ann"\n', "blocks/essay/student.toml": b'name = "Ann"\n'}


@pytest.fixture
def workspace(tmp_path: Path) -> GitWorkspace:
    return init_workspace(tmp_path / "ws", NOW)


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_a_new_workspace_has_its_folders_and_its_id(workspace: GitWorkspace) -> None:
    asked: Workspace = workspace

    assert names(workspace.root) == {"courses", "users", "state", "reconciler.toml"}
    assert asked.users() == []
    assert set(asked.repo("courses").files(asked.repo("courses").ref(MAIN) or "")) == {"workspace.toml"}
    assert status(workspace.root / "courses") == set()
    assert GitWorkspace(workspace.root).uuid == workspace.uuid


def test_made_twice_it_is_as_made_once(workspace: GitWorkspace) -> None:
    workspace.add_user("ann", FILES, ADA, NOW)
    again = init_workspace(workspace.root, NOW)

    assert again.uuid == workspace.uuid
    assert again.users() == ["ann"]
    assert len(again.repo("courses").log(again.repo("courses").ref(MAIN) or "")) == 1


def test_making_it_may_be_killed_anywhere(tmp_path: Path) -> None:
    for step in range(200):
        root = tmp_path / f"at-{step}"
        if not killed_at(step, lambda root=root: init_workspace(root, NOW)):
            break
        assert init_workspace(root, NOW).users() == []
        assert status(root / "courses") == set()
    assert step > 20


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()

    with pytest.raises(Terminal, match=r"holds holiday\.jpg"):
        init_workspace(tmp_path, NOW)
    assert names(tmp_path) == {"holiday.jpg"}


def test_a_folder_without_a_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="reconciler init"):
        GitWorkspace(tmp_path)
    init(tmp_path / "courses")
    with pytest.raises(Terminal, match="reconciler init"):
        GitWorkspace(tmp_path)


@pytest.mark.parametrize("text", [b"", b"uuid = 1", b'uuid = "x"', b"\xff", b'[uuid]\nx = "y"'])
def test_a_damaged_id_is_never_replaced(workspace: GitWorkspace, text: bytes) -> None:
    advance(workspace.repo("courses"), {"workspace.toml": text})

    with pytest.raises(Terminal, match=r"workspace\.toml is damaged"):
        GitWorkspace(workspace.root)
    with pytest.raises(Terminal, match=r"workspace\.toml is damaged"):
        init_workspace(workspace.root, NOW)


def test_courses_that_are_there_already_are_kept(tmp_path: Path) -> None:
    advance(init(tmp_path / "courses"), {"essay/course.toml": b"x = 1\n"})
    workspace = init_workspace(tmp_path, NOW)

    assert set(tree(workspace.repo("courses"), workspace.repo("courses").ref(MAIN))) == {
        "essay/course.toml",
        "workspace.toml",
    }


def test_courses_in_a_larger_repository_stay_there(tmp_path: Path) -> None:
    larger = init(tmp_path / "project")
    advance(larger, {"README.md": b"hello\n", "ws/courses/essay/course.toml": b"x = 1\n"})
    workspace = init_workspace(tmp_path / "project/ws", NOW)

    assert not (tmp_path / "project/ws/courses/.git").exists()
    assert set(tree(workspace.repo("courses"), larger.ref(MAIN))) == {"essay/course.toml", "workspace.toml"}
    assert len(tree(larger, larger.ref(MAIN))) == 3
    assert GitWorkspace(tmp_path / "project/ws").uuid == workspace.uuid


def test_a_workspace_in_a_folder_that_a_project_ignores_is_its_own(tmp_path: Path) -> None:
    project = init(tmp_path / "project")
    before = advance(project, {".gitignore": b"/.run/\n"})
    init_workspace(tmp_path / "project/.run/ws", NOW)

    assert (tmp_path / "project/.run/ws/courses/.git").is_dir()
    assert project.ref(MAIN) == before


# ------------------------------------------------------------------------ users


def test_a_user_is_a_repository_with_one_commit(workspace: GitWorkspace) -> None:
    repo = workspace.add_user("ann", FILES, ADA, NOW)
    folder = workspace.root / "users/ann"

    assert workspace.users() == ["ann"]
    assert tree(repo, repo.ref(MAIN)) == FILES
    assert status(folder) == set()
    assert git(folder, "log", "--format=%an %s") == "Ada Add the user ann\n"
    assert git(folder, "fsck", "--strict") == ""


def test_a_users_repository_is_small(workspace: GitWorkspace) -> None:
    workspace.add_user("ann", FILES, ADA, NOW)

    assert len(list((workspace.root / "users/ann").rglob("*"))) <= 38


def test_people_can_push_to_a_user(workspace: GitWorkspace, tmp_path: Path) -> None:
    repo = workspace.add_user("ann", FILES, ADA, NOW)
    git(tmp_path, "clone", "-q", str(repo.path), "clone")
    (tmp_path / "clone/user.toml").write_bytes(b"changed = true\n")
    git(tmp_path / "clone", "commit", "-qam", "Pushed")
    git(tmp_path / "clone", "push", "-q")

    assert tree(repo, repo.ref(MAIN))["user.toml"] == b"changed = true\n"
    assert (repo.path / "user.toml").read_bytes() == b"changed = true\n"
    advance(repo, {"user.toml": b"after = true\n"})
    assert status(repo.path) == set()


def test_adding_a_user_may_be_killed_anywhere(workspace: GitWorkspace) -> None:
    for step in range(400):
        user = f"u{step}"
        if not killed_at(step, lambda user=user: workspace.add_user(user, FILES, ADA, NOW)):
            break
        fresh = GitWorkspace(workspace.root)
        if user not in fresh.users():
            fresh.add_user(user, FILES, ADA, NOW)
        repo = fresh.repo(f"user/{user}")
        assert tree(repo, repo.ref(MAIN)) == FILES
    assert step > 50
    workspace.heal()
    assert not list((workspace.root / "users").glob(".*"))


def test_a_user_is_not_added_twice(workspace: GitWorkspace) -> None:
    workspace.add_user("ann", FILES, ADA, NOW)

    with pytest.raises(Terminal, match="exists already"):
        workspace.add_user("ann", {}, ADA, NOW)
    assert names(workspace.root / "users") == {"ann"}


@pytest.mark.parametrize("user", ["", "..", ".", "../x", "a/b", "/x", "-x", ".git", "a\0b", "a\nb", "x" * 300, "日本"])
def test_an_id_that_could_leave_its_folder_is_refused(workspace: GitWorkspace, user: str) -> None:
    with pytest.raises(Terminal):
        workspace.add_user(user, FILES, ADA, NOW)
    with pytest.raises(Terminal):
        workspace.repo(f"user/{user}")
    assert names(workspace.root / "users") == set()


@pytest.mark.parametrize("scope", ["", "users", "user", "course/x", "user/nobody"])
def test_a_scope_that_is_none_is_refused(workspace: GitWorkspace, scope: str) -> None:
    with pytest.raises(Terminal):
        workspace.repo(scope)


def test_a_linked_user_is_refused_and_never_missing(workspace: GitWorkspace, tmp_path: Path) -> None:
    init(tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", workspace.root / "users/eve")

    assert workspace.users() == ["eve"]
    with pytest.raises(Terminal, match="users/eve is a symbolic link"):
        workspace.repo("user/eve")


@pytest.mark.parametrize("name", ["users", "state"])
def test_a_linked_folder_of_ours_is_refused(workspace: GitWorkspace, tmp_path: Path, name: str) -> None:
    (workspace.root / name).rename(tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", workspace.root / name)

    with pytest.raises(Terminal, match="symbolic link"):
        GitWorkspace(workspace.root)


# ------------------------------------------------------------------------ one loop at a time


def test_a_second_loop_is_refused_by_the_number_of_the_first(workspace: GitWorkspace) -> None:
    with (
        workspace.lock(),
        pytest.raises(Transient, match=f"process {os.getpid()}"),
        GitWorkspace(workspace.root).lock(),
    ):
        pass
    with workspace.lock():
        pass


def test_a_killed_loop_leaves_no_lock(workspace: GitWorkspace) -> None:
    code = (
        "import sys, pathlib, time; from reconciler.store.workspace import GitWorkspace\n"
        "with GitWorkspace(pathlib.Path(sys.argv[1])).lock(): print('locked', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(workspace.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"locked\n"
        with pytest.raises(Transient, match=f"process {child.pid}"), workspace.lock():
            pass
        child.send_signal(signal.SIGKILL)
    with workspace.lock():
        pass


def test_healing_names_what_it_mended(workspace: GitWorkspace) -> None:
    repo = workspace.add_user("ann", FILES, ADA, NOW)
    (workspace.root / "users/broken").mkdir()
    old = repo.ref(MAIN)
    assert killed_at(45, lambda: advance(repo, {"user.toml": b"x = 1\n", "blocks/a.toml": b"", "blocks/b.toml": b""}))

    assert GitWorkspace(workspace.root).heal() == ["user/ann"]
    assert GitWorkspace(workspace.root).heal() == []
    assert repo.ref(MAIN) != old
    assert status(repo.path) == set()


@pytest.mark.parametrize(("text", "expected"), [("", True), ("[git]\nfsync = false\n", False)])
def test_writes_are_flushed_unless_the_settings_say_otherwise(
    workspace: GitWorkspace, monkeypatch: pytest.MonkeyPatch, text: str, expected: bool
) -> None:
    told: list[bool] = []
    monkeypatch.setattr(type(pygit2.settings), "enable_fsync_gitdir", lambda self, on: told.append(on))
    (workspace.root / "reconciler.toml").write_text(text)

    courses = open_workspace(workspace.root, load(workspace.root)).repo("courses")
    assert told == [expected], "so libgit2 flushes its objects, or does not"

    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    advance(courses, {"a.md": b"a"})
    assert bool(flushed) is expected, "and so do we with refs"
