"""What somebody saves is committed in their name once it is whole and valid, and everything else is left as it is."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.ports import Person
from reconciler.store.autocommit import Saved, commit_saved, is_written_by_hand
from reconciler.store.gitio import MAIN
from reconciler.store.people import RECONCILER
from reconciler.store.workspace import GitWorkspace, init_workspace
from tests.acceptance.place import OURS

NOW = datetime.now(UTC)
ANN = Person("Ann Author", "ann@school.example")
BLOCK = "blocks/essay-lab/student.toml"


@pytest.fixture
def workspace(tmp_path: Path) -> GitWorkspace:
    made = init_workspace(tmp_path / "w", NOW)
    made.add_user("ada", {"user.toml": b'id = "ada"\n', BLOCK: b'profile = ""\n'}, RECONCILER, NOW)
    return made


def save(workspace: GitWorkspace, scope: str, path: str, text: str, seconds_ago: float = 5.0) -> None:
    file = workspace.repo(scope).folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    when = (NOW - timedelta(seconds=seconds_ago)).timestamp()
    os.utime(file, (when, when))


def commit(workspace: GitWorkspace, scope: str = "user/ada") -> Saved:
    return commit_saved(workspace.repo(scope), scope, lambda: ANN, NOW)


def on_main(workspace: GitWorkspace, path: str, scope: str = "user/ada") -> str:
    repo = workspace.repo(scope)
    head = repo.ref(MAIN)
    assert head
    return repo.read(repo.files(head)[path]).decode()


def test_a_saved_block_is_a_commit_of_whoever_saved_it(workspace: GitWorkspace) -> None:
    save(workspace, "user/ada", BLOCK, 'profile = "writes poems"\n')
    saved = commit(workspace)
    repo = workspace.repo("user/ada")

    assert saved.commit == repo.ref(MAIN)
    assert saved.commit
    info = repo.info(saved.commit)
    assert (info.author, info.message) == (ANN, f"Save {BLOCK}, by Ann Author")
    assert on_main(workspace, BLOCK) == 'profile = "writes poems"\n'
    assert not repo.dirty()
    assert commit(workspace) == Saved()


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        (BLOCK, "profile = writes poems\n", "student.toml:1"),
        (BLOCK, "", "it is empty"),
        ("user.toml", 'id = "../ada"\n', "cannot be used as a name"),
    ],
)
def test_what_is_not_valid_is_reported_and_left(workspace: GitWorkspace, path: str, text: str, why: str) -> None:
    save(workspace, "user/ada", path, text)
    save(workspace, "user/ada", "blocks/essay-lab/journey.toml", 'status = "new"\n')
    saved = commit(workspace)

    assert [each.where for each in saved.refused] == [f"user/ada {path}"]
    assert why in saved.refused[0].message
    assert on_main(workspace, "blocks/essay-lab/journey.toml")
    assert workspace.repo("user/ada").dirty() == {path}
    assert (workspace.repo("user/ada").folder / path).read_text() == text


def test_a_course_is_valid_as_a_whole_or_not_at_all(workspace: GitWorkspace) -> None:
    text = (OURS / "course.toml").read_text()
    save(workspace, "courses", "essay-lab/course.toml", text)
    assert commit(workspace, "courses").commit
    save(workspace, "courses", "essay-lab/course.toml", text.replace('id = "essay-lab"', 'id = ""'))
    saved = commit(workspace, "courses")

    assert saved.commit is None
    assert [each.where for each in saved.refused] == ["courses essay-lab/course.toml"]
    assert on_main(workspace, "essay-lab/course.toml", "courses") == text


def test_a_file_that_was_changed_just_now_waits(workspace: GitWorkspace) -> None:
    save(workspace, "user/ada", BLOCK, 'profile = "half"\n', seconds_ago=0.2)

    assert commit(workspace) == Saved()


def test_a_deletion_is_left_to_whoever_means_it(workspace: GitWorkspace) -> None:
    (workspace.repo("user/ada").folder / BLOCK).unlink()

    assert commit(workspace) == Saved()
    assert on_main(workspace, BLOCK)


def test_somebody_s_merge_is_left_alone(workspace: GitWorkspace) -> None:
    repo = workspace.repo("user/ada")
    save(workspace, "user/ada", BLOCK, 'profile = "x"\n')
    marker = repo.folder / ".git" / "MERGE_HEAD"
    marker.write_text("")
    assert commit(workspace) == Saved()
    marker.unlink()
    assert commit(workspace).commit


def test_a_link_is_never_followed(workspace: GitWorkspace, tmp_path: Path) -> None:
    (tmp_path / "secret.toml").write_text('profile = "secret"\n')
    file = workspace.repo("user/ada").folder / BLOCK
    file.unlink()
    file.symlink_to(tmp_path / "secret.toml")

    assert commit(workspace) == Saved()


def test_stock_git_finds_nothing_left_over(workspace: GitWorkspace) -> None:
    folder = workspace.repo("user/ada").folder
    save(workspace, "user/ada", BLOCK, 'profile = "staged"\n')
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    commit(workspace)
    status = subprocess.run(["git", "status", "--porcelain"], cwd=folder, check=True, capture_output=True, text=True)

    assert status.stdout == ""


@pytest.mark.parametrize(
    ("scope", "path", "is_ours"),
    [
        ("courses", "c/course.toml", True),
        ("courses", "c/modules/01.toml", True),
        ("courses", "c/shared/staff.md", True),
        ("courses", "workspace.toml", False),
        ("courses", "c/.#course.toml", False),
        ("courses", "c/notes.toml", False),
        ("user/a", "user.toml", True),
        ("user/a", "blocks/b.md", True),
        ("user/a", "blocks/c/b.toml~", False),
        ("user/a", "agent_threads/c/1.json", False),
        ("user/a", "pending_diffs/1.json", False),
    ],
)
def test_only_what_people_write_by_hand_is_committed(scope: str, path: str, is_ours: bool) -> None:
    assert is_written_by_hand(scope, path) == is_ours
