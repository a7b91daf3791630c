"""Sources against real files: what moves a key, and what does not."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

import pytest

from reconciler.controller.sources import Refs, Sources, drain, git_folder
from reconciler.spool import SPOOL, dropped, spool_name


def repo(folder: Path) -> Path:
    (folder / ".git" / "refs" / "heads").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    return folder


def move(folder: Path, to: str) -> None:
    (folder / ".git" / "refs" / "heads" / "main").write_text(to)


def test_a_moved_branch_is_seen_once(tmp_path: Path) -> None:
    ann, courses = repo(tmp_path / "users" / "ann"), repo(tmp_path / "courses")
    refs = Refs(tmp_path)
    assert refs.moved() == set()

    move(ann, "1" * 40)
    assert refs.moved() == {"user/ann"}
    assert refs.moved() == set()
    move(courses, "1")
    (ann / ".git" / "packed-refs").write_text("x")
    assert refs.moved() == {"courses", "user/ann"}


def test_a_user_who_comes_or_goes_is_seen(tmp_path: Path) -> None:
    refs = Refs(tmp_path)
    ben = repo(tmp_path / "users" / "ben")
    assert refs.moved() == {"user/ben"}

    ben.rename(tmp_path / "gone")
    assert refs.moved() == {"user/ben"}


def test_courses_may_be_a_folder_of_a_larger_repo_or_of_a_linked_work_tree(tmp_path: Path) -> None:
    (repo(tmp_path / "big") / "ws" / "courses").mkdir(parents=True)
    assert git_folder(tmp_path / "big" / "ws" / "courses") == tmp_path / "big" / ".git"

    own = tmp_path / "big" / ".git" / "worktrees" / "desk"
    own.mkdir(parents=True)
    (own / "commondir").write_text("../..\n")
    desk = tmp_path / "desk"
    desk.mkdir()
    (desk / ".git").write_text(f"gitdir: {own}\n")
    assert git_folder(desk) == (tmp_path / "big" / ".git").resolve()


def test_names_in_the_spool_are_taken_once_and_what_is_no_scope_is_removed(tmp_path: Path) -> None:
    spool = tmp_path / SPOOL
    spool.mkdir(parents=True)
    (tmp_path / "users" / "ann").mkdir(parents=True)
    for name in ("courses", spool_name("user/ann"), "user:nobody", "user:..", "-rf", "state"):
        (spool / name).touch()
    added: list[str] = []
    drain(tmp_path, added.append)

    assert added == ["courses", "user/ann"]
    assert list(spool.iterdir()) == []


def test_a_missing_spool_is_an_empty_one(tmp_path: Path) -> None:
    assert list(dropped(tmp_path / SPOOL)) == []


def test_a_link_in_the_spool_is_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    (tmp_path / "courses").symlink_to(tmp_path / "precious")

    assert "courses" in list(dropped(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_what_moves_once_the_watches_have_started_has_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that looks at the refs may come to run late: the look that it compares with is not its own."""
    ann, heard, late = repo(tmp_path / "users" / "ann"), Event(), Event()
    run = Thread.run

    def run_late(self: Thread) -> None:
        assert self.name != "refs" or late.wait(10)
        run(self)

    monkeypatch.setattr(Thread, "run", run_late)
    sources = Sources(tmp_path, lambda _: heard.set(), 0.02, lambda _: None)
    sources.start()
    try:
        move(ann, "2")
        late.set()
        assert heard.wait(10)
    finally:
        sources.stop()


def test_running_watches_report_saved_courses_dropped_names_and_moved_refs(tmp_path: Path) -> None:
    """On real threads, woken by the very events; the time-out is for a broken build only."""
    ann, courses = repo(tmp_path / "users" / "ann"), repo(tmp_path / "courses")
    heard = {"courses": Event(), "user/ann": Event()}
    warnings: list[str] = []
    sources = Sources(tmp_path, lambda key: heard[key].set(), 0.02, warnings.append)
    sources.start()
    try:
        (courses / "course.toml").write_text("x")
        assert heard["courses"].wait(10)
        (tmp_path / SPOOL / "user:ann").touch()
        assert heard["user/ann"].wait(10)
        heard["user/ann"].clear()
        move(ann, "2")
        assert heard["user/ann"].wait(10)
    finally:
        sources.stop()
    assert warnings == []
