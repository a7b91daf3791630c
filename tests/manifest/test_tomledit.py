"""Laws of editing a course's TOML: the edit means what was asked, and touches nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from reconciler.core.value import Value, same
from reconciler.manifest.spans import Path, comments, statements
from reconciler.manifest.tomledit import EditError, as_value, remove_value, set_value

COURSE = '''\
# What learners see
title = "root key"  # kept

[agent]   # the tutor
id = "intro-statistics"
name = 'Introduction'
system = """You are patient.
Say "why" \\"often\\"."""
tools = ["send_message", "query_honcho:first"]  # two

# Files
[agent.folders]
shared = [
    "worksheets",  # weekly
    # the next one is for staff
    "solutions",
]

[block.learner]
label = "human"
field.name = { type = "string", default = "", description = "Who # it is" }
field.topics = { type = "list", default = ["means", "medians"], max = 5 }

  [block.notes]
  label = "notes"
  fields.text.type = "string"

[[task]]
name = "weekly"
queries = [
    { target = "learner.topics", question = "What?", merge = "append" },  # first
    { target = "notes.text", question = "Why?" },
]

[[task]]
name = "daily"
[task.extra]
deep = { a = { b = [1, 2] } }

# last
[messages]
welcome_first = "Hello"
# the end
'''
TEXTS = (COURSE, COURSE.replace("\n", "\r\n"), "\ufeff" + COURSE, COURSE.removesuffix("\n# the end\n"))

words = st.text(st.sampled_from(list("ab\"'\\\n\r\t#[{é\0")), max_size=8)
scalars = st.booleans() | st.integers(-9, 9) | st.just(1.5) | words | st.just(date(2020, 1, 2))
values = scalars | st.lists(scalars, max_size=4) | st.dictionaries(words, scalars, max_size=2)


def leaves(value: Value, path: Path = ()) -> Iterator[Path]:
    """Every place below the root, tables and arrays included."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple) else ()
    for key, held in inner:
        yield from leaves(held, (*path, key))


def read(text: str) -> Value:
    return as_value(tomllib.loads(text.removeprefix("\ufeff")))


PATHS = sorted(leaves(read(COURSE)), key=repr)
SIMPLE = [each.path for each in statements(COURSE) if each.kind == "pair"]


def at(value: Value, path: Path) -> Value:
    for key in path:
        value = value[key]  # type: ignore[index, call-overload]
    return value


# --- laws ---------------------------------------------------------------------------------------------------


@given(st.sampled_from(TEXTS), st.sampled_from(PATHS), values)
@example(COURSE, ("task",), {"now": "a table"})
@settings(deadline=None, max_examples=400)
def test_any_place_that_is_there_can_be_set(text: str, path: Path, value: object) -> None:
    assume(path[:1] != ("task",) or len(path) != 2)  # only tables stand under [[task]]
    assert same(at(read(set_value(text, path, value)), path), as_value(value))


@given(st.sampled_from(TEXTS), st.sampled_from(SIMPLE), values)
@settings(deadline=None)
def test_setting_a_key_touches_only_its_own_value(text: str, path: Path, value: object) -> None:
    statement = next(each for each in statements(text) if each.path == path)
    edited = set_value(text, path, value)
    assert edited.startswith(text[: statement.value.start])
    assert edited.endswith(text[statement.value.end :])


@given(st.sampled_from(TEXTS), st.sampled_from(SIMPLE))
@settings(deadline=None)
def test_removing_a_key_removes_only_its_own_lines(text: str, path: Path) -> None:
    lines = next(each for each in statements(text) if each.path == path).lines
    assert remove_value(text, path) == text[: lines.start] + text[lines.end :]


@given(st.sampled_from(TEXTS), st.sampled_from(PATHS))
@settings(deadline=None)
def test_a_key_that_was_removed_is_gone_and_the_rest_stays(text: str, path: Path) -> None:
    edited = remove_value(text, path)
    assert sum(1 for _ in leaves(read(edited))) < len(PATHS)
    assert set(comments(edited)) <= set(comments(text))
    for other in PATHS:
        unrelated = other[:1] != path[:1]
        assert not unrelated or same(at(read(edited), other), at(read(text), other))


@given(
    st.sampled_from(TEXTS),
    st.sampled_from([(), ("agent",), ("agent", "folders"), ("block",), ("block", "learner"), ("task", 1), ("fresh",)])
    | st.sampled_from([("block", "learner", "field"), ("block", "notes", "fields"), ("task", 0, "queries", 1)])
    | st.sampled_from([("task", 1, "extra", "deep", "a"), ("fresh", "and", "deep"), ("task", 2), ("messages", "de")]),
    values,
)
@settings(deadline=None, max_examples=200)
def test_a_new_key_adds_lines_and_changes_none(text: str, table: Path, value: object) -> None:
    path = (*table, "brand new")
    edited = set_value(text, path, value)
    assert same(at(read(edited), path), as_value(value))
    assert comments(edited) == [each for each in comments(edited) if each in comments(text)]
    kept = iter(edited.splitlines())
    assert table[:2] in (("task", 0), ("task", 1)) or all(line in kept for line in text.splitlines())


@given(st.sampled_from(TEXTS), st.sampled_from(PATHS))
@settings(deadline=None)
def test_setting_what_is_there_keeps_the_text(text: str, path: Path) -> None:
    assert set_value(text, path, at(read(text), path)) == text


# --- cases --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("agent", "name"), "Statistics", "name = 'Introduction'\n", 'name = "Statistics"\n'),
        (("messages", "welcome_first"), "Hi", '"Hello"\n', '"Hi"\n'),
        (
            ("messages", "welcome_returning"),
            "Back!",
            'welcome_first = "Hello"\n',
            'welcome_first = "Hello"\nwelcome_returning = "Back!"\n',
        ),
        (
            ("agent", "system"),
            'You are brisk.\nSay "why" "often".',
            'patient.\nSay "why" \\"often\\".',
            'brisk.\nSay "why" "often".',
        ),
        (
            ("agent", "folders", "shared"),
            ["worksheets", "videos", "solutions"],
            "  # weekly\n    # the",
            '  # weekly\n    "videos",\n    # the',
        ),
        (("block", "learner", "field", "topics", "max"), 9, "max = 5", "max = 9"),
        (("block", "learner", "field", "topics", "required"), True, "max = 5 }", "max = 5, required = true }"),
        (
            ("block", "learner", "field", "age"),
            {"type": "int"},
            "max = 5 }\n",
            'max = 5 }\nfield.age = { type = "int" }\n',
        ),
        (("task", 0, "queries", 1, "question"), "How?", '"Why?"', '"How?"'),
        (("task", 1, "schedule"), "0 3 * * *", 'name = "daily"\n', 'name = "daily"\nschedule = "0 3 * * *"\n'),
        (
            ("task", 2),
            {"name": "hourly"},
            "[1, 2] } }\n",
            '[1, 2] } }\n\n[[task]]\nname = "hourly"\n',
        ),
        (
            ("block", "mood"),
            {"label": "mood", "field": {"now": {"type": "string"}}},
            '  fields.text.type = "string"\n',
            '  fields.text.type = "string"\n\n[block.mood]\nlabel = "mood"\nfield.now = { type = "string" }\n',
        ),
    ],
)
def test_edits_look_as_an_author_would_write_them(path: Path, value: object, old: str, new: str) -> None:
    assert COURSE.count(old) == 1
    assert set_value(COURSE, path, value) == COURSE.replace(old, new)


def test_a_first_section_needs_no_blank_line_above() -> None:
    assert set_value("", ("messages", "welcome_first"), "Hi") == '[messages]\nwelcome_first = "Hi"\n'


def test_a_whole_table_goes_with_its_sections_and_leaves_the_comments_above() -> None:
    expected = COURSE.replace(COURSE[COURSE.index("[[task]]") : COURSE.index("\n# last")], "")
    assert remove_value(COURSE, ("task",)).replace("\n", "") == expected.replace("\n", "")


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert remove_value(COURSE, ("agent", "nothing")) == COURSE


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("a = 1\n", ("a", "b"), 2),
        ("a = [1]\n", ("a", 5), 2),
        ("a = [1]\n", ("a", "b"), 2),
        ("a = {}\n", ("a", 0), 2),
        ("a = \n", ("a",), 2),
        ("a = 1\n", ("a",), float("nan")),
        ("a = 1\n", ("a",), None),
        ("[[a]]\nb = 1\n", ("a", 0), 2),
        ("a = 1\n", ("a",), 2**80),
    ],
)
def test_an_edit_that_cannot_be_made_says_so(text: str, path: Path, value: object) -> None:
    with pytest.raises(EditError):
        set_value(text, path, value)


def test_a_moment_keeps_its_offset() -> None:
    edited = set_value("a = 1\n", ("a",), datetime(2025, 1, 31, 9, tzinfo=UTC))
    assert edited == "a = 2025-01-31T09:00:00+00:00\n"
