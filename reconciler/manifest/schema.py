"""The tables of `tables/` as JSON Schema (draft 2020-12): enough for an editor to check a file or to build a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from reconciler.manifest.keys import Key, Kind, Table
from reconciler.manifest.reading.unknown import tables_below
from reconciler.manifest.tables import COURSE_FILE, MODULE_FILE
from reconciler.manifest.tables.agent import RULES

Json = dict[str, object]

_SCALAR: Json = {"type": ["string", "number", "boolean"]}
_VALUE: Json = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]}
_SHAPES: Mapping[Kind, Json] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "strings": {"type": "array", "items": {"type": "string"}},
    "value": _VALUE,
    "values": {"type": "array", "items": _SCALAR},
    "values by name": {"type": "object", "additionalProperties": _VALUE},
    "integers by name": {"type": "object", "additionalProperties": {"type": "integer"}},
}


def json_schema() -> Json:
    """One schema for both kinds of file; `$defs/course_file` and `$defs/module_file` are those of each."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A course.toml, or a module file of a course",
        "description": "Date-times of TOML count as strings.",
        "anyOf": [_reference(COURSE_FILE), _reference(MODULE_FILE)],
        "$defs": {table.name: _definition(table) for table in tables_below(COURSE_FILE, MODULE_FILE)},
    }


def _definition(table: Table) -> Json:
    definition: Json = {
        "title": table.heading,
        "description": table.description,
        "type": "object",
        "properties": {spelling: _property(key, spelling) for key in table.keys for spelling in key.spellings},
        "additionalProperties": False,
    }
    if alternatives := _required(table):
        definition["allOf"] = alternatives
    if table.legacy:
        definition["deprecated"] = True
    return definition


def _required(table: Table) -> list[Json]:
    """Each required key under any of its spellings; what may stand in one of two tables is asked for above them."""
    if table is COURSE_FILE:
        return [_in_either("id"), _in_either("name")]
    if table.name in ("agent", "course"):
        return []
    required: list[Json] = [
        {"anyOf": [{"required": [spelling]} for spelling in key.spellings]} for key in table.keys if key.required
    ]
    if table.name == "query":
        required.append({"anyOf": [{"required": ["target"]}, {"required": ["target_block"]}]})
    return required


def _in_either(name: str) -> Json:
    homes = ("agent", "course")
    return {"anyOf": [{"required": [home], "properties": {home: {"required": [name]}}} for home in homes]}


def _property(key: Key, spelling: str) -> Json:
    found: Json = {
        "title": spelling.replace("_", " ").capitalize(),
        "description": key.description if spelling == key.name else f"The older name of {key.name}. {key.description}",
        **_shape(key),
    }
    if key.options:
        found["enum"] = list(key.options)
    if key.default is not None:
        found["default"] = _json(key.default)
    if key.legacy or spelling != key.name:
        found["deprecated"] = True
    return found


def _json(value: object) -> object:
    return list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value


def _shape(key: Key) -> Json:
    if key.table is None:
        return _bounded(_SHAPES[key.kind], key)
    inner = _reference(key.table)
    match key.kind:
        case "tables":
            return {"type": "array", "items": inner}
        case "tables by name":
            return {"type": "object", "additionalProperties": inner}
        case "tools":
            return {"type": "array", "items": {"anyOf": [_short_tool(), inner]}}
        case _:
            return inner


def _bounded(shape: Json, key: Key) -> Json:
    if key.minimum is None:
        return shape
    if key.kind == "integers by name":
        return {"type": "object", "additionalProperties": {"type": "integer", "minimum": key.minimum}}
    return {**shape, "minimum": key.minimum}


def _short_tool() -> Json:
    return {"type": "string", "pattern": f"^[^:]+(:({'|'.join(RULES)}))?$"}


def _reference(table: Table) -> Json:
    return {"$ref": f"#/$defs/{table.name}"}
