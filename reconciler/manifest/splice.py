"""One key of a TOML text set or removed by replacing spans; every other byte stays.

Nothing here checks its own result: `tomledit` and `lens` read it back and compare, because an edit that is
wrong must be an error and never a file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from itertools import takewhile
from typing import cast

from reconciler.core.value import Value
from reconciler.manifest.arrays import edited_list
from reconciler.manifest.spans import (
    Entry,
    Path,
    Span,
    Statement,
    body_start,
    entries,
    newline_of,
    statements,
)
from reconciler.manifest.spelling import Unspeakable, spell, spell_inline, spell_key


def with_value(text: str, path: Path, value: Value) -> str:
    """The text with the key at `path` set."""
    document = statements(text)
    for statement in document:
        if statement.kind == "pair" and statement.path == path[: len(statement.path)]:
            return _set_inside(text, statement.value, path[len(statement.path) :], value)
    if any(_is_under(statement, path) for statement in document):
        place = next(each for each in document if _is_under(each, path)).lines.start
        return _reborn(without(text, path), path, value, place)
    return _inserted(text, document, path, value)


def without(text: str, path: Path) -> str:
    """The text with the key at `path`, and everything under it, removed."""
    document = statements(text)
    for statement in document:
        if statement.kind == "pair" and statement.path == path[: len(statement.path)] != path:
            return _without_inside(text, statement.value, path[len(statement.path) :])
    gone = [_section(statement, document) for statement in document if _is_under(statement, path)]
    for span in reversed(_joined(gone)):
        text = text[: span.start] + text[span.end :]
    return text


def _is_under(statement: Statement, path: Path) -> bool:
    return statement.path[: len(path)] == path


def _section(statement: Statement, document: list[Statement]) -> Span:
    """The lines of a statement; those of a header reach to its last pair, comments between included."""
    if not statement.is_header:
        return statement.lines
    behind = document[document.index(statement) + 1 :]
    own = list(takewhile(lambda each: not each.is_header, behind))
    return Span(statement.lines.start, own[-1].lines.end if own else statement.lines.end)


def _joined(spans: list[Span]) -> list[Span]:
    """Without those that lie inside the one before."""
    kept: list[Span] = []
    for span in spans:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def _reborn(text: str, path: Path, value: Value, place: int) -> str:
    """A table written as headers or dotted keys becomes one key, in its place where that is still open."""
    document = statements(text)
    if len(path) == 1 and not any(each.is_header and each.lines.start < place for each in document):
        return _with_lines(text, place, _line_of(path, value))
    return _inserted(text, document, path, value)


# --- inside a value ---------------------------------------------------------------------------------------


def _set_inside(text: str, span: Span, path: Path, value: Value) -> str:
    if not path:
        return _replaced(text, span, _respelt(span.of(text), value).replace("\n", newline_of(text)))
    found = entries(text, span)
    for entry in found:
        if entry.key == path[: len(entry.key)]:
            return _set_inside(text, entry.value, path[len(entry.key) :], value)
    is_array = text[span.start] == "["
    if text[span.start] not in "[{" or (is_array and path[0] != len(found)):
        raise Unspeakable(f"a key {path[0]!r} inside {span.of(text)[:40]!r}")
    return _appended(text, span, found, path[1:] if is_array else path, value)


def _appended(text: str, span: Span, found: list[Entry], path: Path, value: Value) -> str:
    """A new last item of an inline value. Inline tables allow no newline, hence no trailing comma."""
    is_array = text[span.start] == "["
    spelt = f"{_key_of(path)} = {spell_inline(value)}" if path else spell_inline(value)
    if is_array and path:
        spelt = f"{{ {spelt} }}"
    if found:
        return _replaced(text, Span(found[-1].whole.end, found[-1].whole.end), f", {spelt}")
    return _replaced(text, Span(span.start + 1, span.start + 1), spelt if is_array else f" {spelt} ")


def _respelt(raw: str, value: Value) -> str:
    """The value spelt anew, keeping of the old spelling what still holds."""
    raw = raw.replace("\r\n", "\n")
    if isinstance(value, tuple) and raw.startswith("[") and "\n" in raw:
        old = tuple(cast("list[Value]", tomllib.loads(f"old = {raw}")["old"]))
        if all(not isinstance(each, list | Mapping) for each in (*old, *value)):
            return edited_list(raw, old, value)
    return spell(value, like=raw)


def _without_inside(text: str, span: Span, path: Path) -> str:
    found = entries(text, span)
    for number, entry in enumerate(found):
        if entry.key == path:
            start = found[number - 1].whole.end if number else entry.whole.start
            last = number + 1 == len(found)
            end = entry.whole.end if number or last else found[1].whole.start
            return _replaced(text, Span(start, end), "")
        if entry.key == path[: len(entry.key)]:
            return _without_inside(text, entry.value, path[len(entry.key) :])
    return text


# --- new keys ---------------------------------------------------------------------------------------------


def _inserted(text: str, document: list[Statement], path: Path, value: Value) -> str:
    """A key that is not there yet, at the end of the nearest table that is."""
    for depth in range(len(path) - 1, 0, -1):
        anchor = path[:depth]
        own = [each for each in document if each.section == anchor]
        dotted = [each for each in document if not each.is_header and _is_under(each, anchor)]
        beside = own or [each for each in dotted if len(each.section) < depth]
        if beside and all(isinstance(part, str) for part in path[len(beside[-1].section) :]):
            line = _line_of(path[len(beside[-1].section) :], value)
            return _with_lines(text, beside[-1].lines.end, line)
        if any(each.is_header and _is_under(each, anchor) for each in document):
            break
    if len(path) > 1:
        return _with_section(text, document, path, value)
    return _with_lines(text, _end_of_root(text, document), _line_of(path, value))


def _with_section(text: str, document: list[Statement], path: Path, value: Value) -> str:
    """A new header holding the key, behind its relatives or at the end."""
    parent, is_array = path[:-1], isinstance(path[-2], int)
    name = _key_of(tuple(part for part in parent if isinstance(part, str)))
    header = f"[[{name}]]" if is_array else f"[{name}]"
    relatives = [each for each in document if each.section[:1] == path[:1]]
    place = relatives[-1].lines.end if relatives else len(text)
    gap = "" if place == body_start(text) else "\n"
    return _with_lines(text, place, f"{gap}{header}\n{_line_of(path[-1:], value)}")


def _end_of_root(text: str, document: list[Statement]) -> int:
    """Behind the last root key; where headers follow and there is none, at the top of the text."""
    headers = [each for each in document if each.is_header]
    if not headers:
        return len(text)
    root = [each for each in document if not each.section and not each.is_header]
    return root[-1].lines.end if root else body_start(text)


def _line_of(path: Path, value: Value) -> str:
    return f"{_key_of(path)} = {spell(value)}\n"


def _key_of(path: Path) -> str:
    if not all(isinstance(part, str) for part in path):
        raise Unspeakable("a plain value among [[tables]], or a place beyond the end of an array")
    return spell_key(*cast("tuple[str, ...]", path))


def _with_lines(text: str, place: int, lines: str) -> str:
    before = text[:place]
    if place > body_start(text) and not before.endswith("\n"):
        lines = "\n" + lines
    return before + lines.replace("\n", newline_of(text)) + text[place:]


def _replaced(text: str, span: Span, new: str) -> str:
    return text[: span.start] + new + text[span.end :]
