"""What people read of history, what travels between machines, and the note that a hook drops."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import Terminal
from reconciler.ports import Person
from reconciler.spool import dropped
from reconciler.store.gitio import MAIN, GitRepo
from reconciler.store.history import blame, clone, fetch, history, push, tidy
from reconciler.store.hooks import write_hook
from tests.store.hands import ADA, add, advance, git, init, tree


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    made = init(tmp_path / "repo")
    advance(made, {"a b": b"one\ntwo\n", "other": b"x\n"})
    return made


def test_history_names_the_commits_of_one_file_newest_first(repo: GitRepo) -> None:
    advance(repo, {"other": b"y\n"})
    last = advance(repo, {"a b": b"one\n2\n"})
    found = history(repo.path, "a b")

    assert [commit.id for commit in found] == [last, repo.log(last)[0].id]
    assert found[0] == repo.info(last)
    assert history(repo.path, "a b", limit=1) == found[:1]


def test_history_follows_a_renamed_file(repo: GitRepo) -> None:
    advance(repo, {"a b": None, "new": b"one\ntwo\n"})

    assert len(history(repo.path, "new")) == 2


def test_blame_names_the_author_of_each_line(repo: GitRepo) -> None:
    first = repo.ref(MAIN)
    (repo.path / "a b").write_bytes(b"one\n\t2\n")
    git(repo.path, "commit", "-qam", "Mine")
    lines = blame(repo.path, "a b")

    assert [(line.commit, line.author, line.text) for line in lines] == [
        (first, ADA, "one"),
        (repo.ref(MAIN), Person("Eva", "eva@example.org"), "\t2"),
    ]
    assert [line.text for line in blame(repo.path, "a b", first or "")] == ["one", "two"]


@pytest.mark.parametrize("rev", ["--output=/tmp/x", "nowhere", "", "main:a b"])
def test_a_revision_that_is_none_is_refused(repo: GitRepo, rev: str) -> None:
    with pytest.raises(Terminal):
        blame(repo.path, "a b", rev)
    with pytest.raises(Terminal):
        history(repo.path, "a b", rev=rev)


def test_a_file_that_is_not_there_has_no_history(repo: GitRepo) -> None:
    assert history(repo.path, "--all") == []
    assert history(repo.path, "*") == []
    with pytest.raises(Terminal, match="no such path"):
        blame(repo.path, "none")


def test_commits_travel_and_a_push_never_overwrites(repo: GitRepo, tmp_path: Path) -> None:
    init(tmp_path / "hub.git", "--bare")
    git(repo.path, "remote", "add", "origin", str(tmp_path / "hub.git"))
    assert push(repo.path, [MAIN])
    clone(str(tmp_path / "hub.git"), tmp_path / "clone")
    other = GitRepo(tmp_path / "clone")
    theirs = advance(other, {"other": b"theirs\n"})
    assert push(other.path, [MAIN])
    advance(repo, {"other": b"ours\n"})

    assert not push(repo.path, [MAIN])
    fetch(repo.path)
    assert repo.ref("refs/remotes/origin/main") == theirs
    for refspec in (f"+{MAIN}", f":{MAIN}"):
        with pytest.raises(Terminal, match="never done"):
            push(repo.path, [refspec])


def test_what_cannot_be_reached_is_one_clear_sentence(repo: GitRepo, tmp_path: Path) -> None:
    git(repo.path, "remote", "add", "origin", str(tmp_path / "nowhere"))

    with pytest.raises(Terminal, match=r"git fetch in .*nowhere.* does not appear to be a git repository"):
        fetch(repo.path)


def test_tidying_changes_nothing_that_we_read(repo: GitRepo) -> None:
    git(repo.path, "config", "gc.auto", "1")
    git(repo.path, "config", "gc.autoDetach", "false")
    for count in range(300):
        add(repo, {"x": b"%d" % count}, repo.ref(MAIN))
    before = tree(repo, repo.ref(MAIN))
    tidy(repo.path)

    assert not (repo.path / ".git" / MAIN).exists()
    assert tree(GitRepo(repo.path), repo.ref(MAIN)) == before
    advance(repo, {"x": b"1"})


# ------------------------------------------------------------------------ the hook


@pytest.mark.parametrize("name", ["spool", 'it\'s; $(touch x) "here"'])
def test_every_way_to_move_a_ref_drops_a_note(repo: GitRepo, tmp_path: Path, name: str) -> None:
    spool = tmp_path / name
    spool.mkdir()
    assert write_hook(repo.path, spool, "user/ann")
    for words in (("commit", "-q", "--allow-empty", "-m", "x"), ("branch", "b"), ("reset", "-q", "--hard", "HEAD~1")):
        git(repo.path, *words)
        assert list(dropped(spool)) == ["user/ann"], words
        assert list(dropped(spool)) == []
    git(tmp_path, "clone", "-q", str(repo.path), "clone")
    git(repo.path, "config", "receive.denyCurrentBranch", "updateInstead")
    git(tmp_path / "clone", "commit", "-q", "--allow-empty", "-m", "x")
    git(tmp_path / "clone", "push", "-q")
    assert list(dropped(spool)) == ["user/ann"]


def test_without_the_folder_git_works_as_ever(repo: GitRepo, tmp_path: Path) -> None:
    write_hook(repo.path, tmp_path / "none", "user/ann")

    assert git(repo.path, "commit", "-q", "--allow-empty", "-m", "x", fine=False) == ""


def test_a_hook_of_somebody_else_is_kept(repo: GitRepo, tmp_path: Path) -> None:
    hook = repo.path / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")

    assert not write_hook(repo.path, tmp_path, "courses")
    assert hook.read_text() == "#!/bin/sh\n"
    hook.unlink()
    assert write_hook(repo.path, tmp_path, "courses")
    assert write_hook(repo.path, tmp_path / "moved", "courses")
    assert str(tmp_path / "moved") in hook.read_text()
