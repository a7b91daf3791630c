"""The problems found in one file, and the lines they stand on.

`tomllib` gives no positions, so lines are looked up in the text, and only once there is a problem to report.
"""

from __future__ import annotations

from bisect import bisect_right

from reconciler.manifest.problems import Problem, Severity
from reconciler.manifest.spans import Path, Span, entries, statements
from reconciler.manifest.spelling import spell_key

MAX_EACH = 100
"""Errors, and warnings, told of one file: one made of mistakes alone must not cost a sentence for each."""


class Notes:
    """Collects one file's problems; it belongs to the one call that reads the file."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._text = text
        self._lines: dict[Path, int] | None = None
        self._found: dict[Severity, list[Problem]] = {"error": [], "warning": []}

    def error(self, path: Path, message: str) -> None:
        self._note("error", path, message)

    def warning(self, path: Path, message: str) -> None:
        self._note("warning", path, message)

    def has_room(self, severity: Severity) -> bool:
        return len(self._found[severity]) < MAX_EACH

    def line(self, path: Path) -> int | None:
        """The line of a key; of a key that is missing, the line of the table it is missing from."""
        if self._lines is None:
            self._lines = key_lines(self._text)
        for length in range(len(path), 0, -1):
            if (line := self._lines.get(path[:length])) is not None:
                return line
        return None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """In the order of the file."""
        found = sorted((each for some in self._found.values() for each in some), key=lambda problem: problem.line or 0)
        return (*found, *(self._more(severity) for severity in self._found if not self.has_room(severity)))

    def _note(self, severity: Severity, path: Path, message: str) -> None:
        if self.has_room(severity):
            self._found[severity].append(Problem(severity, self.file, self.line(path), dotted(path), message))

    def _more(self, severity: Severity) -> Problem:
        message = f"has at least {MAX_EACH} {severity}s; mend these to see whether there are more"
        return Problem(severity, self.file, None, "", message)


def dotted(path: Path) -> str:
    """A path as people write it; tables of an array are counted from 1: `task[2].queries[1].target`."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part + 1}]"
        else:
            shown += f".{spell_key(part)}" if shown else spell_key(part)
    return shown


def key_lines(text: str) -> dict[Path, int]:
    """The line each key, table and list item of a valid TOML text first appears on."""
    starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
    lines: dict[Path, int] = {}
    for statement in statements(text):
        _enter(lines, statement.path, bisect_right(starts, statement.lines.start))
        if statement.kind == "pair":
            _enter_items(lines, text, starts, statement.path, statement.value)
    return lines


def _enter(lines: dict[Path, int], path: Path, line: int) -> None:
    """The path and, where they have no line of their own yet, the tables around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return
        lines[path[:length]] = line


def _enter_items(lines: dict[Path, int], text: str, starts: list[int], path: Path, value: Span) -> None:
    if text[value.start] not in "[{":
        return
    for entry in entries(text, value):
        inner = (*path, *entry.key)
        _enter(lines, inner, bisect_right(starts, entry.whole.start))
        _enter_items(lines, text, starts, inner, entry.value)
