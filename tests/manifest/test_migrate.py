"""Laws of migration: the same course, every comment, no version 1 left, and nothing to do a second time."""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from reconciler.manifest.load import Loaded, load_course
from reconciler.manifest.migrate import MigrationError, migrate_course, migrate_module
from reconciler.manifest.spans import comments
from reconciler.manifest.spelling import spell, spell_key

REAL = Path(os.environ.get("RECONCILER_REAL_COURSES", Path(__file__).parents[2] / "../shared/courses"))

EVERY_TRAIT = '''\
# Top of the file

# === Course ===
[course]  # what it is
id = "pottery"
name = "Pottery"  # as people see it
modules = []
# nobody knows the next one
mood = "calm"
model = "ignored/here"

# === Agent ===
[agent]
model = "openai/gpt-4o"
system = """Be patient.
# not a comment
"""

# Files
[agent.folders]
shared = ["glazes"]

# how it answers
[[agent.tools]]
id = "send_message"
rules = { type = "exit_loop" }

# asks
[[agent.tools]]  # often
id = "query_honcho"
rules = { type = "run_first", max_count = 3 }  # at most

[[agent.tools]]
id = "spin_wheel"
enabled = false
[agent.tools.rules]
type = "continue_loop"

[[agent.tools]]
id = "fire_kiln"
color = "red"

# === Blocks ===
[blocks.persona]  # who
label = "persona"
description = "Who it is"

# the fields
[blocks.persona.fields]  # inline
name = { type = "string", default = "Potter" }  # called
style = { type = "list", default = ["calm"], max = 5 }

[blocks.learner]
label = "human"
colour = "unknown"

# nested
[blocks.learner.fields.topics]  # about
# what kind
type = "list"  # of strings
default = [
    "clay",  # first
]
max = 7

[blocks.learner.fields.since]
type = "datetime"

[blocks.learner.extra]
unknown = 1  # below

# === Background ===
[background.harvest]
enabled = false  # for now
agent_types = ["tutor"]
name = "ignored name"

[background.harvest.triggers]
schedule = "0 3 * * *"  # at night
manual = false
after_messages = 4

# idle
[background.harvest.triggers.idle]
enabled = true
threshold_minutes = 5
cooldown_minutes = 6

# ask this
[[background.harvest.queries]]
id = "topics"
question = "What # was asked?"  # really
session_scope = "recent"
recent_limit = 2
target_block = "learner"  # where
target_field = "topics"
merge_strategy = "replace"

# and this
[[background.harvest.queries]]
question = "How?"
target_block = "persona"
target_field = "style"

[background.second]
tools = [
    "query_honcho",
    # kept
    { id = "edit_memory_block", rules = { type = "exit_loop" } },
]
system = "Look."
triggers = { manual = true, idle = { enabled = true } }
queries = [{ target_block = "learner", target_field = "topics", question = "Who?" }]

# === Messages ===
[messages]
welcome_first = "Hello"
# the end
'''

MIXED = """\
[agent]
id = "mixed"
name = "Mixed"
tools = ["send_message", { id = "query_honcho", rules = { type = "exit_loop" } }]  # two

[background.older]
system = "Old."

[block.learner]
label = "human"
field.name   =   { type = "string" }   # untouched

[blocks.notes]
label = "notes"

[block.plan]
label = "plan"
[block.plan.fields]
goal = { type = "string" }

[[task]]
system = "Unnamed, so its name is its place."

[messages]
"""

SPELT_OTHERWISE = """\
course.id = "dotted"
course.name = "Dotted"
blocks = { a = { label = "a", fields = { x = { type = "int" } } }, b = { label = "b" } }
background.t.system = "Look."
agent = { system = "Be kind." }
"""

HEADERS_ALONE = """\
[course]
id = "bare"
name = "Bare"
[blocks]  # all of them
a = { label = "a", fields = {} }
# second
[blocks.b]
label = "b"
[blocks.b.fields]
[background]
[background.t]
[background.t.triggers]
# at the end
"""

COURSES = {
    "every trait": EVERY_TRAIT,
    "mixed versions": MIXED,
    "dotted and inline": SPELT_OTHERWISE,
    "bare headers": HEADERS_ALONE,
    "windows line ends": EVERY_TRAIT.replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + EVERY_TRAIT,
    "no newline at the end": '[course]\nid = "a"\nname = "A"\n[agent]\nmodel = "m"  # which',
    "tools alone": '[agent]\nid = "a"\nname = "A"\n# t\n[[agent.tools]]  # first\nid = "x"\n',
    "said twice alike": '[course]\nid = "a"\nname = "A"  # here\n[agent]\nname = "A"  # and here\n',
    "agent first": '# one\n[agent]\nmodel = "m"\n\n# two\n[course]\nid = "a"\nname = "A"\n',
    "unknown tables": '[course]\nid = "a"\nname = "A"\n[course.extra]\nx = 1\n[[course.more]]\ny = 2\n[agent]\n',
    "gaining tables": '[course]\nid = "a"\nname = "A"\n# why\n[course.folders]  # no\nprivate = true\n[agent]\n',
}


def loaded(text: str, files: dict[str, bytes] | None = None) -> Loaded:
    return load_course({**(files or {}), "course.toml": text.encode()}, "folder")


def check_the_laws(text: str, files: dict[str, bytes] | None = None) -> str:
    migrated = migrate_course(text)
    assert loaded(migrated, files).course == loaded(text, files).course
    assert Counter(comments(text)) <= Counter(comments(migrated))
    assert migrate_course(migrated) == migrated
    assert not tomllib.loads(migrated.removeprefix("\ufeff")).keys() & {"course", "blocks", "background"}
    return migrated


# --- laws ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", COURSES.values(), ids=COURSES.keys())
def test_a_migrated_course_is_the_same_course(text: str) -> None:
    assert loaded(text).course is not None, loaded(text).problems
    check_the_laws(text)


NAMES = st.sampled_from(["alpha", "beta", "gamma-2", "delta_3"])
WORDS = st.sampled_from(["", "plain", 'quo"ted', "it's # here", "two\nlines", "back\\slash", "é"])
REMARKS = st.sampled_from(["", "", "# plain", '# it\'s "odd" = [', "#"])
RULES = st.sampled_from(["exit_loop", "continue_loop", "run_first", "exit", "first"])
TOOLS = st.fixed_dictionaries(
    {},
    optional={
        "rules": st.fixed_dictionaries({}, optional={"type": RULES, "max_count": st.integers(1, 3)}),
        "enabled": st.booleans(),
        "shade": WORDS,
    },
)
FIELDS = st.one_of(
    st.fixed_dictionaries({"type": st.just("string")}, optional={"default": WORDS, "description": WORDS}),
    st.fixed_dictionaries(
        {"type": st.just("list")},
        optional={"default": st.lists(WORDS, max_size=3, unique=True).map(tuple), "max": st.integers(3, 9)},
    ),
    st.fixed_dictionaries({"type": st.just("bool")}, optional={"default": st.booleans(), "required": st.booleans()}),
)
QUERIES = st.fixed_dictionaries(
    {"question": st.just("Why?"), "target_block": st.just("learner")},
    optional={
        "target_field": NAMES,
        "id": NAMES,
        "session_scope": st.sampled_from(["all", "recent"]),
        "recent_limit": st.integers(1, 9),
        "merge_strategy": st.sampled_from(["append", "replace"]),
        "shade": WORDS,
    },
)
IDLE = st.fixed_dictionaries(
    {},
    optional={"enabled": st.booleans(), "threshold_minutes": st.integers(0, 9), "cooldown_minutes": st.integers(0, 9)},
)
TRIGGERS = st.fixed_dictionaries(
    {},
    optional={
        "schedule": st.just("0 3 * * *"),
        "manual": st.booleans(),
        "after_messages": st.integers(1, 9),
        "idle": IDLE,
    },
)
TASKS = st.fixed_dictionaries(
    {},
    optional={
        "enabled": st.booleans(),
        "batch_size": st.integers(1, 9),
        "system": WORDS,
        "manual": st.booleans(),  # no key of version 1: it must not begin to mean something
        "tools": st.lists(NAMES, max_size=2, unique=True).map(tuple),
        "triggers": TRIGGERS,
        "queries": st.lists(QUERIES, max_size=2).map(tuple),
    },
)


@st.composite
def version_1_courses(draw: st.DrawFn) -> str:
    """A version 1 course in any spelling TOML allows, comments anywhere."""
    writer = Writer(draw)
    writer.table("course", {"id": "pottery", "name": draw(WORDS.filter(str.strip)), "shade": 1, "system": "none"})
    writer.table("agent", {"model": "m", "system": draw(WORDS)})
    for name, tool in draw(st.dictionaries(NAMES, TOOLS, max_size=3)).items():
        writer.table("agent.tools", {"id": name, **tool}, array=True)
    blocks = draw(st.dictionaries(NAMES, st.dictionaries(NAMES, FIELDS, max_size=3), max_size=2))
    for name, fields in {"learner": {"alpha": {"type": "string"}}, **blocks}.items():
        writer.table(f"blocks.{name}", {"label": name, "description": draw(WORDS), "fields": fields})
    for name, task in draw(st.dictionaries(NAMES, TASKS, max_size=2)).items():
        writer.table(f"background.{name}", task)
    return writer.text()


class Writer:
    """Writes tables inline, dotted or under headers, as drawn."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._lines: list[str] = []

    def table(self, name: str, table: dict[str, object], array: bool = False) -> None:
        self._remark()
        self._lines.append(f"{'[[' if array else '['}{name}{']]' if array else ']'}  {self._draw(REMARKS)}")
        inner: list[tuple[str, object]] = []
        for key, held in table.items():
            tables = isinstance(held, dict) or (isinstance(held, tuple) and held and isinstance(held[0], dict))
            if tables and self._draw(st.booleans()):
                inner.append((key, held))
            else:
                self._pair(key, held)
        for key, held in inner:
            for each in held if isinstance(held, tuple) else (held,):
                self.table(f"{name}.{spell_key(key)}", each, array=isinstance(held, tuple))

    def _pair(self, key: str, held: object) -> None:
        self._remark()
        if isinstance(held, dict) and held and self._draw(st.booleans()):
            for inner, value in held.items():
                self._lines.append(f"{spell_key(key, inner)} = {spell(value)} {self._draw(REMARKS)}")
        elif isinstance(held, tuple) and self._draw(st.booleans()):
            remark = self._draw(REMARKS)
            items = "".join(f"  {spell(each)}, {remark}\n" for each in held)
            self._lines.append(f"{key} = [\n{items}] {self._draw(REMARKS)}")
        else:
            self._lines.append(f"{key} = {spell(held)} {self._draw(REMARKS)}")

    def _remark(self) -> None:
        self._lines += self._draw(st.sampled_from([[], [""], ["", "# above"], ["# one", "", "# two"]]))

    def text(self) -> str:
        return "\n".join([*self._lines, self._draw(REMARKS)])


@given(version_1_courses())
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_any_version_1_course_migrates_to_the_same_course(text: str) -> None:
    assume(loaded(text).course is not None)
    check_the_laws(text)


# --- cases --------------------------------------------------------------------------------------------------


def test_every_trait_is_written_as_the_schema_writes_it() -> None:
    migrated = migrate_course(EVERY_TRAIT)
    for line in (
        "[agent]  # what it is",
        'name = "Pottery"  # as people see it',
        'mood = "calm"',
        '# model = "ignored/here"',
        '    "send_message",',
        '    { name = "query_honcho", rule = "first", max_count = 3 },',
        '    { name = "spin_wheel", rule = "continue", enabled = false },',
        '    { name = "fire_kiln", rule = "continue", color = "red" },',
        "[block.persona]  # who",
        "shared = false",
        'field.name = { type = "string", default = "Potter" }  # called',
        'field.since = { type = "datetime" }',
        "[block.learner.extra]",
        'name = "harvest"',
        "enabled = false  # for now",
        'schedule = "0 3 * * *"  # at night',
        "on_idle = true",
        "idle_threshold_minutes = 5",
        "after_messages = 4",
        '    { question = "How?", target = "persona.style" },',
        '    "edit_memory_block:exit",',
        '# name = "ignored name"',
    ):
        assert line in migrated.split("\n"), line


def test_short_tool_lists_stand_on_one_line() -> None:
    text = '[agent]\nid = "a"\nname = "A"\n\n[[agent.tools]]\nid = "send_message"\n\n[[agent.tools]]\nid = "x"\n'
    assert migrate_course(text) == '[agent]\nid = "a"\nname = "A"\n\ntools = ["send_message", "x"]\n'


@pytest.mark.parametrize("text", ["", "# only this\r\n", '[agent]\r\nid="a"\n', migrate_course(EVERY_TRAIT)])
def test_version_2_is_returned_as_it_is(text: str) -> None:
    assert migrate_course(text) == text


def test_sections_of_version_2_stay_byte_for_byte() -> None:
    assert 'field.name   =   { type = "string" }   # untouched\n' in migrate_course(MIXED)


def test_an_unnamed_task_keeps_the_name_its_place_gives_it() -> None:
    course = loaded(migrate_course(MIXED)).course
    assert course is not None
    assert [task.name for task in course.tasks] == ["task-1", "older"]


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "blocks = 5\n",
        "[blocks]\nx = 1\n",
        "[block.x]\nlabel = 'a'\n[blocks.x]\nlabel = 'b'\n",
        "a = " + "[" * 99 + "]" * 99,
    ],
)
def test_what_cannot_be_migrated_is_refused(text: str) -> None:
    with pytest.raises(MigrationError):
        migrate_course(text)


# --- modules ------------------------------------------------------------------------------------------------

MODULE = """\
# Lessons of lessons
[module]
id = "m"
name = "lessons"

# [[lessons]]
[[lessons]]  # first
id = "lessons"
name = "One"
[lessons.completion]
min_turns = 1

  [[ lessons ]]
  id = "two"
  name = "Two"
  [lessons.agent.persona_overrides]
  lessons = "kept"
"""
RENAMED = (
    MODULE.replace("\n[[lessons]]  #", "\n[[steps]]  #")
    .replace("[lessons.", "[steps.")
    .replace("[[ lessons ]]", "[[ steps ]]")
)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lessons_are_called_steps_and_nothing_else_changes(newline: str) -> None:
    assert migrate_module(MODULE.replace("\n", newline)) == RENAMED.replace("\n", newline)


@pytest.mark.parametrize("text", [RENAMED, "", "lessons = 5\n", "[module]\nid = 'lessons'\n"])
def test_a_module_without_lessons_is_returned_as_it_is(text: str) -> None:
    assert migrate_module(text) == text


def test_lessons_follow_the_steps_beside_them() -> None:
    text = '[[lessons]]\nid = "b"\n# above\n[[steps]]\nid = "a"\n'
    assert migrate_module(text) == '# above\n[[steps]]\nid = "a"\n[[steps]]\nid = "b"\n'


def test_a_plain_list_of_lessons_is_renamed_too() -> None:
    assert migrate_module('lessons = [{ id = "a" }]  # all\n') == 'steps = [{ id = "a" }]  # all\n'


def test_two_lists_that_cannot_be_joined_are_refused() -> None:
    with pytest.raises(MigrationError, match="by hand"):
        migrate_module('steps = [{ id = "a" }]\n[[lessons]]\nid = "b"\n')


# --- the real files -----------------------------------------------------------------------------------------


def real(pattern: str) -> list[Path]:
    return sorted(path for path in REAL.glob(pattern) if "invalid" not in path.parts)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.toml")}


@pytest.mark.skipif(not REAL.is_dir(), reason="the real courses are not here")
def test_real_courses_stay_the_same_courses() -> None:
    assert real("*/*/course.toml")
    for path in real("*/*/course.toml"):
        files = _files(path.parent)
        migrated = check_the_laws(path.read_bytes().decode(), files)
        modules = {
            name: migrate_module(text.decode()).encode() for name, text in files.items() if name != "course.toml"
        }
        assert loaded(migrated, modules).course == loaded(files["course.toml"].decode(), files).course


@pytest.mark.skipif(not REAL.is_dir(), reason="the real courses are not here")
def test_real_modules_keep_every_other_byte() -> None:
    for path in real("*/*/modules/*.toml"):
        before, after = path.read_text(), migrate_module(path.read_text())
        assert len(before.split("\n")) == len(after.split("\n"))
        assert all(
            old == new or "lessons" in old for old, new in zip(before.split("\n"), after.split("\n"), strict=True)
        )
