"""What people ask of history, and what travels to other machines: the git program's work, through GitPython.

Its hooks, transports and credential helpers behave as users expect, which pygit2's do not. It is too slow for a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from git.cmd import Git
from git.exc import GitCommandError, GitError

from reconciler.errors import Terminal, Transient
from reconciler.ports import Commit, Person
from reconciler.store.people import one_line

_FIELDS = "%H%x00%P%x00%an%x00%ae%x00%at%x00%B%x00"
_WORTH_ANOTHER_TRY = ("Could not resolve host", "timed out", "Connection re", "unable to access", "hung up", ".lock'")


@dataclass(frozen=True)
class Line:
    """One line of a file, and the commit that last changed it."""

    commit: str
    author: Person
    when: datetime
    text: str


def history(repo: Path, path: str, limit: int = 50, rev: str = "main") -> Sequence[Commit]:
    """The commits that changed a file, newest first, also under its former names."""
    words = ["log", f"--max-count={int(limit)}", f"--format={_FIELDS}", "--follow", _commit(repo, rev), "--", path]
    fields = [part.removeprefix("\n") for part in _run(repo, *words).split("\0")]
    return [_read_commit(fields[start : start + 6]) for start in range(0, len(fields) - 6, 6)]


def _read_commit(fields: Sequence[str]) -> Commit:
    commit, parents, name, email, seconds, message = fields
    return Commit(commit, tuple(parents.split()), Person(name, email), _time(seconds), message.strip("\n"))


def blame(repo: Path, path: str, rev: str = "main") -> Sequence[Line]:
    """Who last changed each line of a file."""
    return list(_read_blame(_run(repo, "blame", "--line-porcelain", _commit(repo, rev), "--", path)))


def _read_blame(text: str) -> Iterator[Line]:
    """Per line: the commit, then its fields by name, then the line itself behind a tab."""
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        if line.startswith("\t"):
            author = Person(fields["author"], fields["author-mail"].strip("<>"))
            yield Line(fields["commit"], author, _time(fields["author-time"]), line[1:])
            fields = {}
        elif not fields and line:
            fields["commit"] = line.split(" ", 1)[0]
        elif line:
            name, _, value = line.partition(" ")
            fields[name] = value


def clone(source: str, folder: Path) -> None:
    """A copy of a repository at a place where nothing is yet."""
    _run(folder.parent, "clone", "--quiet", "--", source, str(folder))


def fetch(repo: Path, remote: str = "origin") -> None:
    """Bring in what the other side has, by the refspecs that the repository configures."""
    _run(repo, "fetch", "--quiet", "--no-tags", "--", remote)


def push(repo: Path, refspecs: Sequence[str], remote: str = "origin") -> bool:
    """Send refs; False where the other side has commits that we lack. Never by force."""
    if forced := [spec for spec in refspecs if spec.startswith(("+", "-", ":"))]:
        raise Terminal(f"{forced[0]!r} would overwrite or delete on {remote}, which is never done")
    try:
        _run(repo, "push", "--quiet", "--porcelain", "--", remote, *refspecs)
    except _Rejected:
        return False
    return True


def tidy(repo: Path) -> None:
    """Pack loose objects, where git finds that there are many."""
    _run(repo, "gc", "--auto", "--quiet")


class _Rejected(Terminal):
    """The other side refused a ref because it is further on."""


def _commit(repo: Path, rev: str) -> str:
    """The commit that a person named; a name that looks like an option names none."""
    return _run(repo, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}").strip()


def _run(folder: Path, *words: str) -> str:
    # Never a question on the terminal, which nobody sees: without credentials, git says so at once.
    settings = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_LITERAL_PATHSPECS": "1"}
    try:
        done = Git(folder).execute(["git", *words], env=settings, strip_newline_in_stdout=False, stdout_as_string=False)
    except GitCommandError as error:
        raise _translated(folder, words, str(error.stdout) + str(error.stderr)) from error
    except GitError as error:
        raise Terminal(f"{folder}: {one_line(str(error))}") from error
    return done.decode(errors="replace")


def _translated(folder: Path, words: Sequence[str], said: str) -> Terminal | Transient:
    if "[rejected]" in said or "fetch first" in said or "non-fast-forward" in said:
        return _Rejected(f"{folder}: the other side is further on")
    kind = Transient if any(sign in said for sign in _WORTH_ANOTHER_TRY) else Terminal
    about = next((line for line in said.splitlines() if "fatal:" in line or "error:" in line), said)
    return kind(f"git {words[0]} in {folder}: {one_line(about)[:300] or 'there is no such revision or file'}")


def _time(seconds: str) -> datetime:
    return datetime.fromtimestamp(min(max(int(seconds), 0), 253_402_300_799), UTC)
