"""What reaches the terminal: results on stdout, everything else on stderr. Colours only where a person looks."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from reconciler.visible import visible

if TYPE_CHECKING:
    from rich.text import Text

_QUIET_SECONDS: Final = 2.0
"""Work shorter than this shows no progress where nobody sees it vanish again."""


def show(lines: Iterable[Text]) -> None:
    """Print lines that are safe already; without a terminal they are plain and never wrapped."""
    from rich.console import Console  # a third of the start-up time, and only some commands print with it

    console = Console(soft_wrap=True, highlight=False)
    for line in lines:
        console.print(line)


def say(line: str) -> None:
    """One plain line of result, made safe."""
    print(visible(line), flush=True)


def show_json(found: object) -> None:
    print(json.dumps(found, indent=2, allow_nan=False).replace("\x7f", "\\u007f"))


def complain(message: str, kind: str = "error") -> None:
    """What went wrong, one line each."""
    clear_progress()
    for line in message.splitlines() or [""]:
        print(f"reconciler: {kind}: {visible(line)}", file=sys.stderr, flush=True)


def show_table(rows: Iterable[Mapping[str, str]]) -> None:
    """Rows under their names, as wide as needed."""
    texts = [{name: visible(cell) for name, cell in row.items()} for row in rows]
    if not texts:
        return
    widths = {name: max(len(name), *(len(row[name]) for row in texts)) for name in texts[0]}
    for row in [{name: name for name in widths}, *texts]:
        print("  ".join(row[name].ljust(width) for name, width in widths.items()).rstrip())


class Progress:
    """What long work is doing: a line that replaces itself on a terminal; elsewhere a line now and then."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._last = now, now()

    def __call__(self, doing: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{visible(doing)} …", end="", file=sys.stderr, flush=True)
        elif self._now() - self._last >= _QUIET_SECONDS:
            self._last = self._now()
            print(f"{visible(doing)} …", file=sys.stderr, flush=True)


def clear_progress() -> None:
    """Before anything else is printed."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
