"""What is wrong with a file somebody wrote, as a value that says where, what was found and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reconciler.errors import Terminal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing to mend (error) or to look at (warning). `line` is None where no line is to blame."""

    severity: Severity
    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.message) if part)


class ManifestError(Terminal):
    """A file that cannot be read as what it should be, with every problem found in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
