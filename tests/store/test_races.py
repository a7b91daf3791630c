"""Many processes move one ref at a time: of all who saw one value, exactly one replaces it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.errors import Transient
from reconciler.store.gitio import MAIN, GitRepo
from tests.store.hands import add, advance, git, init, status, tree


def in_children(many: int, work: Callable[[int], int]) -> list[int]:
    """What each child gives, a small number."""
    children: list[int] = []
    for number in range(many):
        child = os.fork()
        if child == 0:
            code = 255
            try:
                code = work(number)
            finally:
                os._exit(code)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


@pytest.mark.parametrize("name", [MAIN, "refs/reconciler/letta/base"])
def test_of_two_moves_from_one_place_one_wins(tmp_path: Path, name: str) -> None:
    folder = init(tmp_path / "repo").path
    start = advance(GitRepo(folder), {"count": b"0"}, name)

    def work(number: int) -> int:
        repo = GitRepo(folder)
        return int(repo.move(name, start, add(repo, {"count": b"%d" % number}, start)))

    assert sum(in_children(4, work)) == 1


def test_nobody_loses_a_commit_while_all_retry(tmp_path: Path) -> None:
    folder = init(tmp_path / "repo").path
    advance(GitRepo(folder), {"start": b""})

    def work(number: int) -> int:
        repo, done = GitRepo(folder), 0
        while done < 5:
            old = repo.ref(MAIN)
            done += repo.move(MAIN, old, add(repo, {f"by-{number}-{done}": b""}, old))
        return done

    assert in_children(3, work) == [5, 5, 5]
    repo = GitRepo(folder)
    assert len(tree(repo, repo.ref(MAIN))) == 16
    assert len(repo.log(repo.ref(MAIN) or "")) == 16
    assert status(folder) == set()
    git(folder, "fsck", "--strict")


def test_the_git_program_and_we_take_turns(tmp_path: Path) -> None:
    folder = init(tmp_path / "repo").path
    advance(GitRepo(folder), {"start": b""})

    def people(_: int) -> int:
        done = 0
        while done < 5:
            (folder / f"hand-{done}").write_bytes(b"")
            git(folder, "add", f"hand-{done}", fine=False)
            said = git(folder, "commit", "--message=Hand", "--", f"hand-{done}", fine=False)
            done += "1 file changed" in said
        return done

    def engine(_: int) -> int:
        repo, done = GitRepo(folder), 0
        while done < 10:
            old = repo.ref(MAIN)
            with suppress(Transient):
                done += repo.move(MAIN, old, add(repo, {f"engine-{done}": b""}, old))
        return done

    assert in_children(2, lambda number: (people, engine)[number](number)) == [5, 10]
    repo = GitRepo(folder)
    assert len(tree(repo, repo.ref(MAIN))) == 16
    assert status(folder) == set()
