"""Where each statement of a TOML text stands, so that an edit can replace one span and leave every other byte.

The text must be valid TOML already (`tomllib` has read it), which keeps this a scan and not a second parser:
it only has to find where strings, brackets and comments end.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Path = tuple[str | int, ...]
"""Keys from the root; the tables of an array of tables are counted, as in ``("task", 0, "name")``."""

_STRING = (
    r'"""(?:[^"\\]|\\.|"(?!""))*+"{3,5}'
    r"|'''(?:[^']|'(?!''))*+'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*+"'
    r"|'[^'\n]*+'"
)
STRING = re.compile(_STRING, re.DOTALL)
_NESTED = re.compile(rf"{_STRING}|\#[^\n]*+|[\[\]{{}}]", re.DOTALL)
_BARE = re.compile(r"[^,\]}#\r\n]+")
_KEY_PART = re.compile(r'[ \t]*([A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*+"|\'[^\'\n]*+\')[ \t]*')
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*+")
BLANK_LINE = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r?\n|\Z)")
REST_OF_LINE = re.compile(r"[ \t]*(#[^\r\n]*)?(?:\r?\n|\Z)")


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of the text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Statement:
    """A header or a ``key = value``. `lines` are its whole lines, its trailing comment and newline included."""

    kind: Literal["pair", "table", "array"]
    path: Path
    section: Path
    lines: Span
    value: Span

    @property
    def is_header(self) -> bool:
        return self.kind != "pair"


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of an inline value: `whole` runs from its key (or value) to the end of its value."""

    key: Path
    whole: Span
    value: Span


def body_start(text: str) -> int:
    """Where the document begins behind a byte-order mark."""
    return 1 if text.startswith("\ufeff") else 0


def newline_of(text: str) -> str:
    """The line ending the text uses, so that new lines look like their neighbours."""
    return "\r\n" if "\r\n" in text else "\n"


def statements(text: str) -> list[Statement]:
    """Every header and pair in the order written; comments and blank lines are the gaps between them."""
    return list(_statements(text))


def _statements(text: str) -> Iterator[Statement]:
    position, section = body_start(text), Path()
    counts: dict[Path, int] = {}
    while position < len(text):
        if blank := BLANK_LINE.match(text, position):
            position = blank.end()
            continue
        found = _header(text, position, counts) or _pair(text, position, section)
        section, position = found.section, found.lines.end
        yield found


def _header(text: str, start: int, counts: dict[Path, int]) -> Statement | None:
    opening = _skip(text, start, " \t")
    if text[opening] != "[":
        return None
    is_array = text.startswith("[[", opening)
    keys, end = _keys(text, opening + (2 if is_array else 1))
    path = _counted(keys, counts, is_array)
    lines = Span(start, _line_end(text, end + (2 if is_array else 1)))
    return Statement("array" if is_array else "table", path, path, lines, Span(end, end))


def _counted(keys: tuple[str, ...], counts: dict[Path, int], is_array: bool) -> Path:
    """The header's path with the number of the table it stands in at every array of tables."""
    path = Path()
    for key in keys[:-1] if is_array else keys:
        path = (*path, key)
        if path in counts:
            path = (*path, counts[path] - 1)
    if is_array:
        path = (*path, keys[-1])
        counts[path] = counts.get(path, 0) + 1
        path = (*path, counts[path] - 1)
    return path


def _pair(text: str, start: int, section: Path) -> Statement:
    keys, equals = _keys(text, start)
    value = value_at(text, _skip(text, equals + 1, " \t"))
    return Statement("pair", (*section, *keys), section, Span(start, _line_end(text, value.end)), value)


def value_at(text: str, start: int) -> Span:
    """The span of the value that begins here."""
    if string := STRING.match(text, start):
        return Span(start, string.end())
    if text[start] in "[{":
        return Span(start, _closing(text, start))
    bare = _BARE.match(text, start)
    assert bare, f"no TOML value at {start}"
    return Span(start, start + len(bare.group().rstrip(" \t")))


def entries(text: str, container: Span) -> list[Entry]:
    """The items of an array or an inline table, in order; items of arrays have their number as key."""
    is_array = text[container.start] == "["
    found: list[Entry] = []
    position = skip_space(text, container.start + 1)
    while position < container.end - 1:
        key: Path = (len(found),)
        value_start = position
        if not is_array:
            key, equals = _keys(text, position)
            value_start = _skip(text, equals + 1, " \t")
        value = value_at(text, value_start)
        found.append(Entry(key, Span(position, value.end), value))
        position = skip_space(text, value.end)
        if text[position] == ",":
            position = skip_space(text, position + 1)
    return found


def skip_space(text: str, start: int) -> int:
    """Past white space, newlines and comments."""
    found = _SPACE.match(text, start)
    return found.end() if found else start


def comments(text: str) -> list[str]:
    """Every comment of a valid text in order, including those inside its arrays."""
    found = (token.group() for token in re.finditer(rf"{_STRING}|\#[^\r\n]*+", text, re.DOTALL))
    return [token for token in found if token.startswith("#")]


def _closing(text: str, start: int) -> int:
    depth = 0
    for token in _NESTED.finditer(text, start):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token.group(), 0)
        if depth == 0:
            return token.end()
    raise AssertionError(f"bracket at {start} is never closed")


def _keys(text: str, start: int) -> tuple[tuple[str, ...], int]:
    """The parts of a key, and the position right behind them."""
    parts: list[str] = []
    while True:
        part = _KEY_PART.match(text, start)
        assert part, f"no TOML key at {start}"
        parts.append(_unquoted(part[1]))
        start = part.end()
        if text[start] != ".":
            return tuple(parts), start
        start += 1


def _unquoted(key: str) -> str:
    if key[0] == '"':
        return next(iter(tomllib.loads(f"{key} = 0")))
    return key.strip("'")


def _skip(text: str, start: int, characters: str) -> int:
    while text[start] in characters:
        start += 1
    return start


def _line_end(text: str, start: int) -> int:
    rest = REST_OF_LINE.match(text, start)
    assert rest, f"text behind the value at {start}"
    return rest.end()
