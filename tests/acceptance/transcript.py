"""The ``console`` blocks of a page: what a reader would type, what the page shows, and what really comes of it.

``python -m tests.acceptance.transcript README.md`` runs them and writes what they printed into the page.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
AUTHOR = {"NAME": "Ann Author", "EMAIL": "ann@school.example"}
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)

_MASKS = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{1,12}\b", "<uuid>"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)?", "<time>"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "<time>"),
    (r"\b\w{3} \w{3} +\d+ [\d:]{8} \d{4} [+-]\d{4}", "<time>"),
    (r"(?=[a-f]*\d)\^?\b[0-9a-f]{7,64}\b", "<id>"),
    (r"127\.0\.0\.1:\d+", "<address>"),
    (r"git version [\d.]+", "<git>"),
    (r"[\d,]+ GB free", "<disk>"),
    (r"\s+", " "),
)


@dataclass(frozen=True)
class Command:
    """One command of a page and the output it shows. at: where that output stands in the page."""

    words: str
    shown: str
    at: tuple[int, int]


def commands(page: str) -> Iterator[Command]:
    """Every command of the console blocks, in order."""
    for block in _BLOCK.finditer(page):
        starts = [each.start() for each in re.finditer(r"^\$ ", block[1], re.MULTILINE)]
        for start, end in zip(starts, [*starts[1:], len(block[1])], strict=True):
            line, _, shown = block[1][start:end].partition("\n")
            at = block.start(1) + start + len(line) + 1
            yield Command(line.removeprefix("$ "), shown, (at, at + len(shown)))


def masked(output: str) -> list[str]:
    """Lines without what differs from run to run, and without regard to how wide a column is."""
    for pattern, mask in _MASKS[:-1]:
        output = re.sub(pattern, mask, output)
    return [re.sub(*_MASKS[-1], line).strip() for line in output.strip().splitlines()]


@dataclass
class Terminal:
    """A reader's terminal. home: their home folder, with the checkout in it."""

    home: Path
    cwd: Path = field(init=False)
    code: int = 0

    def __post_init__(self) -> None:
        self.cwd = self.home / "reconciler"
        self.cwd.mkdir(parents=True)
        shutil.copytree(PROJECT / "courses", self.cwd / "courses")
        program = self.home / "bin" / "reconciler"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from reconciler.cli import main; main()" "$@"\n')
        program.chmod(0o755)

    def run(self, words: str) -> str:
        """What one command prints; ``cd`` and ``echo $?`` mean what they mean in a terminal."""
        if words == "echo $?":
            return f"{self.code}\n"
        where = self.home / "cwd"
        done = subprocess.run(
            ["bash", "-c", f"{words}\ncode=$?; pwd > {where}; exit $code"],
            cwd=self.cwd,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.code, self.cwd = done.returncode, Path(where.read_text().strip())
        return done.stdout.replace(str(self.home), "~")

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RECONCILER_", "GIT_"))}
        people = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in AUTHOR.items()}
        own = {"HOME": str(self.home), "PATH": f"{self.home}/bin:{os.environ['PATH']}", "GIT_PAGER": "cat", "TZ": "UTC"}
        quick = {"RECONCILER_LETTA__GRACE_SECONDS": "0", "PYTHONPATH": str(PROJECT), "GIT_CONFIG_NOSYSTEM": "1"}
        return kept | people | own | quick


def run_demo(folder: Path) -> subprocess.CompletedProcess[str]:
    """What ``make run`` runs."""
    return subprocess.run(
        [sys.executable, "-m", "reconciler.demo", str(folder)],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> None:
    """Write what the commands print into the pages named."""
    for path in map(Path, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as home:
            terminal = Terminal(Path(home))
            assert run_demo(terminal.cwd / ".run" / "workspace").returncode == 0
            page = path.read_text()
            printed = [(each.at, terminal.run(each.words)) for each in commands(page)]
        for (start, end), output in reversed(printed):
            text = "".join(f"{line}".rstrip() + "\n" for line in output.splitlines())
            page = page[:start] + text + page[end:]
        path.write_text(page)


if __name__ == "__main__":
    main()
