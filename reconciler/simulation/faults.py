"""What can go wrong around the engine: every touch of git or of the remote may fail, be raced, or be the last one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeAlias

from reconciler.core.snapshot import Ref, Scope, Unreadable
from reconciler.core.value import Fields
from reconciler.errors import Transient
from reconciler.ports import (
    Action,
    Actor,
    Commit,
    Depth,
    Draft,
    Edit,
    Failed,
    Live,
    Observation,
    Outcome,
    Person,
    Remote,
    Run,
)
from reconciler.simulation.repo import MemoryRepo, MemoryWorkspace

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MAIN = "refs/heads/main"


Shown: TypeAlias = "Mapping[Ref, Live | Unreadable]"


class Stopped(BaseException):
    """The process was killed here. Not an Exception, so that nothing in the engine can handle it."""


@dataclass
class Hazard:
    """What a pass will meet. The chances are per touch.

    stop_at: the touch at which the process dies; 0 for none. busy: somebody acts just before. fault: the remote fails.
    short: the listing lacks something.
    """

    rng: Random
    interfere: Callable[[str], None]
    stop_at: int = 0
    busy: float = 0.0
    fault: float = 0.0
    short: float = 0.0
    touches: int = 0
    is_dead: bool = False

    def begin(
        self, rng: Random, *, stop_at: int = 0, busy: float = 0.0, fault: float = 0.0, short: float = 0.0
    ) -> None:
        """Another pass, and what it will meet."""
        self.rng, self.stop_at, self.busy, self.fault, self.short = rng, stop_at, busy, fault, short
        self.touches, self.is_dead = 0, False

    def touch(self, what: str) -> None:
        """Called before every touch that others could come between."""
        self.step()
        if self.busy and self.rng.random() < self.busy:
            self.interfere(what)

    def step(self) -> None:
        """Called between the requests of one write: nobody else can come between, but the process may die."""
        if self.is_dead:
            raise Stopped
        self.touches += 1
        if self.touches == self.stop_at:
            self.is_dead = True
            raise Stopped

    def fails(self) -> bool:
        return bool(self.fault) and self.rng.random() < self.fault

    def is_short(self) -> bool:
        return bool(self.short) and self.rng.random() < self.short


class SimClock:
    """Virtual time; others act while the engine sleeps."""

    def __init__(self) -> None:
        self._now = START
        self.asleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.asleep()
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class SimRepo:
    """A repo whose writes and reads of refs are touches. ``moved`` is told of every ref that the engine moved."""

    def __init__(self, repo: MemoryRepo, hazard: Hazard, moved: Callable[[str, str | None, str], None]) -> None:
        self._repo, self._hazard, self._moved = repo, hazard, moved

    def ref(self, name: str) -> str | None:
        self._hazard.touch("ref")
        return self._repo.ref(name)

    def move(self, name: str, old: str | None, new: str) -> bool:
        self._hazard.touch("move main" if name == MAIN else "move")
        done = self._repo.move(name, old, new)
        if done:
            self._moved(name, old, new)
        return done

    def commit(self, draft: Draft) -> str:
        self._hazard.touch("commit")
        return self._repo.commit(draft)

    def files(self, commit: str) -> Mapping[str, str]:
        return self._repo.files(commit)

    def odd(self, commit: str) -> Sequence[str]:
        return self._repo.odd(commit)

    def read(self, blob: str) -> bytes:
        return self._repo.read(blob)

    def info(self, commit: str) -> Commit:
        return self._repo.info(commit)

    def log(self, new: str, old: str | None = None, limit: int = 10_000) -> Sequence[Commit]:
        return self._repo.log(new, old, limit)

    def is_ancestor(self, old: str, new: str) -> bool:
        return self._repo.is_ancestor(old, new)

    def dirty(self) -> frozenset[str]:
        return self._repo.dirty()


class SimWorkspace:
    """A workspace of such repos."""

    def __init__(
        self, inner: MemoryWorkspace, hazard: Hazard, moved: Callable[[Scope, str, str | None, str], None]
    ) -> None:
        self.uuid = inner.uuid
        self._inner, self._hazard, self._moved = inner, hazard, moved

    def users(self) -> Sequence[str]:
        return self._inner.users()

    def add_user(self, user: str, files: Mapping[str, bytes], author: Person, when: datetime) -> SimRepo:
        self._inner.add_user(user, files, author, when)
        return self.repo(f"user/{user}")

    def repo(self, scope: Scope) -> SimRepo:
        def moved(name: str, old: str | None, new: str) -> None:
            self._moved(scope, name, old, new)

        return SimRepo(self._inner.repo(scope), self._hazard, moved)


class SimRemote:
    """A remote that refuses, loses replies, lists short. ``showed`` is told of everything that was read."""

    def __init__(
        self, inner: Remote, hazard: Hazard, clock: SimClock, showed: Callable[[Scope | None, Live, bool], None]
    ) -> None:
        self.name = inner.name
        self.has_turns = inner.has_turns
        self._inner, self._hazard, self._clock, self._showed = inner, hazard, clock, showed

    def observe(self, scopes: Sequence[Scope] | None, depth: Depth) -> Observation:
        self._touch("observe")
        self._maybe_fail("the listing timed out")
        found = self._inner.observe(scopes, depth)
        if self.has_turns and scopes is None and depth != "full":
            found = _glimpsed(found, depth, self._hazard.rng)
        if self._hazard.is_short():
            found = _shortened(found, self._hazard.rng, ["block", "agent" if self.has_turns else "model"])
        for scope, seen in found.seen.items():
            for live in seen.values():
                if isinstance(live, Live):
                    self._showed(scope, live, True)
        return found

    def reread(self, lives: Sequence[Live]) -> Mapping[str, Live | Unreadable | None]:
        self._touch("reread")
        self._maybe_fail("the connection was reset")
        found = self._inner.reread(lives)
        for live in found.values():
            if isinstance(live, Live):
                self._showed(None, live, False)
        return found

    def active_runs(self) -> Sequence[Run]:
        self._touch("active_runs")
        self._maybe_fail("the listing of runs timed out")
        return self._inner.active_runs()

    def apply(self, action: Action) -> Outcome:
        self._touch("apply")
        if self._hazard.fails():
            return Failed("refused: 503", transient=True)
        outcome = self._inner.apply(action)
        if self._hazard.fails():
            return Failed("the reply was lost", transient=True)
        return outcome

    def explain(self, edits: Sequence[Edit], since: datetime | None) -> Sequence[Actor]:
        self._touch("explain")
        self._maybe_fail("the messages could not be read")
        return self._inner.explain(edits, since)

    def past(self, live: Live) -> Sequence[Fields]:
        self._touch("past")
        self._maybe_fail("the version history could not be read")
        return self._inner.past(live)

    def _touch(self, what: str) -> None:
        self._clock.advance(0.02)
        self._hazard.touch(what)

    def _maybe_fail(self, why: str) -> None:
        if self._hazard.fails():
            raise Transient(why)


def _glimpsed(found: Observation, depth: Depth, rng: Random) -> Observation:
    """What a look shows that is not at everything: all blocks, or only what moved lately, and more than that."""
    if depth == "values":
        shown = {scope: _kept(things, lambda ref: ref.startswith("block/")) for scope, things in found.seen.items()}
        return replace(found, seen=shown, complete=frozenset({"block"}))
    shown = {scope: _kept(things, lambda _: rng.random() < 0.6) for scope, things in found.seen.items()}
    return replace(found, seen=shown, complete=frozenset[str]())


def _kept(things: Shown, is_kept: Callable[[Ref], bool]) -> Shown:
    return {ref: live for ref, live in things.items() if is_kept(ref)}


def _shortened(found: Observation, rng: Random, kinds: Sequence[str]) -> Observation:
    """A listing that lacks some of one kind, and says so; or one entry of it that is damaged."""
    kind = rng.choice(kinds)
    chance = rng.choice([0.3, 1.0])
    is_damage = rng.random() < 0.3
    seen: dict[Scope, dict[Ref, Live | Unreadable]] = {}
    for scope, things in found.seen.items():
        seen[scope] = dict(things)
        for ref in [ref for ref in things if ref.startswith(kind)]:
            if rng.random() < chance:
                del seen[scope][ref]
                if is_damage:
                    seen[scope][ref] = Unreadable("it is shown without an id")
    complete = found.complete if is_damage else found.complete - {kind}
    return replace(found, seen=seen, complete=complete)
