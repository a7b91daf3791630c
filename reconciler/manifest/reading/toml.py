"""Bytes somebody wrote, as TOML tables; or the one problem that stands in the way."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

from reconciler.manifest.limits import MAX_BYTES, MAX_DEPTH, too_deep
from reconciler.manifest.problems import Problem

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_HALF_ARRAY = re.compile(r"\s*\[(?!\[)([^\[\]]*)\]\]")
_SHOWN = 60


@dataclass(frozen=True)
class Parsed:
    """One file's text and its tables."""

    text: str
    tables: dict[str, object]


def parse(content: bytes, file: str) -> Parsed | Problem:
    """Size and depth are looked at before the parser runs; it guards against neither."""
    if len(content) > MAX_BYTES:
        return _refused(file, f"has {len(content):,} bytes; expected at most {MAX_BYTES:,}. Split or shorten the file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"byte {error.start} is not UTF-8 ({error.reason}); save the file as UTF-8"
        return Problem("error", file, line, "", message)
    if too_deep(text):
        return _refused(file, f"nests deeper than {MAX_DEPTH} levels; expected a few. Flatten its lists and tables")
    return _parsed(text, file)


def _parsed(text: str, file: str) -> Parsed | Problem:
    try:
        return Parsed(text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        return _syntax_problem(text, file, str(error))
    except (ValueError, RecursionError) as error:
        return _refused(file, f"is not valid TOML: {error}. Look for an over-long number or very deep nesting")


def _refused(file: str, message: str) -> Problem:
    return Problem("error", file, None, "", message)


def _syntax_problem(text: str, file: str, reason: str) -> Problem:
    """The parser's words, with the line they are about and, for a common slip, the way to write it."""
    place = _PLACE.search(reason)
    lines = text.split("\n")
    number = int(place[1]) if place and place[1] else len(lines)
    shown = lines[number - 1].strip()[:_SHOWN] if number <= len(lines) else ""
    what = reason[: place.start()] if place else reason
    column = f" at column {place[2]}" if place and place[2] else ""
    message = f"is not valid TOML{column}: {what[0].lower()}{what[1:]}"
    if shown:
        message += f"; found `{shown}`"
    if half := _HALF_ARRAY.match(lines[number - 1] if number <= len(lines) else ""):
        message += f"; expected `[[{half[1]}]]` for one of several or `[{half[1]}]` for the only one"
    else:
        message += "; mend this line or the one before it"
    return Problem("error", file, number, "", message)
