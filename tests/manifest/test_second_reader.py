"""Our edits of TOML, read by somebody else: tomlkit must find what tomllib finds, comments and all."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import tomlkit

from reconciler.manifest.tomledit import set_value

COURSES = sorted((Path(__file__).parents[2] / "courses").glob("*/course.toml"))
EDITS = [
    (("messages", "welcome_first"), 'Say "hello".\nThen ask.'),
    (("agent", "system"), "One line"),
    (("new", "key"), [1, 2]),
]


@pytest.mark.parametrize("path", COURSES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize(("key", "value"), EDITS, ids=lambda each: str(each)[:20])
def test_tomlkit_reads_an_edited_course_as_we_do(path: Path, key: tuple[str, str], value: object) -> None:
    edited = set_value(path.read_text(), key, value)

    assert tomlkit.parse(edited).unwrap() == tomllib.loads(edited)
    assert tomlkit.dumps(tomlkit.parse(edited)) == edited
