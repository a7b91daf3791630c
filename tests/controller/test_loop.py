"""The loop in fake time: what it runs and when, what it tells, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from reconciler.controller.backoff import Backoff
from reconciler.controller.loop import Loop, Pace, reach
from reconciler.controller.queue import Queue
from reconciler.core.outcome import ClashField, Notice, PlannedConflict, Report
from reconciler.core.snapshot import Scope
from reconciler.errors import Terminal, Transient
from reconciler.ports import Depth

QUIET = Report()
CONFLICT = PlannedConflict("user/a", "letta", "b", (ClashField("f", 1, 2, 3, "both", "1"),))
Answer = Report | Exception


class World:
    """A loop whose sleep is the passing of fake time, and whose passes are scripted; it stops at a given second."""

    def __init__(self, answer: Callable[[int], Answer] = lambda _: QUIET, until: float = 0.0, **pace: float) -> None:
        self.time, self._answer, self._until = 0.0, answer, until
        self.passes: list[tuple[float, Sequence[Scope] | None, Depth]] = []
        self.told: list[str] = []
        self.queue = Queue(lambda: self.time)
        periods: dict[Depth, float] = {"recent": 5.0, "values": 60.0, "full": 3600.0}
        self.loop = Loop(self._run, self.queue, Backoff(lambda: 1.0), Pace(periods, **pace), self.told.append)
        self.events: list[tuple[float, str]] = []

    def _run(self, scopes: Sequence[Scope] | None, depth: Depth) -> Report:
        self.passes.append((self.time, scopes, depth))
        answer = self._answer(len(self.passes))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ring(self) -> None: ...

    def wait(self, seconds: float | None) -> None:
        """Sleep until the queue's next time, or until somebody from outside adds a key."""
        assert seconds is not None, "nothing would ever wake the loop"
        soonest = min([self.time + seconds, *(at for at, _ in self.events)])
        self.time = max(self.time, soonest)
        for at, key in [each for each in self.events if each[0] <= self.time]:
            self.events.remove((at, key))
            self.queue.add(key)

    def live(self) -> World:
        self.loop.work(lambda: self.time > self._until, self)
        return self


def test_it_begins_with_everything_in_full_and_then_keeps_each_depth_s_period() -> None:
    world = World(until=61).live()

    assert world.passes[0] == (0, None, "full")
    assert [at for at, _, depth in world.passes if depth == "recent"] == [5 * n for n in range(1, 13) if n != 12]
    assert [at for at, _, depth in world.passes if depth == "values"] == [60]
    assert world.told == []


def test_a_moved_ref_is_looked_at_at_once_and_alone() -> None:
    world = World(until=4)
    world.events = [(3.0, "user/ann")]

    assert world.live().passes[1:2] == [(3.0, ["user/ann"], "recent")]


def test_a_moved_course_is_a_pass_over_everybody() -> None:
    assert reach(frozenset({"courses", "user/ann"})) == (None, "full")
    assert reach(frozenset({"recent", "full", "user/ann"})) == (None, "full")
    assert reach(frozenset({"user/b", "user/a"})) == (["user/a", "user/b"], "recent")


def test_a_transient_error_backs_off_and_is_told_once() -> None:
    world = World(lambda n: QUIET if n == 1 else Transient("no answer"), until=60)
    world.events = [(1.0, "user/ann")]
    world.live()
    alone = [at for at, scopes, _ in world.passes if scopes == ["user/ann"]]

    assert alone[:4] == [1, 2, 4, 8]
    assert [line for line in world.told if "ann" in line] == ["user/ann: no answer; trying again by itself"]


def test_a_failing_server_is_polled_ever_more_slowly() -> None:
    recent = [at for at, _, depth in World(lambda _: Transient("no"), until=120).live().passes if depth == "recent"]
    gaps = [later - earlier for earlier, later in pairwise(recent)]

    assert max(gaps) >= 16


def test_a_pass_that_could_look_at_nothing_backs_off_as_a_failure_does() -> None:
    world = World(lambda _: Report(errors=[Notice("letta", "no answer")]), until=120).live()
    recent = [at for at, _, depth in world.passes if depth == "recent"]

    assert max(later - earlier for earlier, later in pairwise(recent)) >= 16
    assert world.told == ["everything: 1 error", "  letta: no answer"]


def test_a_terminal_error_is_shown_and_looked_at_again_slowly() -> None:
    world = World(lambda n: QUIET if n == 1 else Terminal("bad token\x1b[2J"), until=4, slow=100)
    world.events = [(1.0, "user/ann")]
    world.live()

    assert [at for at, scopes, _ in world.passes if scopes] == [1]
    assert world.told[0] == "user/ann: needs a person: bad token\\x1b[2J"
    assert world.queue.wait_seconds() is not None


def test_a_bug_in_one_pass_does_not_end_the_loop() -> None:
    world = World(lambda n: KeyError("x") if n == 1 else QUIET, until=30).live()

    assert len(world.passes) > 1
    assert "internal error" in world.told[0]


def test_what_is_in_the_air_is_looked_at_again_soon() -> None:
    world = World(lambda n: Report(unsettled=1, unsettled_scopes=("user/ann",)) if n == 2 else QUIET, until=4)
    world.events = [(1.0, "user/ann")]

    assert [at for at, scopes, _ in world.live().passes if scopes] == [1, 3]


def test_a_note_that_is_being_typed_is_looked_at_again_sooner_than_the_rest() -> None:
    world = World(lambda n: Report(held_scopes=("courses", "user/ann")) if n in (2, 3) else QUIET, until=4)
    world.events = [(1.0, "user/ann")]

    assert [at for at, scopes, _ in world.live().passes if scopes] == [1, 1.5, 2]


def test_a_pass_that_did_something_is_one_line() -> None:
    world = World(lambda _: Report(writes=2, commits=1), until=1).live()

    assert world.told == ["everything: 2 writes, 1 commit"]


def test_standing_trouble_is_told_once_and_its_end_too() -> None:
    bad = Report(errors=[Notice("course", "no such module")], conflicts=[CONFLICT])
    world = World(lambda n: bad if n < 4 else QUIET, until=30).live()

    assert world.told == [
        "everything: 1 conflict, 1 error",
        "  course: no such module",
        "  user/a b: conflict 1",
        "everything: well again",
    ]


def test_errors_of_one_learner_do_not_slow_the_look_at_all_others() -> None:
    world = World(lambda _: Report(errors=[Notice("user/ann", "damaged")], scopes=9), until=31).live()

    assert [at for at, _, depth in world.passes if depth == "recent"] == [5, 10, 15, 20, 25, 30]


def test_the_pass_at_hand_is_finished_when_it_is_told_to_stop() -> None:
    stopped: list[bool] = []
    finished: list[str] = []

    def run(scopes: Sequence[Scope] | None, depth: Depth) -> Report:
        stopped.append(True)
        finished.append(depth)
        return QUIET

    loop = Loop(run, Queue(lambda: 0.0), Backoff(lambda: 1.0), Pace({"full": 1.0}), finished.append)
    loop.work(lambda: bool(stopped), World())

    assert finished == ["full"]


@pytest.mark.parametrize("error", [Transient("x"), Terminal("x"), ValueError("x")])
def test_keys_are_handed_back_however_a_pass_ends(error: Exception) -> None:
    world = World(lambda _: error, until=0).live()
    world.time = 10_000

    assert world.queue.take()
