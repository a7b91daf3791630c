"""A process may be killed between any two touches of the disk; whoever comes next finds nothing odd, and finishes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from reconciler.store.gitio import MAIN, GitRepo
from tests.store.hands import add, advance, git, init, killed_at, status, tree

BEFORE: Mapping[str, bytes] = {
    "changed": b"1",
    "mine": b"1",
    "gone/deep/x": b"1",
    "folder": b"1",
    "staged": b"1",
    "same": b"1",
}
CHANGES: Mapping[str, bytes | None] = {
    **{"changed": b"2", "mine": b"2", "gone/deep/x": None, "folder": None, "folder/inside": b"2", "staged": b"2"},
    **{"n/e/w": b"2", "taken": b"2", "same": b"2"},
}
EDITS: Mapping[str, bytes] = {"mine": b"edit", "taken": b"untracked", "staged": b"index", "same": b"2"}
MINE = {"mine", "taken", "staged"}


def scene(folder: Path) -> tuple[GitRepo, str, str]:
    """A repository with edits of somebody's, and a commit that main is to move to."""
    repo = init(folder)
    old = advance(repo, BEFORE)
    new = add(repo, CHANGES, old)
    for path, content in EDITS.items():
        (folder / path).write_bytes(content)
    git(folder, "add", "staged")
    return repo, old, new


def shown(folder: Path) -> Mapping[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file() and ".git" not in file.relative_to(folder).parts)
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def check_moved(repo: GitRepo) -> None:
    """Everything as after a move that nobody disturbed."""
    after = {path: content for path, content in {**BEFORE, **CHANGES}.items() if content is not None}
    assert shown(repo.folder) == {**after, **EDITS}
    assert status(repo.folder) == {" M mine", " M taken", "M  staged"}
    assert repo.dirty() == MINE
    assert left_over(repo.folder) == []


def left_over(folder: Path) -> list[str]:
    return [
        path.name for path in (folder / ".git").rglob("*") if path.suffix == ".lock" or path.name == "reconciler-move"
    ]


def each_copy(tmp_path: Path) -> tuple[Path, str, str]:
    _, old, new = scene(tmp_path / "first")
    return tmp_path / "first", old, new


def test_a_move_killed_anywhere_is_finished_or_never_was(tmp_path: Path) -> None:
    first, old, new = each_copy(tmp_path)
    for step in count():
        repo = GitRepo(Path(shutil.copytree(first, tmp_path / f"at-{step}", symlinks=True)))
        if not killed_at(step, lambda repo=repo: repo.move(MAIN, old, new)):
            break
        assert repo.dirty() <= MINE | {"same"}, f"at step {step}, our own work looks like somebody's edit"
        assert MINE - {"taken", "staged"} <= repo.dirty()
        repo.heal()
        assert repo.ref(MAIN) in (old, new)
        assert left_over(repo.folder) == []
        if repo.ref(MAIN) == old:
            assert shown(repo.folder) == {**BEFORE, **EDITS}, f"at step {step}"
            assert repo.move(MAIN, old, new)
        check_moved(repo)
    assert step > 30
    check_moved(repo)


def test_healing_killed_anywhere_is_healed_again(tmp_path: Path) -> None:
    first, old, new = each_copy(tmp_path)
    half = tmp_path / "half"
    shutil.copytree(first, half, symlinks=True)
    assert killed_at(45, lambda: GitRepo(half).move(MAIN, old, new))
    assert GitRepo(half).ref(MAIN) == old
    for step in count():
        repo = GitRepo(Path(shutil.copytree(half, tmp_path / f"again-{step}", symlinks=True)))
        if not killed_at(step, repo.heal):
            break
        assert repo.dirty() <= MINE | {"same"}
        repo.heal()
        assert repo.ref(MAIN) == new
        check_moved(repo)
    assert step > 20


def test_the_next_move_heals_by_itself(tmp_path: Path) -> None:
    repo, old, new = scene(tmp_path / "repo")
    assert killed_at(45, lambda: repo.move(MAIN, old, new))

    assert repo.move("refs/x/y", None, old)

    assert repo.ref(MAIN) == new
    check_moved(repo)


def test_a_person_cannot_commit_on_top_of_half_a_move(tmp_path: Path) -> None:
    repo, old, new = scene(tmp_path / "repo")
    assert killed_at(45, lambda: repo.move(MAIN, old, new))

    assert "index.lock" in git(repo.path, "commit", "--all", "--message=Mine", fine=False)
    repo.heal()
    git(repo.path, "commit", "--all", "--message=Mine")

    assert tree(repo, repo.ref(MAIN))["changed"] == b"2"
    assert repo.is_ancestor(new, repo.ref(MAIN) or "")


def test_a_person_who_broke_the_locks_keeps_what_they_did(tmp_path: Path) -> None:
    repo, old, new = scene(tmp_path / "repo")
    assert killed_at(45, lambda: repo.move(MAIN, old, new))
    (repo.path / ".git/refs/heads/main.lock").unlink()
    (repo.path / ".git/index.lock").unlink()

    repo.heal()

    assert repo.ref(MAIN) == old
    assert left_over(repo.path) == []


def test_an_edit_made_after_the_crash_is_kept(tmp_path: Path) -> None:
    repo, old, new = scene(tmp_path / "repo")
    assert killed_at(45, lambda: repo.move(MAIN, old, new))
    (repo.path / "changed").write_bytes(b"after the crash")

    assert "changed" in repo.dirty()
    repo.heal()

    assert repo.ref(MAIN) == new
    assert (repo.path / "changed").read_bytes() == b"after the crash"
    assert repo.dirty() == {*MINE, "changed"}


def test_a_commit_killed_anywhere_leaves_main_and_files_alone(tmp_path: Path) -> None:
    repo, old, _ = scene(tmp_path / "repo")
    before = status(repo.path)
    for step in range(3):
        killed_at(step, lambda: add(repo, {"x": b"1"}, old))

    assert repo.ref(MAIN) == old
    assert status(repo.path) == before
