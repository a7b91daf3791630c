"""The courses of a commit. A course that does not load leaves its last good version in force, and is reported.

Nothing is parsed twice: a course is remembered by the ids of its blobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reconciler.core.outcome import Notice
from reconciler.errors import Terminal
from reconciler.manifest.course import Course
from reconciler.manifest.load import Loaded, load_course
from reconciler.manifest.problems import Problem
from reconciler.ports import Repo

MOST_STEPS_BACK = 200
"""How many commits are searched for a course's last good version."""

NO_EDITS: Mapping[str, bytes] = MappingProxyType({})
Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Courses:
    """Every course in force, by id. ``known``: folders that hold a course file, good or bad."""

    courses: Mapping[str, Course] = field(default_factory=dict[str, Course])
    known: frozenset[str] = frozenset()
    warnings: tuple[Notice, ...] = ()
    errors: tuple[Notice, ...] = ()


class CourseReader:
    """Reads courses out of one repo, remembering each by its blobs."""

    def __init__(self) -> None:
        self._loaded: dict[Key, Loaded] = {}

    def read(self, repo: Repo, commit: str, edits: Mapping[str, bytes] = NO_EDITS) -> Courses:
        """The courses at a commit, with these files edited: what is captured in a pass counts within it."""
        files = repo.files(commit)
        folders = sorted(
            {path.split("/")[0] for path in files if path.endswith("/course.toml") and path.count("/") == 1}
        )
        courses: dict[str, Course] = {}
        warnings: list[Notice] = []
        errors: list[Notice] = []
        for folder in folders:
            loaded = self._edited(repo, files, folder, edits) or self._load(repo, files, folder)
            said = [Notice(f"courses/{problem.file}", str(problem)) for problem in loaded.problems]
            if loaded.course is None:
                errors += [note for note, each in zip(said, loaded.problems, strict=True) if each.severity == "error"]
                loaded = self._last_good(repo, commit, folder)
            else:
                warnings += said
            if loaded is not None and loaded.course is not None:
                courses[loaded.course.id] = loaded.course
        return Courses(courses, frozenset(folders), tuple(warnings), tuple(errors))

    def _edited(self, repo: Repo, files: Mapping[str, str], folder: str, edits: Mapping[str, bytes]) -> Loaded | None:
        own = {path: content for path, content in edits.items() if path.startswith(f"{folder}/")}
        if not own:
            return None
        return _read(repo, {path: blob for path, blob in files.items() if path.startswith(f"{folder}/")}, folder, own)

    def _last_good(self, repo: Repo, commit: str, folder: str) -> Loaded | None:
        for older in reversed(repo.log(commit, limit=MOST_STEPS_BACK)):
            loaded = self._load(repo, repo.files(older.id), folder)
            if loaded.course is not None:
                return loaded
        return None

    def _load(self, repo: Repo, files: Mapping[str, str], folder: str) -> Loaded:
        own = {path: blob for path, blob in files.items() if path.startswith(f"{folder}/")}
        key: Key = tuple(sorted(own.items()))
        if key not in self._loaded:
            self._loaded[key] = _read(repo, own, folder)
        return self._loaded[key]


def _read(repo: Repo, files: Mapping[str, str], folder: str, edits: Mapping[str, bytes] = NO_EDITS) -> Loaded:
    """Load the course file and the modules; what stands under ``shared/`` are documents, not course."""
    wanted = {path: blob for path, blob in files.items() if path.endswith(".toml") and "/shared/" not in path}
    contents: dict[str, bytes] = {}
    for path, blob in wanted.items():
        try:
            contents[path.removeprefix(f"{folder}/")] = edits[path] if path in edits else repo.read(blob)
        except Terminal as error:
            return Loaded(None, (Problem("error", path, None, "", str(error)),))
    return load_course(contents, folder)
