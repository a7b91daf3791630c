"""The course reference, written from the same tables that files are read by.

`docs/course-reference.md` holds this text; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from reconciler.manifest.keys import Key, Kind, Table
from reconciler.manifest.reading.unknown import tables_below
from reconciler.manifest.tables import COURSE_FILE, MODULE_FILE
from reconciler.manifest.tables.agent import LEGACY_RULES, REGISTRY
from reconciler.manifest.tables.user import USER_FILE

_TYPES: dict[Kind, str] = {
    "string": "string",
    "integer": "integer",
    "boolean": "boolean",
    "strings": "list of strings",
    "value": "as `type` says",
    "values": "list of values",
    "values by name": "table of values",
    "integers by name": "table of integers",
    "table": "table",
    "tables": "list of tables",
    "tables by name": "table of tables",
    "tools": "list of tools",
}

_INTRODUCTION = """\
# Course reference

Every file, table and key a course is made of. This page is generated from the tables the loader reads by
(`reconciler/manifest/tables/`); change those, then run

    python -m reconciler.manifest.reference > docs/course-reference.md

A course is a folder: `course.toml`, and the modules it lists in `modules/`. The folder's name is the course's id.
`reconciler validate` checks files, `reconciler schema` prints this reference as JSON Schema for editors, and
`reconciler migrate` rewrites the older spellings.

Files are UTF-8, at most 1 MB each, and nest at most 32 levels deep. Ids and names of blocks, fields, tasks,
modules and steps are ASCII letters, digits, `-` and `_`; display names may be in any script. Where an error is
reported, the last good version of the course stays in force. A key that is not listed here is reported and ignored.
"""

_FIELDS = """\
### What a value must fit

A default, a learner's file and a live block are held to the same rules.

- The value has the field's type. A whole number is accepted for a `float`, nothing else is converted.
- `nan` and infinities are refused, as are whole numbers beyond 64 bits and NUL characters.
- A `list` holds plain values, each only once, and at most `max` of them.
- With `options`, the value, or each item of a list, is one of them. A field that declares no default may
  also hold the empty value it starts with.
- A `datetime` is TOML's own, without quotes: a date and time, or a date.
"""

_OLDER = """\
## Older spellings

Version 1 files load, and so do files that mix both versions: each table, and each tool in a list, is read by the
spelling it uses. Where one key is given under both its names, that is an error.
"""


def course_reference() -> str:
    """The whole page."""
    tables = list(tables_below(COURSE_FILE, MODULE_FILE, USER_FILE))
    present = [_section(table) for table in tables if not table.legacy]
    older = [_OLDER, *(_section(table) for table in tables if table.legacy), _renamed(tables)]
    return "\n".join([_INTRODUCTION, *present, *older])


def _section(table: Table) -> str:
    parts = [f"{_level(table)} `{table.heading}`", "", table.description, "", *_rows(table), ""]
    if table.example:
        parts += ["```toml", table.example.strip(), "```", ""]
    if table.name == "field":
        parts += [_FIELDS]
    if table.name == "tool":
        parts += _registry()
    return "\n".join(parts)


def _level(table: Table) -> str:
    is_file = table.heading.endswith(".toml")
    return "##" if is_file else "###"


def _rows(table: Table) -> Iterator[str]:
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for key in table.keys:
        if not key.legacy or table.legacy:
            yield f"| `{key.name}` | {_type(key)} | {_default(key)} | {_meaning(key)} |"


def _type(key: Key) -> str:
    shown = _TYPES[key.kind]
    return f"{shown}, {key.minimum} or more" if key.minimum is not None else shown


def _default(key: Key) -> str:
    if key.required:
        return "required"
    if key.default is None:
        return ""
    return f"`{_toml(key.default)}`"


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case tuple():
            return "[" + ", ".join(_toml(each) for each in cast("tuple[object, ...]", value)) + "]"
        case _:
            return str(value)


def _meaning(key: Key) -> str:
    options = f" One of {', '.join(f'`{option}`' for option in key.options)}." if key.options else ""
    below = f" See `{key.table.heading}`." if key.table else ""
    return (key.description + options + below).replace("|", "\\|")


def _registry() -> list[str]:
    rows = [f"| `{name}` | `{rule}` |" for name, rule in REGISTRY.items()]
    return [
        "Rules of tools that state none:",
        "",
        "| tool | rule |",
        "|---|---|",
        *rows,
        "| any other | `continue` |",
        "",
    ]


def _renamed(tables: list[Table]) -> str:
    keys = [(table, key) for table in tables for key in table.keys]
    rows = [f"| `{key.older}` | `{key.name}` | `{table.heading}` |" for table, key in keys if key.older]
    rows += [f"| `{old}` | `{new}` | rules of tools |" for old, new in LEGACY_RULES.items()]
    rows += [f"| `{key.name}` | | `{table.heading}` |" for table, key in keys if key.legacy and not table.legacy]
    return "\n".join(["### Renamed", "", "| older | now | where |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    print(course_reference(), end="")
