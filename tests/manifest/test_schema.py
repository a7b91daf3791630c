"""The schema and the reference say what the loader does."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from reconciler.manifest.keys import Table
from reconciler.manifest.load import load_course
from reconciler.manifest.reading.unknown import tables_below
from reconciler.manifest.reference import course_reference
from reconciler.manifest.schema import json_schema
from reconciler.manifest.tables import COURSE_FILE, MODULE_FILE

from .samples import AGENT, EXAMPLES, course_of, folder_files
from .test_hostile_courses import damaged

SCHEMA: dict[str, Any] = json.loads(json.dumps(json_schema()))
TABLES = list(tables_below(COURSE_FILE, MODULE_FILE))
REFERENCE = Path(__file__).parents[2] / "docs" / "course-reference.md"


def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{kind}_file", "$defs": SCHEMA["$defs"]})


VALIDATORS = {"course": validator("course"), "module": validator("module")}


def as_json(value: Any) -> Any:
    match value:
        case dict():
            return {key: as_json(inner) for key, inner in value.items()}
        case list():
            return [as_json(each) for each in value]
        case date() | time():
            return value.isoformat()
        case _:
            return value


def complaints(path: str, content: bytes) -> list[str]:
    kind = "course" if path == "course.toml" else "module"
    document = as_json(tomllib.loads(content.decode()))
    return [error.message for error in VALIDATORS[kind].iter_errors(document)]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def properties() -> Iterator[tuple[str, dict[str, Any]]]:
    for table, definition in SCHEMA["$defs"].items():
        for name, described in definition["properties"].items():
            yield f"{table}.{name}", described


@pytest.mark.parametrize(
    ("where", "described"), list(properties()), ids=lambda given: given if isinstance(given, str) else ""
)
def test_an_editor_finds_a_title_a_description_and_a_type_for_every_key(where: str, described: dict[str, Any]) -> None:
    assert described["title"]
    assert described["description"].endswith((".", ")"))
    assert {"type", "$ref", "anyOf"} & described.keys()
    if "default" in described and "$ref" not in described:
        assert not list(Draft202012Validator({**described, "$defs": SCHEMA["$defs"]}).iter_errors(described["default"]))


@pytest.mark.parametrize("folder", sorted(each.name for each in EXAMPLES.iterdir() if each.is_dir()))
def test_the_example_courses_load_without_a_word_and_fit_the_schema(folder: str) -> None:
    files = folder_files(EXAMPLES / folder)
    found = load_course(files, folder)
    assert found.course
    assert found.problems == ()
    assert [complaint for path, content in files.items() for complaint in complaints(path, content)] == []


def keys_used(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_used(inner)
    elif isinstance(value, list):
        for each in value:
            yield from keys_used(each)


def test_the_example_courses_together_use_every_key() -> None:
    used = {
        key
        for folder in EXAMPLES.iterdir()
        for content in folder_files(folder).values()
        for key in keys_used(tomllib.loads(content.decode()))
    }
    assert {key.name for table in TABLES for key in table.keys} - used == {"was"}


@given(damaged())
def test_what_loads_without_a_word_fits_the_schema(files: dict[str, bytes]) -> None:
    found = load_course(files, "intro-statistics")
    if found.course and not [each for each in found.problems if "unknown" in each.message]:
        listed = {"course.toml", *(f"modules/{module.id}.toml" for module in found.course.modules)} & files.keys()
        assert [complaint for path in listed for complaint in complaints(path, files[path])] == []


@pytest.mark.parametrize(
    "text",
    [
        '[agent]\nname = "C"\n',
        AGENT + "model = 1\n",
        AGENT + "modle = 'x'\n",
        AGENT + "context_window = 0\n",
        AGENT + 'tools = ["a:soon"]\n',
        AGENT + "[block.b]\n",
        AGENT + '[block.b]\nlabel = "b"\nfield.f = { type = "text" }\n',
        AGENT + '[[task]]\nqueries = [{ question = "?" }]\n',
    ],
)
def test_what_the_loader_minds_the_schema_minds(text: str) -> None:
    assert load_course({"course.toml": text.encode()}, "c").problems
    assert complaints("course.toml", text.encode())


def test_the_reference_is_up_to_date() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == course_reference(), (
        "run: python -m reconciler.manifest.reference > docs/course-reference.md"
    )


def test_the_reference_names_every_key_and_every_older_spelling() -> None:
    page = course_reference()
    for table in TABLES:
        for key in table.keys:
            assert all(f"| `{spelling}` |" in page for spelling in key.spellings), (table.name, key.name)


CONTEXT = {
    "agent": "{}",
    "course": "{}",
    "tool": AGENT + "{}",
    "folders": AGENT + "{}",
    "block": AGENT + "{}",
    "field": AGENT + '[block.learner]\nlabel = "l"\n{}',
    "messages": AGENT + "{}",
    "task": AGENT + "{}\n[block.learner]\nlabel = 'l'\nfield.topics.type = 'list'\n",
    "query": AGENT + "[[task]]\n{}\n[block.learner]\nlabel = 'l'\nfield.topics.type = 'list'\n",
    "background": AGENT + "{}\n[block.learner]\nlabel = 'l'\nfield.topics.type = 'list'\n",
}


@pytest.mark.parametrize(
    "table", [each for each in TABLES if each.example and each.name in CONTEXT], ids=lambda t: t.name
)
def test_the_references_examples_load(table: Table) -> None:
    text = CONTEXT[table.name].replace("{}", table.example)
    found = load_course({"course.toml": text.encode(), "modules/01-data.toml": module_example()}, "c")
    assert found.course
    assert not [each for each in found.problems if "unknown" in each.message]


def module_example() -> bytes:
    examples = {each.name: each.example for each in TABLES}
    order = ("module", "step", "completion", "step_agent")
    return "\n".join(examples[name] for name in order).encode()


def test_the_references_module_examples_make_a_module() -> None:
    text = AGENT + 'modules = ["01-data"]\ntools = ["query_honcho"]\n[block.persona]\nlabel = "p"\n'
    text += "[block.learner]\nlabel = 'l'\nfield.name.type = 'string'\nfield.topics.type = 'list'\n"
    (module,) = course_of(text, {"01-data": module_example().decode()}).modules
    assert [step.id for step in module.steps] == ["units"]
    assert module.steps[0].completion.min_turns == 2
