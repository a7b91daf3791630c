"""Course files as their authors have them on disk, committed or not: are they right, and how are they written today?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from reconciler.core.outcome import ERROR, IN_SYNC
from reconciler.errors import Terminal
from reconciler.manifest.limits import MAX_BYTES
from reconciler.manifest.load import COURSE, load_course
from reconciler.manifest.migrate import MigrationError, migrate_course, migrate_module
from reconciler.manifest.problems import Problem
from reconciler.terminal import say, show_json
from reconciler.visible import counted

MODULES = "modules"


@dataclass(frozen=True)
class Judged:
    """One course as it stands on disk, and everything wrong with it."""

    path: Path
    problems: tuple[Problem, ...]

    @property
    def is_good(self) -> bool:
        return all(problem.severity != "error" for problem in self.problems)


def validate(paths: Sequence[Path], output: str) -> int:
    """Say what is wrong with these courses: folders, single course files, or folders of courses."""
    judged = [_judged(found) for path in paths for found in _courses(path)]
    if output == "json":
        show_json({"version": 1, "courses": [_as_json(each) for each in judged]})
    else:
        for each in judged:
            _print(each)
        bad = sum(not each.is_good for each in judged)
        say(f"{counted(len(judged), 'course')}: {f'{bad:,} with errors' if bad else 'all good'}")
    return IN_SYNC if all(each.is_good for each in judged) else ERROR


def migrate(path: Path, write: bool) -> int:
    """Show how a file, or every file of a course, reads in the present version; with ``write``, rewrite it."""
    if path.is_file() and not write:
        print(_migrated(path)[1], end="")
        return IN_SYNC
    files = [path] if path.is_file() else [path / COURSE, *sorted((path / MODULES).glob("*.toml"))]
    changed = [(file, *texts) for file in files if (texts := _migrated(file))[0] != texts[1]]
    for file, before, after in changed:
        if write:
            _write_whole(file, after)
            say(f"{file}: migrated")
        else:
            for line in unified_diff(before.splitlines(), after.splitlines(), str(file), str(file), lineterm=""):
                say(line)
    if not changed:
        say(f"{path}: already in the present version")
    return IN_SYNC


def _courses(path: Path) -> Iterator[Path]:
    """The course files that a path means; Terminal where it means none."""
    if path.is_file():
        yield path
    elif (path / COURSE).is_file():
        yield path / COURSE
    elif found := sorted(path.glob(f"*/{COURSE}")):
        yield from found
    elif path.is_dir():
        raise Terminal(f"{path} holds no course: expected {COURSE} in it, or folders with one each")
    else:
        raise Terminal(f"there is no {path}")


def _judged(file: Path) -> Judged:
    folder = file.parent
    names = [file.name, *(f"{MODULES}/{name}" for name in _toml_names(folder / MODULES))]
    files = {name: _content(folder / name) for name in names}
    loaded = load_course(files, folder.resolve().name, file.name)
    return Judged(file, loaded.problems)


def _toml_names(folder: Path) -> list[str]:
    with suppress(FileNotFoundError):
        return sorted(name for name in os.listdir(folder) if name.endswith(".toml"))
    return []


def _content(file: Path) -> bytes:
    """One byte more than is allowed, so that the loader sees that it is too much."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise Terminal(f"{file} cannot be read: {error.strerror}") from error


def _print(judged: Judged) -> None:
    if not judged.problems:
        say(f"ok      {judged.path}")
    for problem in judged.problems:
        say(f"{problem.severity:<7} {problem}")


def _as_json(judged: Judged) -> dict[str, object]:
    problems = [
        {"severity": each.severity, "file": each.file, "line": each.line, "key": each.key, "message": each.message}
        for each in judged.problems
    ]
    return {"path": str(judged.path), "ok": judged.is_good, "problems": problems}


def _migrated(file: Path) -> tuple[str, str]:
    """The text as it is, and as it would be."""
    try:
        text = _content(file).decode()
        if len(text) > MAX_BYTES:
            raise Terminal(f"{file} is larger than {MAX_BYTES:,} bytes")
        return text, (migrate_module if file.parent.name == MODULES else migrate_course)(text)
    except (MigrationError, UnicodeDecodeError) as error:
        raise Terminal(f"{file}: {error}") from error


def _write_whole(file: Path, text: str) -> None:
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_bytes(text.encode())
    fresh.chmod(file.stat().st_mode)
    fresh.replace(file)
