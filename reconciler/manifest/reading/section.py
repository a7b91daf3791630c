"""One raw table read against its entry in the schema: unknown keys, types, options and minima noted on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from reconciler.manifest.course import Scalar, Value
from reconciler.manifest.fit import Misfit, any_value, described
from reconciler.manifest.keys import Key, Kind, Table
from reconciler.manifest.reading.notes import Notes
from reconciler.manifest.reading.unknown import hint
from reconciler.manifest.spans import Path

EXPECTED: dict[Kind, str] = {
    "string": "a string",
    "integer": "a whole number",
    "boolean": "true or false",
    "strings": "a list of strings",
    "value": "a value or a list of values",
    "values": "a list of values",
    "values by name": "a table of values",
    "integers by name": "a table of whole numbers",
    "table": "a table",
    "tables": "a list of tables",
    "tables by name": "a table of tables",
    "tools": "a list of tools",
}

T = TypeVar("T")


def open_section(raw: object, table: Table, path: Path, notes: Notes) -> Section | None:
    """`raw` as a section, with its unknown keys noted; None, and an error, where it is no table at all."""
    if not isinstance(raw, dict):
        notes.error(path, f"found {described(raw)}, expected a table; write it as {table.heading}")
        return None
    section = Section(cast("dict[str, object]", raw), table, path, notes)
    known = {spelling for key in table.keys for spelling in key.spellings}
    for name in section.raw:
        if name not in known and notes.has_room("warning"):
            notes.warning((*path, name), f"unknown key, ignored; {hint(name, table)}")
    return section


@dataclass(frozen=True)
class Section:
    """A table whose keys are asked for by their present names, however they are spelt in the file.

    A key that is wrong is noted and reads as its default: the course is refused anyway, and the reader goes on
    to find what else is wrong.
    """

    raw: Mapping[str, object]
    table: Table
    path: Path
    notes: Notes

    def has(self, name: str) -> bool:
        return self._spelt(self.table.key(name)) is not None

    def where(self, name: str) -> Path:
        """The path of a key as spelt in the file."""
        return (*self.path, self._spelt(self.table.key(name)) or name)

    def error(self, name: str, message: str) -> None:
        self.notes.error(self.where(name), message)

    def warning(self, name: str, message: str) -> None:
        self.notes.warning(self.where(name), message)

    def text(self, name: str) -> str:
        """A string; where there is none, its default, or nothing at all."""
        found = self.text_or_none(name)
        return found if found is not None else cast("str | None", self.table.key(name).default) or ""

    def text_or_none(self, name: str) -> str | None:
        key = self.table.key(name)
        found = self._typed(key, str)
        if found is None:
            return None
        if "\0" in found:
            self.error(name, "found a NUL character, which Letta cannot hold; remove it")
        if key.required and not found.strip():
            self.error(name, "found blank text, expected some; fill it in")
        if key.options and found not in key.options:
            self.error(name, f"found {described(found)}, expected one of: {', '.join(key.options)}")
            return None
        return found

    def number(self, name: str) -> int:
        found = self.number_or_none(name)
        return cast("int", self.table.key(name).default) if found is None else found

    def number_or_none(self, name: str) -> int | None:
        found = self._typed(self.table.key(name), int)
        return None if found is None else self._bounded(name, self.where(name), found)

    def flag(self, name: str) -> bool:
        found = self._typed(self.table.key(name), bool)
        return cast("bool", self.table.key(name).default) if found is None else found

    def texts(self, name: str) -> tuple[str, ...]:
        key = self.table.key(name)
        found = self.array(name)
        if found is None:
            return cast("tuple[str, ...]", key.default)
        return tuple(cast("str", each) for at, each in enumerate(found) if self._is_text(name, at, each))

    def array(self, name: str) -> list[object] | None:
        return cast("list[object] | None", self._typed(self.table.key(name), list))

    def value(self, name: str) -> object:
        """The raw value, for a key whose type depends on another's."""
        spelling = self._spelt(self.table.key(name))
        return None if spelling is None else self.raw[spelling]

    def numbers_by_name(self, name: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for inner, raw in self._named(name):
            where = (*self.where(name), inner)
            if isinstance(raw, int) and not isinstance(raw, bool):
                found[inner] = self._bounded(name, where, raw)
            else:
                self.notes.error(where, f"found {described(raw)}, expected a whole number")
        return found

    def values_by_name(self, name: str) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for inner, raw in self._named(name):
            try:
                found[inner] = any_value(raw)
            except Misfit as misfit:
                self.notes.error((*self.where(name), inner), str(misfit))
        return found

    def values(self, name: str) -> tuple[Scalar, ...] | None:
        try:
            return cast("tuple[Scalar, ...] | None", None if (raw := self.array(name)) is None else any_value(raw))
        except Misfit as misfit:
            self.error(name, str(misfit))
            return None

    def section(self, name: str) -> Section | None:
        key = self.table.key(name)
        raw = cast("object", self._typed(key, dict))
        return None if raw is None else open_section(raw, _inner(key), self.where(name), self.notes)

    def sections(self, name: str) -> tuple[Section, ...]:
        """An array of tables, under its present name and then under its older one."""
        key = self.table.key(name)
        return tuple(
            section
            for spelling in key.spellings
            for at, raw in enumerate(self._array_spelt(key, spelling))
            if (section := open_section(raw, _inner(key), (*self.path, spelling, at), self.notes))
        )

    def sections_by_name(self, name: str) -> dict[str, Section]:
        """Named tables under both spellings; one name in both is an error, as nobody could say which is meant."""
        key = self.table.key(name)
        found: dict[str, Section] = {}
        for spelling in key.spellings:
            for inner, raw in self._table_spelt(key, spelling).items():
                where = (*self.path, spelling, inner)
                if inner in found:
                    self.notes.error(where, f"declared twice, here and as {key.name}.{inner}; keep one")
                elif section := open_section(raw, _inner(key), where, self.notes):
                    found[inner] = section
        return found

    def _spelt(self, key: Key) -> str | None:
        return next((spelling for spelling in key.spellings if spelling in self.raw), None)

    def _typed(self, key: Key, wanted: type[T]) -> T | None:
        spelling = self._spelt(key)
        if spelling is None:
            if key.required:
                self.error(key.name, f"missing; expected {EXPECTED[key.kind]}. {key.description}")
            return None
        if spelling == key.name and key.older in self.raw:
            self.error(key.name, f"declared twice, as {key.name} and as {key.older}; keep {key.name}")
        return self._checked(key, spelling, wanted)

    def _checked(self, key: Key, spelling: str, wanted: type[T]) -> T | None:
        found = self.raw[spelling]
        if isinstance(found, wanted) and (wanted is bool or not isinstance(found, bool)):
            return found
        self.notes.error((*self.path, spelling), f"found {described(found)}, expected {EXPECTED[key.kind]}")
        return None

    def _array_spelt(self, key: Key, spelling: str) -> list[object]:
        if spelling not in self.raw:
            return []
        return cast("list[object] | None", self._checked(key, spelling, list)) or []

    def _table_spelt(self, key: Key, spelling: str) -> dict[str, object]:
        if spelling not in self.raw:
            return {}
        return cast("dict[str, object] | None", self._checked(key, spelling, dict)) or {}

    def _named(self, name: str) -> Iterator[tuple[str, object]]:
        found = cast("dict[str, object] | None", self._typed(self.table.key(name), dict))
        yield from (found or {}).items()

    def _bounded(self, name: str, where: Path, found: int) -> int:
        minimum = self.table.key(name).minimum
        if minimum is not None and found < minimum:
            self.notes.error(where, f"found {found}, expected {minimum} or more")
        return found

    def _is_text(self, name: str, at: int, raw: object) -> bool:
        if isinstance(raw, str) and "\0" not in raw:
            return True
        self.notes.error((*self.where(name), at), f"found {described(raw)}, expected a string, without NUL characters")
        return False


def _inner(key: Key) -> Table:
    assert key.table is not None, f"{key.name} holds no table"
    return key.table
