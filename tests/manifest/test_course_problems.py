"""Each mistake an author can make gives one sentence: where, what was found, what was expected."""

from __future__ import annotations

import pytest

from .samples import AGENT, BLOCK, LISTED, MODULE, errors_of, loaded, warnings_of

FIELD = AGENT + BLOCK + "field.f = "
TASK = '[block.b]\nlabel = "b"\nfield.f = { type = "list" }\n[[task]]\n'

ERRORS = [
    # the whole file
    ("", "c/course.toml: agent: missing; expected a table [agent] with at least an id and a name"),
    ("[agent\n", "c/course.toml:1: is not valid TOML"),
    (AGENT + "[agent.task]]\n", "c/course.toml:4: is not valid TOML"),
    (AGENT + "[agent.task]]\n", "expected `[[agent.task]]`"),
    (AGENT + 'x = "', "c/course.toml:4: is not valid TOML"),
    ("x = 1\nx = 2\n", "c/course.toml:2: is not valid TOML"),
    (f"x = {'9' * 5000}\n", "over-long number"),
    # identity
    ('[agent]\nname = "C"\n', "c/course.toml:1: agent.id: missing; expected a string"),
    ('[course]\nid = "c"\n', "c/course.toml:1: course.name: missing"),
    ('[agent]\nid = "c"\nname = "  "\n', "c/course.toml:3: agent.name: found blank text"),
    ('[agent]\nid = "../c"\nname = "C"\n', "agent.id: course id '../c' cannot be used as a name"),
    ('[course]\nid = "d"\n' + AGENT, "course.id: declared twice, here and as agent.id, with different values"),
    ("agent = 3\n", "c/course.toml:1: agent: found the number 3, expected a table"),
    # types
    ("[agent]\nid = 3\n", "c/course.toml:2: agent.id: found the number 3, expected a string"),
    (AGENT + "context_window = true\n", "agent.context_window: found true, expected a whole number"),
    (AGENT + "context_window = 0\n", "c/course.toml:4: agent.context_window: found 0, expected 1 or more"),
    (AGENT + 'context_window = "1"\n', 'found the string "1", expected a whole number'),
    (AGENT + 'modules = "m"\n', 'agent.modules: found the string "m", expected a list of strings'),
    (AGENT + "modules = [\n1]\n", "c/course.toml:5: agent.modules[1]: found the number 1, expected a string"),
    (AGENT + 'system = "\\u0000"\n', "agent.system: found a NUL character"),
    ("messages = 1\n", "messages: found the n"),
    # modules
    (AGENT + 'modules = ["../m"]\n', "agent.modules[1]: module name '../m' cannot be used"),
    (AGENT + 'modules = ["m.toml"]\n', "there is no modules/m.toml.toml; did you mean m?"),
    (AGENT + 'modules = ["m", "m"]\n', 'agent.modules[2]: "m" is listed twice'),
    # tools
    (
        AGENT + 'tools = ["t:exti"]\n',
        'agent.tools[1]: found the rule "exti", expected one of: exit, continue, first; did',
    ),
    (AGENT + 'tools = ["a", "a"]\n', "agent.tools[2]: tool a is listed twice"),
    (AGENT + "tools = [1]\n", "agent.tools[1]: found the number 1, expected a table; write it as [agent] tools"),
    (AGENT + 'tools = [":exit"]\n', 'expected "name" or "name:rule"'),
    (AGENT + 'tools = [{ rule = "exit" }]\n', "c/course.toml:4: agent.tools[1].name: missing"),
    (AGENT + 'tools = [{ name = "a", id = "a" }]\n', "declared twice, as name and as id; keep name"),
    (AGENT + 'tools = [{ name = "a", rule = "exit", rules = { type = "first" } }]\n', "declared twice, as rule and in"),
    # blocks
    (AGENT + "[block.b]\n", "c/course.toml:4: block.b.label: missing; expected a string"),
    (AGENT + '[block.b]\nlabel = "a/b"\n', "block.b.label: label 'a/b' is blank or contains /"),
    (AGENT + '[block."a b"]\nlabel = "x"\n', "block.\"a b\": block name 'a b' cannot be used as a name"),
    (AGENT + BLOCK + '[blocks.b]\nlabel = "x"\n', "c/course.toml:6: blocks.b: declared twice, here and as block.b"),
    (AGENT + BLOCK + 'shared = true\nscope = "user"\n', 'block.b.scope: found "user" beside shared = true'),
    (AGENT + BLOCK + 'scope = "global"\n', 'found the string "global", expected one of: course, user, shared'),
    (AGENT + BLOCK + "limit = 0\n", "block.b.limit: found 0, expected 1 or more"),
    (AGENT + BLOCK + 'was = "b"\n', "a block still declared; name a former one"),
    (AGENT + BLOCK + 'was = "../x"\n', "former block name '../x' cannot be used"),
    ("block = 3\n", "block: found the number 3, expected a table"),
    (AGENT + "[block]\nb = 3\n", "block.b: found the number 3, expected a table; write it as [block.<name>]"),
    # fields
    (FIELD + '"x"\n', 'block.b.field.f: found the string "x", expected a table'),
    (FIELD + "{}\n", "c/course.toml:6: block.b.field.f.type: missing"),
    (
        FIELD + '{ type = "text" }\n',
        'found the string "text", expected one of: string, int, float, bool, list, datetime',
    ),
    (FIELD + '{ type = "int", default = "1" }\n', 'field.f.default: found the string "1", expected a whole number'),
    (FIELD + '{ type = "int", default = 1.0 }\n', "found the number 1.0, expected a whole number"),
    (FIELD + '{ type = "int", default = true }\n', "found true, expected a whole number"),
    (FIELD + '{ type = "string", default = 1 }\n', "found the number 1, expected a string"),
    (FIELD + '{ type = "bool", default = 0 }\n', "found the number 0, expected true or false"),
    (FIELD + '{ type = "float", default = nan }\n', "found nan, expected a finite number"),
    (FIELD + '{ type = "float", default = inf }\n', "found inf, expected a finite number"),
    (FIELD + '{ type = "list", default = [-inf] }\n', "found -inf, expected a finite number"),
    (FIELD + '{ type = "int", default = 9223372036854775808 }\n', "beyond 64 bits"),
    (FIELD + '{ type = "string", default = "a\\u0000" }\n', "NUL"),
    (FIELD + '{ type = "datetime", default = "2025-01-31" }\n', "expected a date-time without quotes"),
    (FIELD + '{ type = "datetime", default = 09:00:00 }\n', "found the date or time 09:00:00, expected a date-time"),
    (FIELD + '{ type = "list", default = "a" }\n', 'found the string "a", expected a list'),
    (FIELD + '{ type = "list", default = [["a"]] }\n', "found a list of 1, expected a string, a number"),
    (FIELD + '{ type = "list", default = ["a", "a"] }\n', 'found the string "a" twice'),
    (FIELD + '{ type = "list", default = ["a", "b"], max = 1 }\n', "found 2 items, expected at most 1"),
    (FIELD + '{ type = "list", default = ["c"], options = ["a"] }\n', "expected one of its options: a"),
    (FIELD + '{ type = "string", default = "c", options = ["a"] }\n', "expected one of its options: a"),
    (FIELD + '{ type = "string", default = "", options = ["a"] }\n', "leave default out to start unset"),
    (FIELD + '{ type = "int", options = ["a"] }\n', 'field.f.options: found the string "a", expected a whole number'),
    (FIELD + '{ type = "list", max = 0 }\n', "found 0, expected 1 or more"),
    # tasks
    (AGENT + TASK + 'schedule = "soon"\n', 'task[1].schedule: found "soon", expected a cron expression'),
    (AGENT + TASK + 'schedule = "61 * * * *"\n', "expected a cron expression of five parts"),
    (AGENT + TASK + "batch_size = 0\n", "task[1].batch_size: found 0, expected 1 or more"),
    (AGENT + TASK + 'name = "a b"\n', "task name 'a b' cannot be used"),
    (AGENT + TASK + 'name = "x"\n[[task]]\nname = "x"\n', 'task[2]: two tasks have the name "x"'),
    (AGENT + TASK + 'name = "x"\n[background.x]\n', 'background.x: two tasks have the name "x"'),
    (AGENT + TASK + 'queries = [{ target = "b.f" }]\n', "c/course.toml:8: task[1].queries[1].question: missing"),
    (AGENT + TASK + 'queries = [{ question = "?" }]\n', 'task[1].queries[1].target: missing; expected "block.field"'),
    (AGENT + TASK + 'queries = [{ target = "a.f", question = "?" }]\n', "there is no block a; expected one of: b"),
    (
        AGENT + TASK + 'queries = [\n{ target_block = "a", question = "?" }]\n',
        "c/course.toml:9: task[1].queries[1].targe",
    ),
    (
        AGENT + TASK + 'queries = [{ target = "b.f", target_block = "b", question = "?" }]\n',
        "declared twice, as target",
    ),
    (
        AGENT + TASK + 'queries = [{ target = "b.f", question = "?", merge = "add" }]\n',
        "expected one of: append, replace",
    ),
]


@pytest.mark.parametrize(("text", "expected"), ERRORS)
def test_a_mistake_is_one_error_that_says_where_and_what(text: str, expected: str) -> None:
    found = loaded(text, {"m": MODULE} if "modules" in text else None)
    assert found.course is None
    errors = [str(each) for each in found.problems if each.severity == "error"]
    assert [each for each in errors if expected in each], errors
    assert len(errors) <= 2, errors


MODULE_ERRORS = [
    ("", "c/modules/m.toml: module: missing; expected a table"),
    ("[module]\n", "c/modules/m.toml:1: module.id: missing"),
    ("[[module]]\n", "module: found a list of 1, expected a table"),
    ('[module]\nid = "a b"\nname = "M"\n', "module.id: module id 'a b' cannot be used"),
    ("[steps]\n" + MODULE, "steps: found a table"),
    (
        MODULE + '[[steps]]\nid = "s"\nname = "S"\n' * 2,
        "c/modules/m.toml:8: steps[2].id: two steps of the module have the id",
    ),
    (MODULE + '[[steps]]\nid = "s"\nname = "S"\ncompletion.min_turns = -1\n', "found -1, expected 0 or more"),
    (
        MODULE + '[[steps]]\nid = "s"\nname = "S"\ncompletion.min_list_length = { "b.f" = "2" }\n',
        '"b.f": found the string',
    ),
    (
        MODULE + '[[steps]]\nid = "s"\nname = "S"\nagent.persona_overrides = { tone = {} }\n',
        "found a table, expected a str",
    ),
    (MODULE + "order = 1.5\n", "module.order: found the number 1.5, expected a whole number"),
    ("a = [\n", "c/modules/m.toml:"),
]


@pytest.mark.parametrize(("module", "expected"), MODULE_ERRORS)
def test_a_mistake_in_a_module_names_the_modules_file(module: str, expected: str) -> None:
    errors = errors_of(LISTED, {"m": module})
    assert [each for each in errors if expected in each], errors


def test_two_modules_of_one_id_are_an_error() -> None:
    errors = errors_of(AGENT + 'modules = ["m", "n"]\n', {"m": MODULE, "n": MODULE})
    assert errors == ['c/course.toml:4: agent.modules[2]: two modules have the id "m"; give each its own']


def test_blocks_that_share_a_label_are_one_error_naming_all_of_them() -> None:
    text = AGENT + "".join(f'[block.{name}]\nlabel = "human"\n' for name in ("one", "two", "three"))
    assert errors_of(text) == [
        'c/course.toml:7: block.two.label: blocks one, two and three (lines 5, 7, 9) share the label "human", '
        "expected one block for each label; give each its own"
    ]


def test_labels_are_compared_across_versions() -> None:
    (error,) = errors_of(AGENT + BLOCK + '[blocks.c]\nlabel = "b"\n')
    assert "blocks b and c (lines 5, 7) share" in error


WARNINGS = [
    ("system_prompt = 'x'\n", "agent.system_prompt: unknown key, ignored; did you mean system?"),
    ("welcome_first = 'x'\n", "agent.welcome_first: unknown key, ignored; it belongs in [messages]"),
    ("zzz = 1\n", "agent.zzz: unknown key, ignored; known keys are: id, name"),
    ('[agent.messages]\nwelcome_first = "x"\n', "c/course.toml:4: agent.messages: unknown key, ignored; it belongs in"),
    ("[mesages]\n", "c/course.toml:4: mesages: unknown key, ignored; did you mean messages?"),
    ('tools = [{ name = "a", rul = "exit" }]\n', "agent.tools[1].rul: unknown key, ignored; did you mean rule?"),
    (BLOCK + "colour = 1\n", "block.b.colour: unknown key"),
    (
        BLOCK + 'field.f = { type = "int", min = 1 }\n',
        "field.f.min: unknown key, ignored; known keys are: type",
    ),
    (BLOCK + 'field.f = { type = "int", max = 1 }\n', "field.f.max: has no effect: it bounds lists"),
    (TASK + 'scedule = "0 3 * * *"\nsystem = "x"\n', "task[1].scedule: unknown key, ignored; did you mean schedule?"),
    (TASK + "", "task[1]: does nothing: give it queries"),
    (TASK + 'manual = false\nsystem = "x"\n', "task[1]: never runs: give it a schedule"),
    (TASK + 'queries = [{ target = "b.g", question = "?" }]\n', "block b declares no field g; declared are: f"),
    (TASK + 'queries = [{ target = "b", question = "?" }]\n', "block b declares no field of no name"),
    (TASK + 'queries = [{ target = "b.f", questoin = "", question = "?" }]\n', "did you mean question?"),
]


@pytest.mark.parametrize(("text", "expected"), WARNINGS)
def test_what_has_no_effect_is_a_warning_and_never_silent(text: str, expected: str) -> None:
    found = loaded(AGENT + text)
    assert found.course
    warnings = [str(each) for each in found.problems]
    assert [each for each in warnings if expected in each], warnings


MODULE_WARNINGS = [
    (
        MODULE + 'disabled_tools = ["quiz"]\n',
        "module.disabled_tools[1]: the course has no tool quiz; did you mean quizz?",
    ),
    ('[module]\nid = "x"\nname = "M"\n', 'module.id: found "x", expected "m", the name of its file'),
    (MODULE + '[[steps]]\nid = "s"\nname = "S"\ncompletion.required_fields = ["b.g"]\n', "declares no field g"),
    (MODULE + '[[steps]]\nid = "s"\nname = "S"\ncompletion.required_fields = ["a.g"]\n', "there is no block a"),
    (
        MODULE + '[[steps]]\nid = "s"\nname = "S"\nagent.persona_overrides = { t = 1 }\n',
        "no block has the name or the label",
    ),
    (
        MODULE + '[[steps]]\nid = "s"\nname = "S"\ncompletion.requird_fields = ["b.f"]\n',
        "did you mean required_fields?",
    ),
]


@pytest.mark.parametrize(("module", "expected"), MODULE_WARNINGS)
def test_a_module_that_refers_to_nothing_is_still_taught(module: str, expected: str) -> None:
    text = LISTED + 'tools = ["quizz"]\n[block.b]\nlabel = "b"\nfield.f = { type = "list" }\n'
    assert loaded(text, {"m": module}).course
    warnings = warnings_of(text, {"m": module})
    assert [each for each in warnings if expected in each], warnings


def test_an_override_of_a_field_the_persona_lacks_is_pointed_out() -> None:
    text = LISTED + '[block.tutor]\nlabel = "persona"\nfield.tone = { type = "string" }\n'
    module = MODULE + '[[steps]]\nid = "s"\nname = "S"\nagent.persona_overrides = { tome = "dry", tone = "dry" }\n'
    (warning,) = warnings_of(text, {"m": module})
    assert warning.endswith(
        "persona_overrides.tome: has no effect: block tutor declares no field tome; did you mean tone?"
    )


def test_the_folder_should_have_the_courses_name() -> None:
    found = loaded(AGENT, folder="elsewhere")
    assert found.course
    assert [str(each) for each in found.problems] == [
        'elsewhere/course.toml:2: agent.id: found the string "c", expected "elsewhere", the folder\'s name; '
        "make them the same"
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    found = loaded('[agent]\nid = 1\nnme = "C"\nname = "C"\nmodel = 2\n[block.b]\nlabel = 3\n')
    assert [(each.line, each.severity) for each in found.problems] == [
        (2, "error"),
        (3, "warning"),
        (5, "error"),
        (7, "error"),
    ]


def test_a_folder_without_a_course_file_says_so() -> None:
    from reconciler.manifest.load import load_course

    (problem,) = load_course({}, "c").problems
    assert str(problem) == "c/course.toml: there is no course.toml in this folder; expected one, beginning with [agent]"
