"""Commands as a person types them: printed, run, and their output shown. An unexpected exit code ends the story."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Generator, Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from reconciler import cli
from reconciler.ports import Person
from reconciler.visible import counted

_WIDTH = 88
_TAIL = 3


class Unexpected(Exception):
    """Something was not as the story says."""


@dataclass(frozen=True)
class Shell:
    """A terminal in one folder."""

    folder: Path

    def run(self, command: str, code: int = 0, by: Person | None = None, most: int = 0) -> str:
        """Run a command of `git` or `reconciler` and show it. ``by``: who types. ``most``: lines shown; 0 for all.

        A pipe narrows what is shown, not what is returned; the exit code is the first program's.
        """
        as_whom = f"   # {by.name}" if by else ""
        print(f"\n  $ {command}{as_whom}")
        typed, _, narrower = command.partition(" | ")
        program, *words = shlex.split(typed)
        run = _reconciler if program == "reconciler" else _git
        with chdir(self.folder), _as_person(by):
            done = run(words)
        _show(_narrowed(done.stdout, narrower), most)
        if done.returncode != code:
            raise Unexpected(f"`{typed}` ended with {done.returncode}, not {code}\n{done.stdout[-2000:]}{done.stderr}")
        if code and not narrower:
            print(f"    (exit code {code})")
        return done.stdout

    def edit(self, path: str, before: str, after: str) -> None:
        """Replace lines of a file, as in an editor, and show it."""
        text = (self.folder / path).read_text()
        check(text.count(before) == 1, f"{path} holds {before!r} once")
        (self.folder / path).write_text(text.replace(before, after))
        edited(f"an editor, on {path}", before, after)


def check(holds: bool, what: str) -> None:
    """Go on only if ``what`` is so."""
    if not holds:
        raise Unexpected(f"this was expected, and is not so: {what}")


def edited(where: str, before: str, after: str) -> None:
    """Lines that somebody changed, and where."""
    shown(where, [*(f"- {line}" for line in before.splitlines()), *(f"+ {line}" for line in after.splitlines())])


def shown(where: str, lines: Sequence[str]) -> None:
    """What somebody sees or does elsewhere than in this terminal."""
    print(f"\n  ({where})")
    _show("\n".join(lines), 0)


def heading(text: str) -> None:
    print(f"\n\n{_bold(text)}")


def prose(text: str) -> None:
    print("\n" + textwrap.fill(" ".join(text.split()), _WIDTH))


def _narrowed(output: str, command: str) -> str:
    """What `grep` or `tail` leaves of it."""
    if not command:
        return output
    return subprocess.run(shlex.split(command), input=output, capture_output=True, text=True, check=False).stdout


def _show(output: str, most: int) -> None:
    for line in _shortened(output.rstrip("\n").splitlines(), most):
        print(f"    {line}".rstrip(), flush=True)


def _shortened(lines: Sequence[str], most: int) -> Iterator[str]:
    """The beginning and the last lines of what is long, and how much was left out."""
    if not most or len(lines) <= most:
        yield from lines
        return
    yield from lines[: most - _TAIL]
    yield f"… {counted(len(lines) - most, 'more line')}"
    yield from lines[-_TAIL:]


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def forget_environment() -> None:
    """Drop settings of this machine that would lead elsewhere: to another Letta, another workspace, another git."""
    for name in [name for name in os.environ if name.startswith(("RECONCILER_", "GIT_"))]:
        del os.environ[name]
    os.environ.pop("CREDENTIALS_DIRECTORY", None)
    os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_PAGER": "cat"}


@contextmanager
def _as_person(by: Person | None) -> Generator[None, None, None]:
    """Git and the reconciler see this person at the keyboard."""
    names = [f"GIT_{role}_{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]
    if by is not None:
        os.environ |= dict(zip(names, 2 * (by.name, by.email), strict=True))
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)


def _git(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], capture_output=True, text=True, errors="replace", check=False)


def _reconciler(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """The whole command line, in this process: starting Python anew for each would take most of the time."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.run(list(words))
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())
