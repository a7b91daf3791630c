"""Whatever bytes stand in a course folder, loading ends soon, with a course or with errors that say where."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.manifest.load import Loaded, load_course
from reconciler.manifest.reading.notes import MAX_EACH

from .samples import AGENT, EXAMPLES, course_of, folder_files, loaded

RICH = folder_files(EXAMPLES / "intro-statistics")
LEGACY = folder_files(EXAMPLES / "creative-writing")
ODD_VALUES = [
    b"1",
    b'""',
    b"[]",
    b"{}",
    b"nan",
    b'["a", "a"]',
    b"[[[]]]",
    b"1979-05-27",
    b'"../x"',
    b"false",
    b"0x7" * 99,
]


def is_sound(found: Loaded) -> bool:
    errors = [each for each in found.problems if each.severity == "error"]
    return (found.course is None) == bool(errors) and all(each.message and each.file for each in found.problems)


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, bytes]:
    """A real folder with a few lines lost, doubled, moved or given another value."""
    files = dict(draw(st.sampled_from([RICH, LEGACY])))
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(sorted(files)))
        lines = files[path].split(b"\n")
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["lose", "double", "cut", "value", "swap"])):
            case "lose":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
            case "value":
                lines[at] = lines[at].partition(b"=")[0] + b"= " + draw(st.sampled_from(ODD_VALUES))
            case _:
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
        files[path] = b"\n".join(lines)
    return files


@given(damaged())
def test_a_damaged_course_loads_or_says_what_is_wrong(files: dict[str, bytes]) -> None:
    found = load_course(files, "intro-statistics")
    assert is_sound(found)
    for problem in found.problems:
        lines = files[problem.file.split("/", 1)[1]].count(b"\n") + 1
        assert problem.line is None or 1 <= problem.line <= lines


@given(st.binary(max_size=80), st.binary(max_size=80))
@example(b"\xef\xbb\xbf" + AGENT.encode(), b"")
@example(b"\xff\xfea", b"\r")
def test_any_bytes_load_or_say_what_is_wrong(course: bytes, module: bytes) -> None:
    assert is_sound(load_course({"course.toml": course, "modules/m.toml": module}, "c"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b"#" * 50_000_000,
            "c/course.toml: has 50,000,000 bytes; expected at most 1,000,000.",
        ),
        (AGENT.encode() + b'system = "\xff"\n', "c/course.toml:4: byte 38 is not UTF-8 (invalid start byte); save the"),
        (AGENT.encode("utf-16"), "c/course.toml:1: byte 0 is not UTF-8"),
        (b"x = " + b"[" * 100_000, "c/course.toml: nests deeper than 32 levels; expected a few"),
        (b"x = " + b"[" * 40 + b"]" * 40, "nests deeper than 32 levels"),
        (b"x = " + b"{ a = " * 9_000, "nests deeper than 32 levels"),
        (b"x" + b".x" * 100_000 + b" = 1\n", "nests deeper than 32 levels"),
        (b"[" + b"x." * 100_000 + b"x]\n", "nests deeper than 32 levels"),
        (b"x = 1\rx = 2\r", "c/course.toml:1: is not valid TOML"),
        (b"\0", "c/course.toml:1: is not valid TOML"),
    ],
    ids=lambda given: given[:24] if isinstance(given, bytes) else "",
)
def test_a_hostile_file_is_one_clear_error(content: bytes, expected: str) -> None:
    found = load_course({"course.toml": content}, "c")
    assert found.course is None
    (problem,) = found.problems
    assert expected in str(problem)
    assert len(str(problem)) < 300


@pytest.mark.parametrize("content", [b"[" * 60_000, b"\xfe", b"#" * 2_000_000])
def test_a_hostile_module_is_one_clear_error(content: bytes) -> None:
    course = (AGENT + 'modules = ["m"]\n').encode()
    (problem,) = load_course({"course.toml": course, "modules/m.toml": content}, "c").problems
    assert problem.file == "c/modules/m.toml"


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    windows = "\ufeff" + AGENT.replace("\n", "\r\n")
    assert course_of(windows) == course_of(AGENT)


def test_lines_are_counted_alike_with_windows_line_ends() -> None:
    text = AGENT + 'model = 1\n[block.b]\nlabel = "b"\nfield.f = { type = "x" }\n'
    assert [each.line for each in loaded(text.replace("\n", "\r\n")).problems] == [4, 7]


@pytest.mark.parametrize(
    "content",
    [
        "".join(f"k{at} = 1\n" for at in range(60_000)),
        "[[task]]\nx = 1\n" * 30_000,
        "tools = [" + '"t",' * 150_000 + "]\n",
        '[block.b]\nlabel = "b"\nfield.f = { type = "list", default = [' + ",".join(map(str, range(120_000))) + "] }\n",
        'system = "' + "x" * 900_000 + '"\n',
        "x = " + '"\\"' * 200_000,
    ],
    ids=["unknown keys", "tasks", "tools", "items", "text", "quotes"],
)
def test_a_large_file_does_not_stop_everybody(content: str) -> None:
    started = time.process_time()
    found = loaded(AGENT + content)
    assert time.process_time() - started < 20
    assert len(found.problems) <= 2 * MAX_EACH + 2


def test_many_warnings_never_hide_an_error() -> None:
    found = loaded(AGENT + "".join(f"k{at} = 1\n" for at in range(500)) + "model = 1\n")
    assert [each.key for each in found.problems if each.severity == "error"] == ["agent.model"]
    assert "at least 100 warnings" in found.problems[-1].message
