"""Courses for the tests: one text for each trait, and short ways to load one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.manifest.course import Course
from reconciler.manifest.load import Loaded, load_course

EXAMPLES = Path(__file__).parents[2] / "courses"

AGENT = '[agent]\nid = "c"\nname = "C"\n'
BLOCK = '[block.b]\nlabel = "b"\n'
MODULE = '[module]\nid = "m"\nname = "M"\n'
LISTED = AGENT + 'modules = ["m"]\n'


def loaded(text: str, modules: Mapping[str, str] | None = None, folder: str = "c") -> Loaded:
    files = {f"modules/{name}.toml": module.encode() for name, module in (modules or {}).items()}
    return load_course({"course.toml": text.encode(), **files}, folder)


def course_of(text: str, modules: Mapping[str, str] | None = None) -> Course:
    """The course of a text that must load without a word."""
    found = loaded(text, modules)
    assert found.problems == ()
    assert found.course is not None
    return found.course


def errors_of(text: str, modules: Mapping[str, str] | None = None) -> list[str]:
    return [str(each) for each in loaded(text, modules).problems if each.severity == "error"]


def warnings_of(text: str, modules: Mapping[str, str] | None = None) -> list[str]:
    return [str(each) for each in loaded(text, modules).problems if each.severity == "warning"]


def folder_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.toml"))}
