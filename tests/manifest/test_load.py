"""What a course file means, in every spelling."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from reconciler.manifest.course import (
    Block,
    Completion,
    Course,
    Field,
    Folders,
    Messages,
    Query,
    StepAgent,
    Task,
    Tool,
)

from .samples import AGENT, BLOCK, LISTED, MODULE, course_of, errors_of, loaded, warnings_of

PERSONA_V1 = """
[blocks.persona]
label = "p"
description = "Who"
[blocks.persona.fields]
name = { type = "string", default = "A", description = "N" }
tags = { type = "list", default = ["x"], max = 3 }
"""
PERSONA_V2 = """
[block.persona]
label = "p"
description = "Who"
field.name = { type = "string", default = "A", description = "N" }
field.tags = { type = "list", default = ["x"], max = 3 }
"""
TOOLS_V1 = """
[[agent.tools]]
id = "send_message"
rules = { type = "exit_loop" }
[[agent.tools]]
id = "look"
enabled = false
rules = { type = "run_first", max_count = 2 }
"""
TOOLS_V2 = 'tools = ["send_message", { name = "look", rule = "first", enabled = false, max_count = 2 }]\n'
TASK_V1 = """
[background.harvest]
agent_types = ["c"]
batch_size = 9
[background.harvest.triggers]
schedule = "0 3 * * *"
manual = false
after_messages = 7
[background.harvest.triggers.idle]
enabled = true
threshold_minutes = 4
cooldown_minutes = 5
[[background.harvest.queries]]
id = "q"
question = "Which?"
session_scope = "recent"
recent_limit = 2
target_block = "persona"
target_field = "tags"
merge_strategy = "replace"
"""
TASK_V2 = """
[[task]]
name = "harvest"
agent_types = ["c"]
batch_size = 9
schedule = "0 3 * * *"
manual = false
after_messages = 7
on_idle = true
idle_threshold_minutes = 4
idle_cooldown_minutes = 5
queries = [
    { id = "q", target = "persona.tags", question = "Which?", scope = "recent", recent_limit = 2, merge = "replace" },
]
"""
HEAD_V1 = '[course]\nid = "c"\nname = "C"\nversion = "3"\ndescription = "D"\n[agent]\nsystem = "S"\n'
HEAD_V2 = '[agent]\nid = "c"\nname = "C"\nversion = "3"\ndescription = "D"\nsystem = "S"\n'


@pytest.mark.parametrize("task", [TASK_V1, TASK_V2], ids=["background", "task"])
@pytest.mark.parametrize("block", [PERSONA_V1, PERSONA_V2], ids=["blocks", "block"])
@pytest.mark.parametrize("tools", [TOOLS_V1, TOOLS_V2], ids=["tool tables", "tool list"])
@pytest.mark.parametrize("head", [HEAD_V1, HEAD_V2], ids=["course", "agent"])
def test_every_mixture_of_versions_means_the_same_course(head: str, tools: str, block: str, task: str) -> None:
    assert course_of(head + tools + block + task) == Course(
        id="c",
        name="C",
        version="3",
        description="D",
        system="S",
        tools=(Tool("send_message", "exit"), Tool("look", "first", enabled=False, max_count=2)),
        blocks={
            "persona": Block(
                "persona",
                "p",
                "Who",
                fields={
                    "name": Field("name", "string", "A", description="N"),
                    "tags": Field("tags", "list", ("x",), max=3),
                },
            )
        },
        tasks=(
            Task(
                "harvest",
                schedule="0 3 * * *",
                manual=False,
                on_idle=True,
                idle_threshold_minutes=4,
                idle_cooldown_minutes=5,
                after_messages=7,
                agent_types=("c",),
                batch_size=9,
                queries=(Query("persona", "tags", "Which?", id="q", scope="recent", recent_limit=2, merge="replace"),),
            ),
        ),
    )


def test_what_is_not_said_has_the_stated_default() -> None:
    course = course_of(AGENT)
    assert (course.version, course.description, course.system) == ("1.0.0", "", "")
    assert course.model == "anthropic/claude-sonnet-4-20250514"
    assert course.embedding == "openai/text-embedding-3-small"
    assert (course.context_window, course.max_response_tokens) == (128000, 4096)
    assert (course.modules, course.tools, course.tasks, course.folders) == ((), (), (), Folders())
    assert course.messages.welcome_first == "Hello! How can I help you today?"
    assert course.messages.welcome_returning == "Welcome back!"


def test_a_message_said_to_be_empty_is_empty() -> None:
    course = course_of(AGENT + '[messages]\nwelcome_first = ""\n')
    assert course.messages == Messages(welcome_first="")


def test_identity_may_be_split_between_the_two_tables() -> None:
    course = course_of('[course]\nid = "c"\n[agent]\nname = "C"\n')
    assert (course.id, course.name) == ("c", "C")


def test_a_first_version_course_needs_no_agent_table() -> None:
    assert course_of('[course]\nid = "c"\nname = "C"\n').model == Course("", "").model


@pytest.mark.parametrize(
    ("written", "tool"),
    [
        ('"send_message"', Tool("send_message", "exit")),
        ('"query_honcho"', Tool("query_honcho", "continue")),
        ('"edit_memory_block"', Tool("edit_memory_block", "continue")),
        ('"advance_lesson"', Tool("advance_lesson", "continue")),
        ('"mine"', Tool("mine", "continue")),
        ('"send_message:continue"', Tool("send_message", "continue")),
        ('"mine:exit"', Tool("mine", "exit")),
        ('"mine:first"', Tool("mine", "first")),
        ('"mine:run_first"', Tool("mine", "first")),
        ('{ name = "send_message" }', Tool("send_message", "exit")),
        ('{ name = "mine", rule = "first", max_count = 1 }', Tool("mine", "first", max_count=1)),
        ('{ name = "mine", enabled = false }', Tool("mine", enabled=False)),
        ('{ id = "mine", rules = { type = "exit_loop" } }', Tool("mine", "exit")),
        ('{ id = "mine", rules = { type = "continue_loop", max_count = 4 } }', Tool("mine", max_count=4)),
        ('{ id = "mine", rules = { max_count = 4 }, enabled = true }', Tool("mine", max_count=4)),
        ('{ id = "mine", rule = "first" }', Tool("mine", "first")),
    ],
)
def test_a_tool_in_each_spelling(written: str, tool: Tool) -> None:
    assert course_of(f"{AGENT}tools = [{written}]\n").tools == (tool,)


@pytest.mark.parametrize(
    ("declared", "default"),
    [
        ('type = "string"', ""),
        ('type = "int"', 0),
        ('type = "float"', 0.0),
        ('type = "bool"', False),
        ('type = "list"', ()),
        ('type = "datetime"', None),
        ('type = "float", default = 2', 2.0),
        ('type = "float", default = 2.5', 2.5),
        ('type = "bool", default = true', True),
        ('type = "list", default = ["a", 1, true]', ("a", 1, True)),
        ('type = "list", default = [1, 1.0, true]', (1, 1.0, True)),
        ('type = "list", default = ["a"], options = ["a", "b"]', ("a",)),
        ('type = "string", options = ["a", "b"]', ""),
        ('type = "string", default = "a", options = ["a", "b"]', "a"),
        ('type = "float", default = 1, options = [1, 2]', 1.0),
        ('type = "datetime", default = 2025-01-31T09:00:00Z', datetime(2025, 1, 31, 9, tzinfo=UTC)),
        ('type = "datetime", default = 2025-01-31', date(2025, 1, 31)),
    ],
)
def test_the_default_of_a_field_has_the_fields_type(declared: str, default: object) -> None:
    field = course_of(f"{AGENT}{BLOCK}field.f = {{ {declared} }}\n").blocks["b"].fields["f"]
    assert (field.default, type(field.default)) == (default, type(default))


def test_a_block_without_fields_is_prose() -> None:
    blocks = course_of(AGENT + BLOCK + '[block.c]\nlabel = "c"\nfield.f = { type = "string" }\n').blocks
    assert [blocks["b"].is_prose, blocks["c"].is_prose] == [True, False]


@pytest.mark.parametrize(
    ("declared", "shared", "scope"),
    [
        ("", False, "course"),
        ("shared = false", False, "course"),
        ("shared = true", True, "shared"),
        ('scope = "shared"', True, "shared"),
        ('scope = "user"', False, "user"),
        ('shared = true\nscope = "shared"', True, "shared"),
    ],
)
def test_shared_and_scope_say_whose_block_it_is(declared: str, shared: bool, scope: str) -> None:
    block = course_of(f"{AGENT}{BLOCK}{declared}\n").blocks["b"]
    assert (block.shared, block.scope) == (shared, scope)


def test_a_block_keeps_its_limit_its_lock_and_its_former_name() -> None:
    block = course_of(AGENT + BLOCK + 'limit = 900\nread_only = true\nwas = "a"\n').blocks["b"]
    assert block == Block("b", "b", limit=900, read_only=True, was="a")


def test_fields_in_the_older_table_may_stand_in_a_present_block() -> None:
    older = course_of(AGENT + BLOCK + 'fields.f = { type = "int" }\n')
    assert older == course_of(AGENT + BLOCK + 'field.f = { type = "int" }\n')


def test_tasks_without_names_are_numbered_by_position() -> None:
    task = '[[task]]\nsystem = "x"\n'
    assert [each.name for each in course_of(AGENT + task + '[[task]]\nname = "n"\nsystem = "x"\n' + task).tasks] == [
        "task-1",
        "n",
        "task-3",
    ]


def test_a_query_at_a_prose_block_writes_its_text() -> None:
    task = '[[task]]\nqueries = [{ target = "b", question = "?" }, { target = "b.text", question = "?" }]\n'
    assert [(q.block, q.field) for q in course_of(AGENT + BLOCK + task).tasks[0].queries] == [("b", "text")] * 2


def test_a_query_may_name_a_block_by_its_label_with_a_warning() -> None:
    text = AGENT + '[block.b]\nlabel = "human"\nfield.f = { type = "list" }\n'
    text += '[[task]]\nqueries = [{ target = "human.f", question = "?" }]\n'
    found = loaded(text)
    assert found.course
    assert found.course.tasks[0].queries[0].block == "b"
    assert [str(each) for each in found.problems] == [
        "c/course.toml:8: task[1].queries[1].target: human is the label of block b; write b.f"
    ]


def test_folders_are_read() -> None:
    text = AGENT + '[agent.folders]\nshared = ["x"]\nprivate = true\n'
    assert course_of(text).folders == Folders(("x",), private=True)


# --- modules ---


def test_order_decides_then_the_listing() -> None:
    def module(name: str, order: str) -> str:
        return f'[module]\nid = "{name}"\nname = "N"\n{order}'

    text = AGENT + 'modules = ["d", "c", "b", "a"]\n'
    files = {"a": module("a", "order = 1"), "b": module("b", "order = 2"), "c": module("c", ""), "d": module("d", "")}
    assert [each.id for each in course_of(text, files).modules] == ["d", "c", "a", "b"]


@pytest.mark.parametrize("word", ["steps", "lessons"])
def test_lessons_are_steps(word: str) -> None:
    text = LISTED + '[block.b]\nlabel = "b"\nfield.f = { type = "list" }\n[block.persona]\nlabel = "p"\n'
    module = MODULE + f'[[{word}]]\nid = "two"\nname = "2"\norder = 2\n[[{word}]]\nid = "one"\nname = "1"\norder = 1\n'
    module += 'description = "D"\nobjectives = ["O"]\n'
    module += f'[{word}.completion]\nrequired_fields = ["b.f"]\nmin_turns = 3\nauto_advance = true\n'
    module += 'min_list_length = { "b.f" = 2 }\n'
    module += (
        f'[{word}.agent]\nopening = "Hi"\nfocus = ["f"]\nguidance = ["g"]\npersona_overrides = {{ tone = "dry" }}\n'
    )
    steps = course_of(text, {"m": module}).modules[0].steps
    assert [step.id for step in steps] == ["one", "two"]
    assert (steps[0].description, steps[0].objectives) == ("D", ("O",))
    assert steps[0].completion == Completion(("b.f",), 3, {"b.f": 2}, auto_advance=True)
    assert steps[0].agent == StepAgent("Hi", ("f",), ("g",), {"tone": "dry"})
    assert (steps[1].completion, steps[1].agent) == (Completion(), StepAgent())


def test_tools_are_disabled_on_modules_and_on_steps() -> None:
    module = MODULE + 'disabled_tools = ["t"]\n[[steps]]\nid = "s"\nname = "S"\nagent.disabled_tools = ["u"]\n'
    found = course_of(LISTED + 'tools = ["t", "u"]\n', {"m": module}).modules[0]
    assert (found.disabled_tools, found.steps[0].agent.disabled_tools) == (("t",), ("u",))


def test_a_step_that_names_a_block_by_its_label_counts_by_the_blocks_name() -> None:
    text = LISTED + '[block.b]\nlabel = "human"\nfield.f = { type = "list" }\n'
    module = MODULE + '[[steps]]\nid = "s"\nname = "S"\n[steps.completion]\nrequired_fields = ["human.f"]\n'
    module += 'min_list_length = { "human.f" = 1 }\n'
    found = loaded(text, {"m": module}).course
    assert found
    completion = found.modules[0].steps[0].completion
    assert (completion.required_fields, completion.min_list_length) == (("b.f",), {"b.f": 1})
    assert warnings_of(text, {"m": module}) == [
        "c/modules/m.toml:8: steps[1].completion.required_fields[1]: human is the label of block b; write b.f",
        'c/modules/m.toml:9: steps[1].completion.min_list_length."human.f": human is the label of block b; write b.f',
    ]


def test_a_module_listed_and_missing_is_an_error_of_the_course() -> None:
    assert errors_of(AGENT + 'modules = [\n"intro",\n"01-intr",\n]\n', {"01-intro": MODULE}) == [
        "c/course.toml:5: agent.modules[1]: there is no modules/intro.toml; did you mean 01-intro?",
        "c/course.toml:6: agent.modules[2]: there is no modules/01-intr.toml; did you mean 01-intro?",
    ]


def test_a_module_file_that_no_list_names_is_pointed_out_and_not_read() -> None:
    found = loaded(AGENT, {"spare": "not TOML"})
    assert found.course
    assert [str(each) for each in found.problems] == [
        "c/modules/spare.toml: is not used, as agent.modules does not list it; list it or remove it"
    ]


def test_an_error_in_a_module_stops_its_course_and_names_the_modules_file() -> None:
    found = loaded(LISTED, {"m": MODULE + '[[steps]]\nid = "s"\n'})
    assert found.course is None
    assert [str(each) for each in found.problems] == [
        "c/modules/m.toml:4: steps[1].name: missing; expected a string. The name people see."
    ]
