"""The vocabulary the schema table is written in: what a key is, what a table is.

Not here: which keys there are (`tables.py`), and how raw TOML is read against them (`section.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "string",
    "integer",
    "boolean",
    "strings",  # an array of strings
    "value",  # what a block's field can hold: a scalar, or an array of scalars
    "values",  # an array of scalars
    "values by name",  # a table of any keys, each a value
    "integers by name",  # a table of any keys, each an integer
    "table",
    "tables",  # an array of tables
    "tables by name",  # a table of any keys, each a table of one shape
    "tools",  # an array of names, or of tables with a name in them
]


@dataclass(frozen=True)
class Key:
    """One key of a table. `older` is a former spelling that still works; a `legacy` key is version 1's only."""

    name: str
    kind: Kind
    description: str
    default: object = None
    required: bool = False
    options: tuple[str, ...] = ()
    minimum: int | None = None
    older: str | None = None
    legacy: bool = False
    table: Table | None = None

    @property
    def spellings(self) -> tuple[str, ...]:
        return (self.name,) if self.older is None else (self.name, self.older)


@dataclass(frozen=True)
class Table:
    """One kind of table: its keys, where it stands (`heading`, as one writes it), and an example."""

    name: str
    heading: str
    description: str
    keys: tuple[Key, ...]
    example: str = ""
    legacy: bool = False

    def key(self, name: str) -> Key:
        return next(key for key in self.keys if key.name == name)
