"""The rows with a real Open WebUI: a pass with nothing to do, beside its own requests sent bare; and a student's edit.

Of the first, Letta is in memory and costs nothing. For the second both servers are real, and the loop is a process.
"""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks import stock, town
from benchmarks.measure import Pair, Took, cpu, in_turns, p95
from benchmarks.place import Place, Say
from benchmarks.still import StillRemote
from benchmarks.table import Line
from benchmarks.wire import Bare
from reconciler.bootstrap import SystemClock, opened
from reconciler.policy import Policy, WebPolicy
from reconciler.ports import Live
from reconciler.remotes.openwebui import OpenWebUIRemote
from reconciler.settings import FILE
from reconciler.store.gitio import MAIN, GitRepo
from reconciler.store.workspace import GitWorkspace
from reconciler.sync.engine import Engine
from tests.live import webui
from tests.live.openwebui import BASE_MODEL, OpenWebUIServer
from tests.live.server import LettaServer
from tests.live.webui import Person

ROWS: Sequence[str] = ("web", "note")
TOKEN = "RECONCILER_OPENWEBUI__TOKEN"
NOTE = "block/essay/journey"
PATIENCE_SECONDS = 60.0
SETTINGS = """
[letta]
url = "{letta}"

[openwebui]
url = "{web}"
base_model = "{model}"
default_courses = ["{course}"]
"""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    learners: int
    times: int
    students: int
    edits: int


FULL, QUICK = Size(1000, 9, 10, 20), Size(100, 7, 3, 6)


def measured(folder: Path, size: Size, wanted: Sequence[str], say: Say) -> list[Line]:
    """The wanted rows, with one Open WebUI for all of them."""
    lines: list[Line] = []
    say("starting Open WebUI")
    with OpenWebUIServer() as server:
        if "web" in wanted:
            say(f"creating {size.learners} accounts and {3 * size.learners} notes")
            with settled(server, folder / "web", size.learners) as (place, bare):
                say("web")
                lines += doing_nothing(place, bare, size)
        if "note" in wanted:
            server.clear()
            say("starting Letta")
            with LettaServer() as letta:
                say("note")
                lines += noting(letta, server, folder / "note", size)
    return lines


# ---------------------------------------------------------------------------- nothing to do


@contextmanager
def settled(server: OpenWebUIServer, folder: Path, learners: int) -> Generator[tuple[Place, Bare], None, None]:
    """Accounts that were made learners of one course, and their notes."""
    stock.add_accounts(server, learners)
    workspace, letta, bare = town.build(folder, 0), StillRemote({}), Bare()
    shelf = stock.Stock(server, workspace.uuid, now=SystemClock().now)
    _place(workspace, shelf, letta).run()
    shelf.fill()
    shelf.close()
    remote = OpenWebUIRemote(server.url, server.admin_key, workspace.uuid, now=SystemClock().now)
    try:
        place = _place(workspace, remote, letta)
        place.settle()
        yield place, bare
    finally:
        bare.close()
        remote.close()


def _place(workspace: GitWorkspace, remote: OpenWebUIRemote, letta: StillRemote) -> Place:
    policy = Policy(grace_seconds=0, web=WebPolicy(BASE_MODEL, (town.COURSE,)))
    return Place(Engine(workspace, [remote, letta], SystemClock(), policy, remote, remote))


def doing_nothing(place: Place, bare: Bare, size: Size) -> list[Line]:
    full, recent = (place.idle(depth=depth) for depth in ("full", "recent"))
    all_sent, few_sent = place.requests(full), place.requests(recent)
    acts = (full, lambda: bare.read(all_sent), recent, lambda: bare.read(few_sent))
    whole, whole_bare, daily, daily_bare = in_turns(acts, size.times)
    work, share = f"no-op, {size.learners:,} accounts × 3 notes", Pair(daily, whole_bare)
    return [
        *_compared(f"{work}, full depth", Pair(whole, whole_bare), len(all_sent)),
        *_compared(f"{work}, everyday depth", Pair(daily, daily_bare), len(few_sent)),
        Line("  beside the full one", share.ratio, "× bare full", 0.15, share.told),
    ]


def _compared(work: str, pair: Pair, requests: int) -> list[Line]:
    told = f"bare {cpu(pair.bare) * 1000:.0f} ms; Letta in memory, at no cost"
    return [
        Line(work, pair.ratio, "× bare", 1.15, pair.told),
        Line("  client CPU of it", cpu(pair.ours) * 1000, "ms", None, told),
        Line("  requests of it", requests, "requests"),
    ]


# ---------------------------------------------------------------------------- a student's edit


@dataclass(frozen=True)
class Student:
    """One learner on every side. block: its address in Letta."""

    person: Person
    note: str
    block: str
    repo: GitRepo


def noting(letta: LettaServer, server: OpenWebUIServer, root: Path, size: Size) -> list[Line]:
    """From a student's save to their commit on main, and to the value in Letta's block."""
    people = [webui.person(server, f"student{at}") for at in range(size.students)]
    workspace = town.build(root, 0)
    said = {"letta": letta.url, "web": server.url, "model": BASE_MODEL, "course": town.COURSE}
    (root / FILE).write_text(SETTINGS.format(**said))
    os.environ[TOKEN] = server.admin_key
    try:
        students = _students(letta, workspace, people)
        with running(server, root):
            took = [_edit(server, students[at % len(students)], 100 + at) for at in range(size.edits + 1)][1:]
    finally:
        del os.environ[TOKEN]
    beside = f"{size.edits} edits of {size.students} students, default settings: 2 s of quiet are part of it"
    return [
        *_lines("note edit → commit on main", [git for git, _ in took], beside),
        *_lines("note edit → value in Letta", [live for _, live in took], "real Letta; the same edits"),
    ]


def _students(letta: LettaServer, workspace: GitWorkspace, people: Sequence[Person]) -> list[Student]:
    """Everybody enrolled, by the loop's own engine."""
    with opened(workspace.root) as app:
        Place(app.engine).settle()
        seen = {remote.name: remote.observe(None, "full").seen for remote in app.remotes}
    found: list[Student] = []
    for person in people:
        scope = f"user/{person.id}"
        note, block = seen["openwebui"][scope][NOTE], seen["letta"][scope][NOTE]
        assert isinstance(note, Live)
        assert isinstance(block, Live)
        found.append(Student(person, note.handle, f"{letta.url}/v1/blocks/{block.handle}", workspace.repo(scope)))
    return found


@contextmanager
def running(server: OpenWebUIServer, root: Path) -> Generator[None, None, None]:
    """`reconciler` as an operator runs it, from when it hears events."""
    program = "import sys; from reconciler.cli import main; sys.exit(main())"
    with (root.parent / "loop.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", program, "-w", str(root)], stdout=log, stderr=log)
        try:
            _until(lambda: server.request("GET", "/api/events/webhooks") != [], "the loop never came up")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _edit(server: OpenWebUIServer, student: Student, step: int) -> tuple[float, float]:
    """Seconds until it is on main, and until it is in the block."""
    markdown = webui.text(webui.get_note(server, student.note, student.person.token))
    edited = re.sub(r"step = \d+", f"step = {step}", markdown)
    assert edited != markdown
    head, began = student.repo.ref(MAIN), time.monotonic()
    webui.set_text(server, student.note, edited, student.person.token)
    _until(lambda: student.repo.ref(MAIN) != head, "the edit never came to git")
    committed = time.monotonic() - began
    _until(lambda: f"step = {step}\n" in httpx.get(student.block).json()["value"], "it never came to Letta")
    live = time.monotonic() - began
    time.sleep(0.5 + step % 7 / 5)  # not in step with the loop's own clock
    return committed, live


def _until(holds: Callable[[], bool], else_: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, else_
        time.sleep(0.02)


def _lines(work: str, seconds: Sequence[float], beside: str) -> list[Line]:
    runs = [Took(each, 0) for each in seconds]
    return [Line(f"{work}, p50", statistics.median(seconds), "s", None, beside), Line("  p95", p95(runs), "s")]
