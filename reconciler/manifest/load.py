"""A course folder's files as one course, or as everything that is wrong with them.

Versions 1 and 2 are told apart section by section, so a file may mix them. A course is given only when
no file of it has an error; the caller keeps the last good one in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.manifest.course import Course, Module
from reconciler.manifest.keys import Table
from reconciler.manifest.names import NameRefused, check_name
from reconciler.manifest.problems import Problem
from reconciler.manifest.reading.agent import Head, read_course
from reconciler.manifest.reading.modules import Surroundings, read_module
from reconciler.manifest.reading.notes import Notes
from reconciler.manifest.reading.section import Section, open_section
from reconciler.manifest.reading.toml import parse
from reconciler.manifest.reading.unknown import nearest
from reconciler.manifest.tables import COURSE_FILE, MODULE_FILE

COURSE = "course.toml"
MODULES = "modules/"


@dataclass(frozen=True)
class Loaded:
    """`course` is None exactly where some problem is an error."""

    course: Course | None
    problems: tuple[Problem, ...]


def load_course(files: Mapping[str, bytes], folder: str, main: str = COURSE) -> Loaded:
    """The course of these files, whose paths are relative to its folder; `folder` is that folder's name.

    `main` is the course file's path, for those who look at one that has another name.
    """
    if main not in files:
        message = f"there is no {main} in this folder; expected one, beginning with [agent]"
        return Loaded(None, (Problem("error", _shown(folder, main), None, "", message),))
    opened = _open(files[main], _shown(folder, main), COURSE_FILE)
    if isinstance(opened, Problem):
        return Loaded(None, (opened,))
    notes = opened.notes
    head = read_course(opened, folder)
    modules, problems = _modules(files, head, folder, notes)
    problems = (*notes.problems, *problems, *_unlisted(files, head, folder))
    if any(problem.severity == "error" for problem in problems):
        return Loaded(None, problems)
    return Loaded(replace(head.course, modules=modules), problems)


def _open(content: bytes, file: str, table: Table) -> Section | Problem:
    parsed = parse(content, file)
    if isinstance(parsed, Problem):
        return parsed
    opened = open_section(parsed.tables, table, (), Notes(file, parsed.text))
    assert opened is not None, "a TOML document is a table"
    return opened


def _modules(
    files: Mapping[str, bytes], head: Head, folder: str, notes: Notes
) -> tuple[tuple[Module, ...], tuple[Problem, ...]]:
    """The listed modules in the order they are taken, and the problems of their files."""
    around = Surroundings(head.course.blocks, head.course.tools)
    modules: list[Module] = []
    problems: list[Problem] = []
    for at, name in _listed(files, head, notes):
        opened = _open(files[_path(name)], _shown(folder, _path(name)), MODULE_FILE)
        if isinstance(opened, Problem):
            problems.append(opened)
            continue
        module = read_module(opened, name, around)
        problems.extend(opened.notes.problems)
        if module is None:
            continue
        if any(module.id == earlier.id for earlier in modules):
            notes.error((*head.listed_at, at), f'two modules have the id "{module.id}"; give each its own')
        modules.append(module)
    return tuple(sorted(modules, key=lambda module: module.order)), tuple(problems)


def _listed(files: Mapping[str, bytes], head: Head, notes: Notes) -> Iterator[tuple[int, str]]:
    """The modules whose files are there, with their places in the list."""
    for at, name in enumerate(head.module_names):
        if message := _wrong_listing(files, head.module_names[:at], name):
            notes.error((*head.listed_at, at), message)
        else:
            yield at, name


def _wrong_listing(files: Mapping[str, bytes], earlier: tuple[str, ...], name: str) -> str | None:
    try:
        check_name(name.removesuffix(".toml"), "module name")
    except NameRefused as refused:
        return str(refused)
    if name in earlier:
        return f'"{name}" is listed twice; keep one'
    if _path(name) in files:
        return None
    near = nearest(name.removesuffix(".toml"), _present(files))
    return f"there is no {_path(name)}; {f'did you mean {near}?' if near else 'add the file or take it off the list'}"


def _unlisted(files: Mapping[str, bytes], head: Head, folder: str) -> Iterator[Problem]:
    """A module file that no list names is easily taken for one that is taught."""
    for name in _present(files):
        if name not in head.module_names:
            message = "is not used, as agent.modules does not list it; list it or remove it"
            yield Problem("warning", _shown(folder, _path(name)), None, "", message)


def _present(files: Mapping[str, bytes]) -> list[str]:
    inside = (path.removeprefix(MODULES) for path in sorted(files) if path.startswith(MODULES))
    return [name.removesuffix(".toml") for name in inside if name.endswith(".toml") and "/" not in name]


def _path(name: str) -> str:
    return f"{MODULES}{name}.toml"


def _shown(folder: str, path: str) -> str:
    return f"{folder}/{path}" if folder else path
