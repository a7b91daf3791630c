"""A TOML text as rows, and the draft of a new section made from them, which loses no comment.

A row knows what stood above it and behind it. Where a row's own line goes (a header that is merged, say), its
comments wait for the next line that stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from reconciler.manifest.spans import Entry, Path, Span, comments, entries, statements
from reconciler.manifest.spelling import INDENT, spell_key

_HEADER_END = re.compile(r"[ \t]*\]{1,2}([ \t]*#.*)?")

Pair = tuple[Path, str]
"""A key of an inline table and its value as written."""


class MigrationError(ValueError):
    """The text cannot be rewritten without changing what it means; it is left as it is."""


@dataclass(frozen=True, slots=True)
class Row:
    """A statement as written: `lead` the blank and comment lines above it, `trail` the comment on its line."""

    kind: Literal["pair", "table", "array"]
    path: Path
    section: Path
    lead: str
    text: str
    raw: str
    trail: str

    @property
    def is_header(self) -> bool:
        return self.kind != "pair"


@dataclass(frozen=True, slots=True)
class Item:
    """An element of a list to be written, with the comments that belong above it."""

    comments: tuple[str, ...]
    text: str


class Draft:
    """The lines of one new section; it belongs to the function that fills it."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._waiting = ""

    def heading(self, header: str, row: Row) -> None:
        """The section's own header, in the place of its first row."""
        self.line(f"{header}{row.trail if row.is_header else ''}", row.lead)

    def keep(self, row: Row) -> None:
        """The comments of a row whose line goes."""
        if "#" in row.lead:
            self._waiting += row.lead
        self.note(comments(row.trail))

    def note(self, remarks: Sequence[str]) -> None:
        self._waiting += "".join(f"{remark}\n" for remark in remarks)

    def line(self, text: str, lead: str = "") -> None:
        self._lines.append(f"{self._waiting}{lead}{text}\n")
        self._waiting = ""

    def pair(self, row: Row, *key: str) -> None:
        """The row under another key."""
        self.line(f"{spell_key(*key)} = {row.raw}{row.trail}", row.lead)

    def same(self, row: Row) -> None:
        self.line(row.text.removesuffix("\n"), row.lead)

    def silence(self, row: Row, home: str, *key: str) -> None:
        """A key that said nothing where it stood, and would say something where it goes, becomes a comment."""
        self.note([*remarks(row), *comments(row.raw), f"# Without effect in {home}, hence only a comment:"])
        self.line("\n".join(f"# {line}" for line in f"{spell_key(*key)} = {row.raw}".split("\n")))

    def items(self, key: str, items: Sequence[Item], closing: Sequence[str] = (), lead: str = "") -> None:
        """A list with one item per line."""
        lines = [line for item in items for line in (*item.comments, f"{item.text},")]
        body = "".join(f"{INDENT}{line}\n" for line in (*lines, *closing))
        self.line(f"{key} = [\n{body}]", lead)

    def text(self) -> str:
        return "".join(self._lines) + self._waiting


def rows(text: str) -> tuple[list[Row], str]:
    """The statements of the text, and what stands below the last one."""
    found: list[Row] = []
    position = 0
    for each in statements(text):
        lines = each.lines.of(text)
        if each.is_header:
            end = _HEADER_END.match(text, each.value.end)
            trail = (end[1] or "") if end else ""
        else:
            trail = text[each.value.end : each.lines.end].removesuffix("\n")
        lead, raw = text[position : each.lines.start], each.value.of(text)
        found.append(Row(each.kind, each.path, each.section, lead, lines, raw, trail))
        position = each.lines.end
    return found, text[position:]


def without_heading(row: Row) -> Row:
    """A section's first row without what `Draft.heading` has written of it already."""
    return replace(row, lead="", trail="" if row.is_header else row.trail)


def renamed(row: Row, *name: str) -> str:
    """The header's line under another name."""
    opening, closing = ("[[", "]]") if row.kind == "array" else ("[", "]")
    return f"{opening}{spell_key(*name)}{closing}{row.trail}\n"


def expanded(row: Row) -> Iterator[Row]:
    """An inline table's entries as rows of their own; its comments stay with the first, its trail with the last."""
    found = entries(row.raw, Span(0, len(row.raw)))
    if not found:
        yield replace(row, kind="table", raw="")
    for number, entry in enumerate(found):
        lead = row.lead if number == 0 else ""
        trail = row.trail if number + 1 == len(found) else ""
        raw = entry.value.of(row.raw)
        path = (*row.path, *entry.key)
        yield Row("pair", path, row.section, lead, f"{spell_key(*strings(entry.key))} = {raw}{trail}\n", raw, trail)


def elements(raw: str) -> tuple[list[tuple[tuple[str, ...], Entry]], list[str]]:
    """The items of a list as written, each with the comments above it, and the comments below the last."""
    found: list[tuple[tuple[str, ...], Entry]] = []
    position = 1
    for entry in entries(raw, Span(0, len(raw))):
        found.append((tuple(comments(raw[position : entry.whole.start])), entry))
        position = entry.whole.end
    return found, comments(raw[position:-1])


def pairs_in(raw: str) -> list[Pair]:
    """The entries of an inline table as written."""
    return [(entry.key, entry.value.of(raw)) for entry in entries(raw, Span(0, len(raw)))]


def inline(pairs: Sequence[Pair]) -> str:
    """An inline table of values as written."""
    inside = ", ".join(f"{spell_key(*strings(key))} = {raw}" for key, raw in pairs)
    return f"{{ {inside} }}" if pairs else "{}"


def remarks(row: Row) -> list[str]:
    """All comments of a row whose value will stand elsewhere."""
    return [*comments(row.lead), *comments(row.trail)]


def strings(path: Path) -> tuple[str, ...]:
    """The path's keys, without its places in arrays, as a header names them."""
    return tuple(part for part in path if isinstance(part, str))
