"""What only git has: kinds of repositories and refs, locks of others, links, and folders of a larger repository."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from reconciler.errors import Terminal, Transient
from reconciler.ports import Draft
from reconciler.store.gitio import MAIN, MAX_BLOB, GitRepo
from tests.store.hands import ADA, NOW, add, advance, git, init, status, tree


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    made = init(tmp_path / "repo")
    advance(made, {"a": b"1\n", "d/b": b"2\n"})
    return made


# ------------------------------------------------------------------------ refs


def test_git_agrees_about_every_ref(repo: GitRepo) -> None:
    advance(repo, {"x": b""}, "refs/remotes/letta/main")

    assert git(repo.path, "rev-parse", MAIN).strip() == repo.ref(MAIN)
    assert git(repo.path, "rev-parse", "letta/main").strip() == repo.ref("refs/remotes/letta/main")
    assert git(repo.path, "fsck", "--strict") == ""


def test_packed_refs_are_read_and_moved(repo: GitRepo) -> None:
    first = repo.ref(MAIN)
    git(repo.path, "pack-refs", "--all", "--prune")
    assert not (repo.path / ".git" / MAIN).exists()

    assert repo.ref(MAIN) == first
    assert not repo.move(MAIN, None, first or "")
    second = advance(repo, {"a": b"2\n"})
    git(repo.path, "pack-refs", "--all", "--prune")

    assert repo.ref(MAIN) == second


def test_a_symbolic_ref_is_followed(repo: GitRepo) -> None:
    git(repo.path, "symbolic-ref", "refs/remotes/origin/HEAD", MAIN)

    assert repo.ref("refs/remotes/origin/HEAD") == repo.ref(MAIN)


@pytest.mark.parametrize("content", [b"", b"\0" * 41, b"abc\n", b"ref: refs/heads/main\n"])
def test_a_damaged_ref_is_never_a_missing_one(repo: GitRepo, content: bytes) -> None:
    (repo.path / ".git" / MAIN).write_bytes(content)

    with pytest.raises(Terminal, match="damaged"):
        repo.ref(MAIN)


def test_a_repository_that_went_away_is_never_an_empty_one(repo: GitRepo) -> None:
    assert repo.ref("refs/heads/none") is None
    shutil.rmtree(repo.path)

    with pytest.raises(Terminal, match="not a git repository"):
        repo.ref(MAIN)
    with pytest.raises(Terminal, match="not a git repository"):
        GitRepo(repo.path).ref(MAIN)


@pytest.mark.parametrize("name", ["main", "HEAD", "refs/../../x", "refs/heads/a..b", "refs/heads/x.lock", "", "/etc/x"])
def test_only_full_names_of_refs_are_taken(repo: GitRepo, name: str) -> None:
    with pytest.raises(Terminal, match="full name of a ref"):
        repo.ref(name)
    with pytest.raises(Terminal, match="full name of a ref"):
        repo.move(name, None, repo.ref(MAIN) or "")


def test_a_ref_takes_the_place_of_empty_folders(repo: GitRepo) -> None:
    (repo.path / ".git/refs/x/y/z").mkdir(parents=True)

    assert repo.move("refs/x/y", None, repo.ref(MAIN) or "")


def test_a_ref_below_another_ref_is_refused(repo: GitRepo) -> None:
    with pytest.raises(Terminal):
        repo.move(f"{MAIN}/below", None, repo.ref(MAIN) or "")


def test_moves_of_main_are_in_the_logs(repo: GitRepo) -> None:
    new = advance(repo, {"a": b"3\n"})

    assert git(repo.path, "rev-parse", "main@{0}").strip() == new
    assert "reconciler: A change" in git(repo.path, "reflog")
    assert git(repo.path, "rev-parse", "main@{1}").strip() == repo.info(new).parents[0]


@pytest.mark.parametrize("lock", [f"{MAIN}.lock", "index.lock"])
def test_a_lock_of_somebody_else_is_waited_for(repo: GitRepo, lock: str) -> None:
    old = repo.ref(MAIN)
    new = add(repo, {"a": b"3\n"}, old)
    (repo.path / ".git" / lock).write_bytes(b"")

    with pytest.raises(Transient, match=r"locked by another git process; if none runs, remove .*\.lock"):
        repo.move(MAIN, old, new)
    assert repo.ref(MAIN) == old
    (repo.path / ".git" / lock).unlink()
    assert status(repo.path) == set()
    assert repo.move(MAIN, old, new)


# ------------------------------------------------------------------------ kinds of repositories


def test_a_bare_repository_has_no_dirt(tmp_path: Path) -> None:
    repo = init(tmp_path / "bare.git", "--bare")
    new = advance(repo, {"a": b"1"})

    assert git(repo.path, "rev-parse", "main").strip() == new
    assert repo.dirty() == frozenset()


@pytest.mark.parametrize("words", [("checkout", "-q", "--detach"), ("checkout", "-q", "-b", "other")])
def test_main_simply_moves_where_something_else_is_checked_out(repo: GitRepo, words: tuple[str, ...]) -> None:
    git(repo.path, *words)
    (repo.path / "d/b").write_bytes(b"edit\n")
    advance(repo, {"a": b"new\n", "d/b": b"new\n"})

    assert (repo.path / "a").read_bytes() == b"1\n"
    assert status(repo.path) == {" M d/b"}
    assert repo.dirty() == frozenset()


def test_a_linked_work_tree_comes_along(repo: GitRepo, tmp_path: Path) -> None:
    git(repo.path, "checkout", "-q", "--detach")
    git(repo.path, "worktree", "add", "-q", str(tmp_path / "linked"), "main")
    (tmp_path / "linked/d/b").write_bytes(b"edit\n")

    for via in (repo, GitRepo(tmp_path / "linked")):
        advance(via, {"a": f"through {via.path.name}\n".encode()})
        assert (tmp_path / "linked/a").read_bytes() == f"through {via.path.name}\n".encode()
        assert status(tmp_path / "linked") == {" M d/b"}
        assert via.dirty() == {"d/b"}
    assert (repo.path / "a").read_bytes() == b"1\n"
    assert status(repo.path) == set()


def test_a_linked_work_tree_that_was_deleted_is_nobodys(repo: GitRepo, tmp_path: Path) -> None:
    git(repo.path, "checkout", "-q", "--detach")
    git(repo.path, "worktree", "add", "-q", str(tmp_path / "linked"), "main")
    shutil.rmtree(tmp_path / "linked")

    advance(repo, {"a": b"new\n"})
    assert repo.dirty() == frozenset()


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="not a git repository"):
        GitRepo(tmp_path).ref(MAIN)


# ------------------------------------------------------------------------ a folder of a larger repository


def test_the_rest_of_a_larger_repository_is_kept(repo: GitRepo) -> None:
    inner = GitRepo(repo.path, prefix="d")
    (repo.path / "a").write_bytes(b"edit\n")
    new = advance(inner, {"b": b"3\n", "e/c": b"4\n"})

    assert tree(repo, new) == {"a": b"1\n", "d/b": b"3\n", "d/e/c": b"4\n"}
    assert tree(inner, new) == {"b": b"3\n", "e/c": b"4\n"}
    assert inner.dirty() == frozenset()
    assert repo.dirty() == {"a"}


def test_a_prefix_that_is_a_link_is_refused(repo: GitRepo) -> None:
    os.symlink("d", repo.path / "l")
    git(repo.path, "add", "l")
    git(repo.path, "commit", "-q", "-m", "A link")
    inner = GitRepo(repo.path, prefix="l")

    with pytest.raises(Terminal, match="not a folder"):
        inner.files(repo.ref(MAIN) or "")
    with pytest.raises(Terminal, match="cannot be written"):
        add(inner, {"b": b""}, repo.ref(MAIN))


def test_a_prefix_cannot_leave_the_repository(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="path"):
        GitRepo(tmp_path, prefix="../x")


# ------------------------------------------------------------------------ links and submodules


@pytest.fixture
def linked(repo: GitRepo) -> GitRepo:
    os.symlink("/etc/passwd", repo.path / "link")
    os.symlink("d", repo.path / "to-d")
    git(repo.path, "add", "link", "to-d")
    git(repo.path, "update-index", "--add", "--cacheinfo", f"160000,{repo.ref(MAIN)},sub")
    git(repo.path, "commit", "-q", "-m", "Odd things")
    return repo


def test_links_and_submodules_are_named_and_left_out(linked: GitRepo) -> None:
    main = linked.ref(MAIN) or ""

    assert set(linked.files(main)) == {"a", "d/b"}
    assert set(linked.odd(main)) == {"link", "to-d", "sub"}


@pytest.mark.parametrize("changes", [{"link": b""}, {"link": None}, {"sub": b""}, {"to-d/b": b""}, {"sub/x": b""}])
def test_nothing_is_written_over_or_through_them(linked: GitRepo, changes: dict[str, bytes | None]) -> None:
    with pytest.raises(Terminal, match=r"symbolic link|not a folder"):
        add(linked, changes, linked.ref(MAIN))


def test_they_outlive_a_move(linked: GitRepo) -> None:
    advance(linked, {"a": b"new\n"})

    assert (linked.path / "a").read_bytes() == b"new\n"
    assert os.readlink(linked.path / "link") == "/etc/passwd"
    assert linked.dirty() <= {"sub"}


def test_a_move_never_writes_through_a_link_in_the_folder(repo: GitRepo, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/b").write_bytes(b"2\n")
    shutil.rmtree(repo.path / "d")
    os.symlink(tmp_path / "outside", repo.path / "d")
    old = repo.ref(MAIN)

    with pytest.raises(Terminal, match="repo/d is a symbolic link"):
        repo.move(MAIN, old, add(repo, {"d/b": b"new\n"}, old))
    assert repo.ref(MAIN) == old
    assert (tmp_path / "outside/b").read_bytes() == b"2\n"


def test_a_move_deletes_nothing_through_a_link_in_the_folder(repo: GitRepo, tmp_path: Path) -> None:
    shutil.copytree(repo.path / "d", tmp_path / "outside")
    shutil.rmtree(repo.path / "d")
    os.symlink(tmp_path / "outside", repo.path / "d")

    advance(repo, {"d/b": None})
    assert (tmp_path / "outside/b").read_bytes() == b"2\n"


def test_a_link_that_came_by_a_commit_is_made_and_unmade(linked: GitRepo) -> None:
    with_links, main = linked.ref(MAIN) or "", linked.info(linked.ref(MAIN) or "").parents[0]
    assert linked.move(MAIN, with_links, main)
    assert not os.path.lexists(linked.path / "to-d")

    assert linked.move(MAIN, main, with_links)
    assert os.readlink(linked.path / "to-d") == "d"


# ------------------------------------------------------------------------ work tree, index and filters


def test_a_staged_edit_stays_staged(repo: GitRepo) -> None:
    (repo.path / "a").write_bytes(b"staged\n")
    git(repo.path, "add", "a")
    advance(repo, {"a": b"new\n", "d/b": b"new\n"})

    assert status(repo.path) == {"M  a"}
    assert repo.dirty() == {"a"}
    assert git(repo.path, "show", ":a") == "staged\n"


def test_a_staged_edit_whose_file_was_put_back_stays_too(repo: GitRepo) -> None:
    (repo.path / "a").write_bytes(b"staged\n")
    git(repo.path, "add", "a")
    (repo.path / "a").write_bytes(b"1\n")
    advance(repo, {"a": b"new\n"})

    assert (repo.path / "a").read_bytes() == b"1\n"
    assert git(repo.path, "show", ":a") == "staged\n"


def test_an_unstaged_edit_never_looks_like_a_staged_return(repo: GitRepo) -> None:
    (repo.path / "a").write_bytes(b"edit\n")
    advance(repo, {"a": b"new\n"})

    assert status(repo.path) == {" M a"}
    assert git(repo.path, "show", ":a") == "new\n"


def test_windows_line_ends_are_no_edit(repo: GitRepo) -> None:
    git(repo.path, "config", "core.autocrlf", "true")
    (repo.path / "a").write_bytes(b"1\r\n")
    assert repo.dirty() == frozenset()

    advance(repo, {"a": b"new\n"})

    assert (repo.path / "a").read_bytes() == b"new\n"
    assert status(repo.path) == set()


def test_a_program_stays_one(repo: GitRepo) -> None:
    (repo.path / "run").write_bytes(b"1")
    (repo.path / "run").chmod(0o755)
    git(repo.path, "add", "run")
    git(repo.path, "commit", "-q", "-m", "A program")
    advance(repo, {"run": b"2"})

    assert os.access(repo.path / "run", os.X_OK)
    assert status(repo.path) == set()


def test_empty_folders_go_with_their_last_file(repo: GitRepo) -> None:
    advance(repo, {"d/b": None})

    assert not (repo.path / "d").exists()


def test_ignored_files_are_neither_dirty_nor_overwritten(repo: GitRepo) -> None:
    advance(repo, {".gitignore": b"*.tmp\n"})
    (repo.path / "x.tmp").write_bytes(b"mine")
    assert repo.dirty() == frozenset()

    advance(repo, {"x.tmp": b"theirs"})
    assert (repo.path / "x.tmp").read_bytes() == b"mine"


# ------------------------------------------------------------------------ sizes, names, times


def test_a_blob_too_large_is_listed_and_named_only_when_read(repo: GitRepo) -> None:
    (repo.path / "big").write_bytes(b"x" * (MAX_BLOB + 1))
    git(repo.path, "add", "big")
    git(repo.path, "commit", "-q", "-m", "Big")
    blob = repo.files(repo.ref(MAIN) or "")["big"]

    assert repo.size(blob) == MAX_BLOB + 1
    with pytest.raises(Terminal, match="big has 32000001 bytes"):
        repo.read(blob)
    with pytest.raises(Terminal, match="more would have 32000001 bytes"):
        add(repo, {"more": b"x" * (MAX_BLOB + 1)})


def test_paths_that_are_not_text_are_named_and_left_out(repo: GitRepo) -> None:
    (repo.path / os.fsdecode(b"\xff")).write_bytes(b"x")
    git(repo.path, "add", "--all")
    git(repo.path, "commit", "-q", "-m", "Not text")
    main = repo.ref(MAIN) or ""

    assert set(repo.files(main)) == {"a", "d/b"}
    assert repo.odd(main) == ("\udcff",)


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "."])
def test_a_forged_tree_is_neither_read_nor_checked_out(repo: GitRepo, name: str) -> None:
    main = repo.ref(MAIN) or ""
    blob = repo.files(main)["a"]
    inner = bytes.fromhex(write(repo, "tree", b"100644 config\0" + bytes.fromhex(blob)))
    forged = write(repo, "tree", b"40000 " + name.encode() + b"\0" + inner)
    head = f"tree {forged}\nparent {main}\nauthor E <e@x> 1 +0000\ncommitter E <e@x> 1 +0000\n\nForged\n"
    commit = write(repo, "commit", head.encode())

    assert repo.files(commit) == {}
    assert repo.odd(commit) == (f"{name}/config",)
    with pytest.raises(Terminal, match="cannot be checked out"):
        repo.move(MAIN, main, commit)
    assert repo.ref(MAIN) == main
    assert not (repo.path.parent / "config").exists()


def write(repo: GitRepo, kind: str, content: bytes) -> str:
    """Write an object that git itself would refuse to make."""
    (repo.path.parent / "raw").write_bytes(content)
    return git(repo.path, "hash-object", "-t", kind, "-w", "--literally", str(repo.path.parent / "raw")).strip()


def test_git_reads_our_commits_as_we_do(repo: GitRepo) -> None:
    message = "Subject\n\nRemote: letta\nPass: 7"
    commit = repo.commit(Draft(repo.ref(MAIN), (), {}, ADA, message, NOW))

    assert git(repo.path, "log", "-1", "--format=%an|%ae|%cn|%aI|%B", commit).rstrip() == (
        f"Ada|ada@example.org|reconciler|2026-01-02T03:04:05+00:00|{message}"
    )
    assert git(repo.path, "log", "-1", "--format=%(trailers:key=Pass,valueonly)", commit).strip() == "7"


def test_a_commit_from_the_end_of_time_is_still_read(repo: GitRepo) -> None:
    raw = git(repo.path, "cat-file", "commit", "main").replace(" 1767323045 +0000", " 99999999999999 +0000")
    (repo.path / "raw").write_text(raw)
    commit = git(repo.path, "hash-object", "-t", "commit", "-w", "--literally", "raw").strip()

    assert repo.info(commit).when.year >= 1970
