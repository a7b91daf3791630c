"""The rows against a real Letta: each as a ratio to the very same requests sent bare, in turns."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import town
from benchmarks.footprint import peak_of_child
from benchmarks.measure import Pair, Took, cpu, in_turns, median, p95, timed
from benchmarks.place import Place, Say
from benchmarks.table import Line
from benchmarks.wire import Bare, recorded
from reconciler.bootstrap import SystemClock
from reconciler.policy import Policy
from reconciler.ports import Live
from reconciler.remotes.letta import LettaRemote
from reconciler.store.gitio import MAIN
from reconciler.store.workspace import GitWorkspace
from reconciler.sync.engine import Engine
from tests.live.server import LettaServer

BLOCK = "blocks/essay/journey.toml"
OTHER_TOOL_SECONDS, OTHER_TOOL_REQUESTS = 11.0, 408
"""What an existing tool for declaring Letta agents takes for 100 agents in order, on two cores."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    learners: int
    times: int
    edits: int
    creations: int


FULL, QUICK = Size(1000, 15, 60, 4), Size(100, 7, 20, 2)


class Town(Place):
    """Learners beside a server."""

    def __init__(self, letta: LettaServer, root: Path, learners: int) -> None:
        self.letta, self.root, self.learners = letta, root, learners
        self.workspace: GitWorkspace = town.build(root, learners)
        self.remote = LettaRemote(letta.url, "", self.workspace.uuid, now=SystemClock().now)
        super().__init__(Engine(self.workspace, [self.remote], SystemClock(), Policy(grace_seconds=0)))


@contextmanager
def settled(letta: LettaServer, folder: Path, learners: int) -> Generator[tuple[Town, Bare], None, None]:
    place, bare = Town(letta, folder, learners), Bare()
    try:
        place.settle()
        yield place, bare
    finally:
        bare.close()
        place.remote.close()


# ---------------------------------------------------------------------------- creating


def creating(letta: LettaServer, folder: Path, size: Size, say: Say) -> list[Line]:
    """100 learners' agents and blocks, from nothing; and the same requests in as many threads."""
    ours: list[Took] = []
    bare: list[Took] = []
    counted: list[int] = []
    sender = Bare()
    for turn in range(size.creations):
        place = Town(letta, folder / f"new-{turn}", 100)
        with recorded() as made:
            took = timed(lambda place=place: place.engine.run(apply=True))
        if any(each.failed for each in made):
            say(f"  turn {turn} is not counted: the server failed at a request")
            continue
        ours.append(took)
        bare.append(timed(lambda place=place, made=made: sender.again(made, _elsewhere(place.workspace.uuid))))
        counted.append(len(made))
        place.remote.close()
    sender.close()
    pair = Pair(ours, bare)
    beside = f"{median(ours):.1f} s against {median(bare):.1f} s, client CPU {cpu(ours):.1f} s, bare {cpu(bare):.1f} s"
    return [
        Line("100 agents × 3 blocks created", pair.ratio, "× bare", 1.15, beside),
        Line("  requests of it", max(counted), "requests", None, "of which 400 create"),
    ]


def _elsewhere(workspace: str) -> Callable[[bytes], bytes]:
    """The same things, made in another workspace."""
    other = str(uuid.uuid4()).encode()
    return lambda sent: sent.replace(workspace.encode(), other)


# ---------------------------------------------------------------------------- nothing to do


def hundred(letta: LettaServer, folder: Path, size: Size, _: Say) -> list[Line]:
    with settled(letta, folder / "hundred", 100) as (place, _):
        made = place.requests(place.idle())
        runs, daily = in_turns([place.idle(), place.idle(depth="recent")], size.times)
    limit = OTHER_TOOL_SECONDS * 1000 / 50
    faster = OTHER_TOOL_SECONDS / median(runs)
    work = "no-op, 100 agents, full depth"
    told = f"{faster:.0f} times faster than the other tool; client CPU {cpu(runs) * 1000:.0f} ms"
    return [
        Line(work, median(runs) * 1000, "ms", limit, told),
        Line("  requests of it", len(made), "requests", None, f"the other tool makes {OTHER_TOOL_REQUESTS}"),
        Line("  at everyday depth", median(daily) * 1000, "ms", limit, f"client CPU {cpu(daily) * 1000:.0f} ms"),
    ]


def doing_nothing(place: Town, bare: Bare, size: Size) -> list[Line]:
    count = place.learners
    full = place.requests(place.idle(depth="full"))
    everyday = place.requests(place.idle(depth="recent"))
    acts = (place.idle(depth="full"), lambda: bare.read(full), place.idle(depth="recent"))
    whole, sent, recent = in_turns(acts, size.times)
    at_full, daily = Pair(whole, sent), Pair(recent, sent)
    work = f"no-op, {count:,} agents × 3 blocks"
    return [
        Line(f"{work}, full depth", at_full.ratio, "× bare", 1.15, at_full.told),
        Line("  client CPU of it", cpu(at_full.ours) * 1000, "ms", 100, f"bare {cpu(at_full.bare) * 1000:.0f} ms"),
        Line("  requests of it", len(full), "requests"),
        Line(f"{work}, everyday depth", daily.ratio, "× bare full", 0.15, daily.told),
        Line("  requests of it", len(everyday), "requests", 5 + 3 * count / 1000),
    ]


# ---------------------------------------------------------------------------- an edit


def editing(place: Town, bare: Bare, size: Size) -> list[Line]:
    """From a commit on a learner's main to its value read back and believed."""
    other = place.remote.observe(["user/u00000"], "full").seen["user/u00000"]["block/essay/journey"]
    assert isinstance(other, Live)
    url = f"{place.letta.url}/v1/blocks/{other.handle}"
    ours: list[Took] = []
    patched: list[Took] = []
    counted: list[int] = []
    for number in range(size.edits + 1):
        scope = _edited(place, number)
        with recorded() as made:
            ours.append(timed(lambda scope=scope: _carried(place, scope)))
        counted.append(len(made))
        value = f"{other.text}# {number}\n"
        patched.append(timed(lambda value=value: bare.patch(url, {"value": value})))
    pair = Pair(ours[1:], patched[1:])
    beside = f"{median(pair.ours) * 1000:.0f} ms against {median(pair.bare) * 1000:.0f} ms, {size.edits} turns"
    return [
        Line("git edit → verified in Letta, p50", pair.ratio, "× a bare PATCH", 2.25, beside),
        Line("  p95", pair.ratio_p95, "× a bare PATCH", 2.75, f"{p95(pair.ours) * 1000:.0f} ms"),
        Line("  client CPU of it", cpu(pair.ours) * 1000, "ms", None, f"bare {cpu(pair.bare) * 1000:.0f} ms"),
        Line("  requests of it", max(counted), "requests", None, "the PATCH included"),
    ]


def _edited(place: Town, number: int) -> str:
    scope = f"user/{town.learner(1 + number % (place.learners - 1))}"
    repo = place.workspace.repo(scope)
    main = repo.ref(MAIN)
    assert main is not None
    step = re.search(r"step = \d+", repo.read(repo.files(main)[BLOCK]).decode())
    assert step is not None
    town.edit(repo, BLOCK, step[0], f"step = {1000 + number}")
    return scope


def _carried(place: Town, scope: str) -> None:
    report = place.run(scopes=[scope], depth="recent")
    assert (report.writes, report.unsettled) == (1, 0), report


# ---------------------------------------------------------------------------- memory


def memory(place: Town) -> list[Line]:
    peak = peak_of_child("live", place.letta.url, str(place.root))
    work = f"peak memory, {place.learners:,} learners, real Letta"
    return [Line(work, peak, "MB", 150, "a process of its own, three full passes")]


ROWS: Sequence[str] = ("create", "hundred", "noop", "edit", "memory")


def measured(folder: Path, size: Size, wanted: Sequence[str], say: Say) -> list[Line]:
    """The wanted rows, with one server for all of them."""
    lines: list[Line] = []
    say("starting Letta")
    with LettaServer() as letta:
        for name, rows in (("create", creating), ("hundred", hundred)):
            if name in wanted:
                say(name)
                lines += rows(letta, folder, size, say)
        letta.clear()
        if {"noop", "edit", "memory"} & set(wanted):
            say(f"creating {size.learners} learners")
            with settled(letta, folder / "large", size.learners) as (place, bare):
                for name in ("noop", "edit"):
                    if name in wanted:
                        say(name)
                        lines += {"noop": doing_nothing, "edit": editing}[name](place, bare, size)
                if "memory" in wanted:
                    say("memory")
                    lines += memory(place)
    return lines
