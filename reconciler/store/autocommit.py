"""Saved files of a work tree become a commit of whoever saved them, where the settings ask for that.

Only what people write by hand, only once it is whole and valid, and never into somebody's merge or rebase. A deletion
is left to whoever means it: an editor that replaces a file deletes it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from reconciler.core.outcome import Notice
from reconciler.core.snapshot import Scope
from reconciler.manifest.limits import MAX_BYTES
from reconciler.manifest.load import COURSE, load_course
from reconciler.manifest.problems import Problem
from reconciler.manifest.reading.toml import parse
from reconciler.manifest.user import read_user
from reconciler.ports import Draft, Person
from reconciler.store.disk import Disk
from reconciler.store.gitio import MAIN, GitRepo
from reconciler.store.people import one_line
from reconciler.store.place import common_folder

COURSES: Scope = "courses"
QUIET = timedelta(seconds=1)
"""A file changed less than this ago may be half written."""

_UNDER_WAY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "index.lock")

Changes = dict[str, bytes]


@dataclass(frozen=True)
class Saved:
    """What came of one work tree. refused: files that are not valid, and why."""

    commit: str | None = None
    refused: tuple[Notice, ...] = ()


def commit_saved(repo: GitRepo, scope: Scope, who: Callable[[], Person], now: datetime) -> Saved:
    """Commit what was saved there. Nothing is done where ``main`` moves meanwhile: the next look sees it again."""
    head = repo.ref(MAIN)
    if head is None or not (dirty := [path for path in sorted(repo.dirty()) if is_written_by_hand(scope, path)]):
        return Saved()
    if any((common_folder(repo.path) / name).exists() for name in _UNDER_WAY):
        return Saved()
    changes = _whole(repo, head, dirty, now)
    problems = list(_problems(repo, head, scope, changes))
    refused = tuple(Notice(f"{scope} {path}", f"is saved, and not committed: {why}") for path, why in problems)
    good = {path: content for path, content in changes.items() if path not in dict(problems)}
    if not good:
        return Saved(None, refused)
    author = who()
    made = repo.commit(Draft(head, (head,), {**good}, author, _subject(good, author), now))
    return Saved(made if repo.move(MAIN, head, made) else None, refused)


def is_written_by_hand(scope: Scope, path: str) -> bool:
    """Whether people edit this file: a course's, or a learner's blocks and ``user.toml``. Editors' own are not."""
    parts = path.split("/")
    if any(part.startswith(".") for part in parts) or not parts[-1].endswith((".toml", ".md")):
        return False
    if scope == COURSES:
        is_course = parts[1:] == [COURSE] or (len(parts) == 3 and parts[1] == "modules" and path.endswith(".toml"))
        return is_course or (len(parts) == 3 and parts[1] == "shared")
    return path == "user.toml" or (parts[0] == "blocks" and len(parts) in (2, 3))


def _whole(repo: GitRepo, head: str, dirty: Iterable[str], now: datetime) -> Changes:
    """The files that are there, differ from ``main``, and have been left in peace for a moment."""
    disk, files = Disk(repo.folder, Path("/nonexistent")), repo.files(head)
    found = {path: disk.look(path) for path in dirty}
    return {
        path: each.content
        for path, each in found.items()
        if each.kind == "file"
        and now.timestamp() - each.stamp[0] / 1e9 >= QUIET.total_seconds()
        and not (path in files and repo.read(files[path]) == each.content)
    }


def _problems(repo: GitRepo, head: str, scope: Scope, changes: Mapping[str, bytes]) -> Iterable[tuple[str, str]]:
    """Each file that is not valid. A course is judged whole: its files are valid together or not at all."""
    single = {path: why for path, content in changes.items() if (why := _problem(path, content, scope))}
    yield from single.items()
    if scope == COURSES:
        for folder in sorted({path.split("/")[0] for path in changes if "/shared/" not in path}):
            own = {path: content for path, content in changes.items() if path.startswith(f"{folder}/")}
            why = _course_problem(repo, head, folder, own)
            yield from ((path, why) for path in own if why and "/shared/" not in path and path not in single)


def _problem(path: str, content: bytes, scope: Scope) -> str:
    if not content.strip():
        return "it is empty"
    if path.endswith(".md"):
        return "" if len(content) <= MAX_BYTES and _is_text(content) else "it is no text, or too long"
    parsed = parse(content, path)
    if isinstance(parsed, Problem):
        return str(parsed)
    if scope != COURSES and path == "user.toml":
        return _first(read_user(content, path)[1])
    return ""


def _course_problem(repo: GitRepo, head: str, folder: str, changes: Mapping[str, bytes]) -> str:
    files = {
        path: blob
        for path, blob in repo.files(head).items()
        if path.startswith(f"{folder}/") and path.endswith(".toml") and "/shared/" not in path
    }
    contents = {path: repo.read(blob) for path, blob in files.items()}
    contents |= {path: content for path, content in changes.items() if "/shared/" not in path}
    return _first(
        load_course({path.removeprefix(f"{folder}/"): each for path, each in contents.items()}, folder).problems
    )


def _first(problems: Iterable[Problem]) -> str:
    return next((str(each) for each in problems if each.severity == "error"), "")


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _subject(changes: Mapping[str, bytes], author: Person) -> str:
    what = next(iter(changes)) if len(changes) == 1 else f"{len(changes)} files"
    return one_line(f"Save {what}, by {author.name}")
