"""What was measured, beside what was aimed at: as a table for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

_HEADS = ("work", "measured", "target", "", "beside")


@dataclass(frozen=True)
class Line:
    """One figure. ``limit``: the most it may be; None where it is only told. ``beside``: what else was seen."""

    work: str
    value: float
    unit: str
    limit: float | None = None
    beside: str = ""

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return ""
        return "met" if self.value <= self.limit else f"missed by {self.value / self.limit - 1:.0%}"

    @property
    def is_missed(self) -> bool:
        return self.limit is not None and self.value > self.limit


def rendered(lines: Sequence[Line]) -> str:
    """The table, in Markdown that also lines up in a terminal."""
    cells = [_HEADS, *map(_cells, lines)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADS))]
    told = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return "\n".join([told[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *told[1:]])


def as_json(lines: Sequence[Line]) -> list[dict[str, object]]:
    return [asdict(line) | {"verdict": line.verdict} for line in lines]


def _cells(line: Line) -> tuple[str, ...]:
    limit = "" if line.limit is None else f"≤ {_figure(line.limit, line.unit)}"
    return line.work, _figure(line.value, line.unit), limit, line.verdict, line.beside


def _figure(value: float, unit: str) -> str:
    if unit in ("ms", "MB", "requests"):
        return f"{value:,.0f} {unit}"
    return f"{value:.2f} {unit}"
