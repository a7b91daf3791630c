"""One suite for every ``Repo``: what the engine may rely on, whatever holds the commits."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from reconciler.errors import Terminal
from reconciler.ports import Draft, Person, Repo
from reconciler.simulation.repo import MemoryRepo
from reconciler.store.gitio import GitRepo

MAIN = "refs/heads/main"
ADA = Person("Ada", "ada@example.org")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NOWHERE = "0123456789012345678901234567890123456789"


def memory(_: Path) -> Repo:
    return MemoryRepo()


def git(folder: Path, *options: str) -> None:
    command = ["git", "init", "--quiet", "--initial-branch=main", "--template=", *options, str(folder)]
    subprocess.run(command, check=True)


def checked_out(tmp_path: Path) -> Repo:
    git(tmp_path / "repo")
    return GitRepo(tmp_path / "repo")


def folder_of_a_larger_repo(tmp_path: Path) -> Repo:
    git(tmp_path / "repo")
    return GitRepo(tmp_path / "repo", prefix="our/courses")


KINDS: Mapping[str, Callable[[Path], Repo]] = {
    "memory": memory,
    "git": checked_out,
    "prefix": folder_of_a_larger_repo,
}


@pytest.fixture(params=KINDS)
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> Repo:
    return KINDS[request.param](tmp_path)


def add(repo: Repo, changes: Mapping[str, bytes | None], on: str | None = None, message: str = "A change") -> str:
    """A commit on top of another, that no ref names yet."""
    return repo.commit(Draft(on, (on,) if on else (), changes, ADA, message, NOW))


def tree(repo: Repo, commit: str) -> Mapping[str, bytes]:
    return {path: repo.read(blob) for path, blob in repo.files(commit).items()}


def history(repo: Repo, length: int) -> list[str]:
    """A straight line of commits, oldest first; ``main`` is at the last."""
    ids: list[str] = []
    for count in range(length):
        ids.append(add(repo, {"count": b"%d" % count}, ids[-1] if ids else None))
    assert repo.move(MAIN, repo.ref(MAIN), ids[-1])
    return ids


# ------------------------------------------------------------------------ commits


def test_a_commit_holds_exactly_its_changes_on_top_of_a_tree(repo: Repo) -> None:
    first = add(repo, {"a": b"1", "d/b": b"2", "d/e/c": b"\x00\xff"})
    second = add(repo, {"a": None, "d/b": b"3", "new/x": b""}, first)

    assert tree(repo, first) == {"a": b"1", "d/b": b"2", "d/e/c": b"\x00\xff"}
    assert tree(repo, second) == {"d/b": b"3", "d/e/c": b"\x00\xff", "new/x": b""}


def test_the_tree_of_one_commit_can_carry_the_parents_of_another(repo: Repo) -> None:
    ours, theirs = add(repo, {"a": b"1"}), add(repo, {"b": b"2"})
    merged = repo.commit(Draft(ours, (theirs, ours), {}, ADA, "Both", NOW))

    assert tree(repo, merged) == {"a": b"1"}
    assert repo.info(merged).parents == (theirs, ours)


def test_deleting_what_is_not_there_changes_nothing(repo: Repo) -> None:
    first = add(repo, {"d/a": b"1"})

    assert tree(repo, add(repo, {"d": None, "no": None, "no/such": None, "d/a/deeper": None}, first)) == {"d/a": b"1"}


def test_a_tree_may_become_empty(repo: Repo) -> None:
    first = add(repo, {"d/e/a": b"1"})

    assert tree(repo, add(repo, {"d/e/a": None}, first)) == {}
    assert tree(repo, add(repo, {})) == {}


def test_a_file_may_give_way_to_a_folder_and_back(repo: Repo) -> None:
    file = add(repo, {"x": b"1"})
    folder = add(repo, {"x": None, "x/y": b"2"}, file)

    assert tree(repo, folder) == {"x/y": b"2"}
    assert tree(repo, add(repo, {"x/y": None, "x": b"3"}, folder)) == {"x": b"3"}


@pytest.mark.parametrize("changes", [{"x/y/z": b""}, {"d": b""}, {"new": b"", "new/er": b""}])
def test_no_path_is_both_a_file_and_a_folder(repo: Repo, changes: Mapping[str, bytes]) -> None:
    first = add(repo, {"x": b"1", "d/e": b"2"})

    with pytest.raises(Terminal, match=r"x|d|new"):
        add(repo, changes, first)


def test_the_same_content_has_the_same_blob(repo: Repo) -> None:
    files = repo.files(add(repo, {"a": b"same", "b": b"same", "c": b"other"}))

    assert files["a"] == files["b"] != files["c"]


def test_the_same_draft_makes_the_same_commit(repo: Repo) -> None:
    assert add(repo, {"a": b"1"}) == add(repo, {"a": b"1"})


def test_a_commit_is_read_back_as_it_was_drafted(repo: Repo) -> None:
    message = "Subject\n\nBody, ñ\n\nRemote: letta\nPass: 1"
    when = datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=timezone(timedelta(hours=2)))
    commit = repo.commit(Draft(None, (), {}, ADA, message + "\n\n", when))
    info = repo.info(commit)

    assert (info.id, info.parents, info.author, info.message) == (commit, (), ADA, message)
    assert info.when == when.replace(microsecond=0)
    assert info.when.tzinfo is UTC


def test_nobody_forges_a_header_or_a_trailer(repo: Repo) -> None:
    liar = Person("Eve\nauthor <a@b>\x00", "e@x>\n\nActor: root <")
    info = repo.info(repo.commit(Draft(None, (), {}, liar, "Subject\x00\r\n\x1b[31m red", NOW)))

    assert info.author == Person("Eve author a@b", "e@xActor:root")
    assert info.message == "Subject \n [31m red"


def test_a_person_without_a_name_still_has_one(repo: Repo) -> None:
    info = repo.info(repo.commit(Draft(None, (), {}, Person(" \n", ""), "x", NOW)))

    assert info.author == Person("unknown", "unknown@localhost")


@pytest.mark.parametrize(
    "path",
    [
        *("", "/etc/passwd", "..", "../x", "a/../../x", "a//b", "a/", "./a", "a/.", "-x", "a/--upload-pack=x"),
        *(".git/config", "a/.git/x", ".GIT/x", ".gIt", ".git.", ".git ", ".git::$INDEX_ALLOCATION/x", "git~1/x"),
        *(".g\u200cit/config", "\uff0egit/x", "a\x00b", "a\nb", "a\rb", "a\x1bb", "a\u2028b", "a\\b", "\ud800"),
        *("x" * 300, "é" * 200, "/".join(["x"] * 900)),
    ],
)
def test_a_path_that_could_leave_its_folder_is_refused(repo: Repo, path: str) -> None:
    with pytest.raises(Terminal, match="path"):
        add(repo, {path: b"x"})


@pytest.mark.parametrize(
    "path", ["a b", ".gitignore", ".github/x", "git", "x.git", "日本/語", "a-b", "…", "~", "$x;'\""]
)
def test_other_paths_are_kept_as_they_are(repo: Repo, path: str) -> None:
    assert tree(repo, add(repo, {path: b"x"})) == {path: b"x"}


@pytest.mark.parametrize(
    "call",
    [
        lambda r: r.files(NOWHERE),
        lambda r: r.odd(NOWHERE),
        lambda r: r.info(NOWHERE),
        lambda r: r.read(NOWHERE),
        lambda r: r.log(NOWHERE),
        lambda r: r.log(r.ref(MAIN), NOWHERE),
        lambda r: r.move(MAIN, r.ref(MAIN), NOWHERE),
        lambda r: r.is_ancestor(NOWHERE, r.ref(MAIN)),
        lambda r: r.is_ancestor(r.ref(MAIN), NOWHERE),
        lambda r: add(r, {}, NOWHERE),
        lambda r: r.files("not an id"),
        lambda r: r.read(r.ref(MAIN)),
        lambda r: r.files(next(iter(r.files(r.ref(MAIN)).values()))),
    ],
)
def test_what_does_not_exist_is_an_error_and_never_empty(repo: Repo, call: Callable[[Repo], object]) -> None:
    history(repo, 1)

    with pytest.raises(Terminal):
        call(repo)


def test_there_are_no_links_where_nobody_made_any(repo: Repo) -> None:
    assert list(repo.odd(add(repo, {"a": b"1"}))) == []


# ------------------------------------------------------------------------ refs


def test_a_ref_that_was_never_made_is_none(repo: Repo) -> None:
    assert repo.ref(MAIN) is None
    assert repo.ref("refs/reconciler/letta/base") is None


def test_a_ref_moves_only_from_where_it_is(repo: Repo) -> None:
    first, second = add(repo, {"a": b"1"}), add(repo, {"a": b"2"})

    assert not repo.move("refs/x/y", second, first)
    assert repo.move("refs/x/y", None, first)
    assert not repo.move("refs/x/y", None, second)
    assert not repo.move("refs/x/y", second, first)
    assert repo.move("refs/x/y", first, second)
    assert repo.ref("refs/x/y") == second


def test_refs_are_apart_from_each_other(repo: Repo) -> None:
    first, second = add(repo, {"a": b"1"}), add(repo, {"a": b"2"})
    repo.move("refs/remotes/letta/main", None, first)
    repo.move("refs/reconciler/letta/base", None, second)

    assert [repo.ref("refs/remotes/letta/main"), repo.ref("refs/reconciler/letta/base")] == [first, second]
    assert repo.ref(MAIN) is None


# ------------------------------------------------------------------------ history


def test_the_log_is_what_the_new_has_and_the_old_lacks_oldest_first(repo: Repo) -> None:
    ids = history(repo, 5)

    assert [c.id for c in repo.log(ids[4])] == ids
    assert [c.id for c in repo.log(ids[4], ids[1])] == ids[2:]
    assert [c.id for c in repo.log(ids[4], ids[4])] == []
    assert [c.id for c in repo.log(ids[1], ids[4])] == []


def test_a_limited_log_keeps_the_newest(repo: Repo) -> None:
    ids = history(repo, 5)

    assert [c.id for c in repo.log(ids[4], limit=2)] == ids[3:]


def test_the_log_crosses_merges_with_parents_first(repo: Repo) -> None:
    root, *_ = history(repo, 1)
    left, right = add(repo, {"l": b""}, root), add(repo, {"r": b""}, root)
    merge = repo.commit(Draft(left, (left, right), {"r": b""}, ADA, "Merge", NOW))

    ids = [c.id for c in repo.log(merge, root)]
    assert set(ids) == {left, right, merge}
    assert ids[-1] == merge
    assert {c.id for c in repo.log(merge, left)} == {right, merge}
    assert {c.id for c in repo.log(right, left)} == {right}


def test_ancestors_include_the_commit_itself_and_cross_merges(repo: Repo) -> None:
    ids = history(repo, 3)
    side = add(repo, {"s": b""}, ids[0])
    merge = repo.commit(Draft(side, (ids[2], side), {}, ADA, "Merge", NOW))

    assert all(repo.is_ancestor(old, merge) for old in [*ids, side, merge])
    assert not repo.is_ancestor(ids[1], side)
    assert not repo.is_ancestor(side, ids[2])
    assert not repo.is_ancestor(merge, side)
    assert not repo.is_ancestor(add(repo, {"alone": b""}), merge)


# ------------------------------------------------------------------------ the work tree


class Desk:
    """A repo with a work tree, and a person's hands on it."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo

    def save(self, path: str, content: bytes | None) -> None:
        """Save a file without committing it; None deletes it."""
        if isinstance(self.repo, MemoryRepo):
            self.repo.edit(path, content)
            return
        file = self._folder() / path
        if content is None:
            file.unlink()
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def shows(self) -> Mapping[str, bytes]:
        """The files in the folder."""
        if isinstance(self.repo, MemoryRepo):
            return self.repo.worktree()
        folder = self._folder()
        files = (f for f in folder.rglob("*") if f.is_file() and ".git" not in f.relative_to(folder).parts)
        return {str(f.relative_to(folder)): f.read_bytes() for f in files}

    def change(self, changes: Mapping[str, bytes | None]) -> str:
        """Commit on main, as the engine does."""
        old = self.repo.ref(MAIN)
        new = add(self.repo, changes, old)
        assert self.repo.move(MAIN, old, new)
        return new

    def _folder(self) -> Path:
        assert isinstance(self.repo, GitRepo)
        return self.repo.folder


@pytest.fixture
def desk(repo: Repo) -> Desk:
    desk = Desk(repo)
    desk.change({"a": b"1", "d/b": b"2", "d/c": b"3"})
    return desk


def test_the_work_tree_follows_main(desk: Desk) -> None:
    assert desk.shows() == {"a": b"1", "d/b": b"2", "d/c": b"3"}

    desk.change({"a": b"new", "d/b": None, "d/c": None, "e/f/g": b"4"})

    assert desk.shows() == {"a": b"new", "e/f/g": b"4"}
    assert desk.repo.dirty() == frozenset()


def test_other_refs_leave_the_work_tree_alone(desk: Desk) -> None:
    desk.repo.move("refs/remotes/letta/main", None, add(desk.repo, {"a": b"live"}))

    assert desk.shows() == {"a": b"1", "d/b": b"2", "d/c": b"3"}
    assert desk.repo.dirty() == frozenset()


@pytest.mark.parametrize(
    ("path", "mine", "theirs"),
    [
        ("a", b"mine", b"theirs"),
        ("a", b"mine", None),
        ("a", None, b"theirs"),
        ("d/b", None, b"theirs"),
        ("new", b"mine", b"theirs"),
        ("n/e/w", b"mine", b"theirs"),
    ],
)
def test_an_uncommitted_edit_stays(desk: Desk, path: str, mine: bytes | None, theirs: bytes | None) -> None:
    desk.save(path, mine)
    assert desk.repo.dirty() == {path}

    desk.change({path: theirs, "d/c": b"clean"})

    assert desk.shows().get(path) == mine
    assert desk.shows()["d/c"] == b"clean"
    assert desk.repo.dirty() == {path}


def test_an_edit_that_main_catches_up_with_is_none_any_more(desk: Desk) -> None:
    desk.save("a", b"same")
    desk.save("d/c", None)
    desk.change({"a": b"same", "d/c": None})
    assert desk.repo.dirty() == frozenset()

    desk.change({"a": b"later"})

    assert desk.shows() == {"a": b"later", "d/b": b"2"}


def test_an_edit_taken_back_is_none_any_more(desk: Desk) -> None:
    desk.save("a", b"other")
    desk.save("a", b"1")

    assert desk.repo.dirty() == frozenset()


def test_an_edit_outlives_many_moves(desk: Desk) -> None:
    desk.save("a", b"mine")
    for count in range(3):
        desk.change({"a": b"%d" % count, "d/b": b"%d" % count})

    assert desk.shows() == {"a": b"mine", "d/b": b"2", "d/c": b"3"}
    assert desk.repo.dirty() == {"a"}


def test_a_refused_move_touches_no_file(desk: Desk) -> None:
    before = desk.shows()
    stale = add(desk.repo, {"a": b"stale"}, desk.repo.ref(MAIN))

    assert not desk.repo.move(MAIN, stale, stale)
    assert desk.shows() == before
