"""Where keys come from: files that moved, names that git's hooks dropped, and a look at every ref as the net below.

Nothing here reads what changed; a key says where to look. Timers are the loop's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Final, TypeAlias

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from reconciler.controller.queue import Key
from reconciler.core.snapshot import Scope
from reconciler.spool import SPOOL, dropped

Add: TypeAlias = Callable[[Key], None]
Stamp: TypeAlias = "tuple[tuple[int, int, int] | None, ...]"

COURSES: Final = "courses"
_LOOKED_AT = frozenset({"opened", "closed_no_write"})


class Refs:
    """Which repos' branches moved, by the stamps of a few small files: 0.7 % of a core per 1,000 repos each second."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._stamps = dict(self._now())

    def moved(self) -> set[Scope]:
        """Scopes whose branch moved, came or went since the last call."""
        now = dict(self._now())
        scopes = {scope for scope in now.keys() | self._stamps.keys() if now.get(scope) != self._stamps.get(scope)}
        self._stamps = now
        return scopes

    def _now(self) -> Iterator[tuple[Scope, Stamp]]:
        yield COURSES, _stamp(self._workspace / "courses")
        for name in _folders(self._workspace / "users"):
            yield f"user/{name}", _stamp(self._workspace / "users" / name)


def drain(workspace: Path, add: Add) -> None:
    """Add what hooks dropped. Each name is removed first: one dropped again meanwhile is a new event."""
    for scope in dropped(workspace / SPOOL):
        if scope == COURSES or (workspace / "users" / scope.removeprefix("user/")).is_dir():
            add(scope)


class Sources:
    """The running watches. ``start`` before the first pass, so that nothing falls between; ``stop`` after the last."""

    def __init__(self, workspace: Path, add: Add, every_seconds: float, warn: Callable[[str], None]) -> None:
        self._workspace, self._add, self._every, self._warn = workspace, add, every_seconds, warn
        self._stopped = Event()
        self._observer = Observer()
        self._refs = Refs(workspace)  # not in the thread, which may come to run late: what moves from now on has moved
        self._poll = Thread(target=self._look_again_and_again, name="refs", daemon=True)

    def start(self) -> None:
        (self._workspace / SPOOL).mkdir(parents=True, exist_ok=True)
        try:
            self._watch("courses", lambda: self._add(COURSES), recursive=True)
            self._watch(SPOOL, lambda: drain(self._workspace, self._add))
            self._observer.start()
        except OSError as error:
            self._warn(f"files cannot be watched ({error}); refs are looked at every {self._every:g} s instead")
        self._poll.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()
        self._poll.join()

    def _watch(self, folder: str, then: Callable[[], None], recursive: bool = False) -> None:
        path = self._workspace / folder
        if path.is_dir():
            self._observer.schedule(Changed(then), str(path), recursive=recursive)

    def _look_again_and_again(self) -> None:
        while not self._stopped.wait(self._every):
            for scope in self._refs.moved():
                self._add(scope)
            drain(self._workspace, self._add)


class Changed(FileSystemEventHandler):
    """Calls ``then`` when a file changed; reading one is no change, and git's own files are its own business."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _LOOKED_AT and ".git" not in Path(os.fsdecode(event.src_path)).parts:
            self._then()


def _stamp(folder: Path) -> Stamp:
    git = git_folder(folder)
    return tuple(_file_stamp(git / name) for name in ("HEAD", "refs/heads/main", "packed-refs")) if git else ()


def git_folder(folder: Path) -> Path | None:
    """The folder with the refs of the repo that ``folder`` is, or lies in; None where there is none."""
    for place in (folder, *folder.parents):
        git = place / ".git"
        if git.is_dir():
            return git
        if git.is_file():
            return _linked(git)
    return None


def _linked(pointer: Path) -> Path | None:
    """The common folder behind a work tree's ``.git`` file (gitrepository-layout(5))."""
    try:
        own = (pointer.parent / pointer.read_text().removeprefix("gitdir:").strip()).resolve()
        common = own / "commondir"
        return (own / common.read_text().strip()).resolve() if common.is_file() else own
    except OSError:
        return None


def _file_stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _folders(path: Path) -> Iterable[str]:
    try:
        with os.scandir(path) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return ()
