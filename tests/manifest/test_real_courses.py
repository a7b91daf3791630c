"""The courses people really wrote, where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.manifest.load import Loaded, load_course

from .samples import folder_files

CHECKOUT = Path(__file__).parents[2]
REAL = Path(os.environ.get("RECONCILER_REAL_COURSES", CHECKOUT.parent / "shared" / "courses"))

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="RECONCILER_REAL_COURSES names no folder")


def real(path: str) -> Loaded:
    folder = REAL / path
    return load_course(folder_files(folder), folder.name)


@pytest.mark.parametrize(
    ("path", "steps", "blocks", "tasks"),
    [
        ("v2/college-essay", [3, 3, 4], 3, 1),
        ("v2/default", [], 2, 0),
        ("v1/college-essay", [4, 3, 4], 2, 1),
    ],
)
def test_they_load_without_errors(path: str, steps: list[int], blocks: int, tasks: int) -> None:
    course = real(path).course
    assert course
    assert [len(module.steps) for module in course.modules] == steps
    assert (len(course.blocks), len(course.tasks)) == (blocks, tasks)


def test_blocks_that_share_a_label_are_one_error() -> None:
    found = real("v2/poc-tutor")
    assert found.course is None
    (error,) = found.problems
    assert (error.severity, error.line) == ("error", 43)
    for name in ("course_syllabus", "operating_manual", "progress", "student", '"human"'):
        assert name in error.message


def test_a_file_that_is_no_toml_says_line_and_reason() -> None:
    found = load_course(folder_files(REAL / "invalid"), "invalid", main="Test.toml")
    assert [str(each)[:100] for each in found.problems] == [
        "invalid/Test.toml:28: is not valid TOML at column 13: expected newline or end of document after a stat"[:100]
    ]
