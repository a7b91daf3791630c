"""A halt holds for the whole pass, also for a scope that has to be planned once more within it."""

from __future__ import annotations

from random import Random

from reconciler.policy import Limits, Policy
from reconciler.simulation.world import World

ADA = "user/ada"


def _world() -> World:
    """Two learners in sync, under the usual limits."""
    world = World(Random(1))
    world.found({"ada": ("c1",), "bob": ("c1",)})
    world.engine.parts.policy = Policy(writers=1, limits=Limits())
    for _ in range(4):
        world.run_pass(settle_seconds=5.0)
    assert world.server.blocks
    return world


def test_a_commit_that_comes_between_does_not_open_what_the_guard_has_closed() -> None:
    world = _world()
    world.server.blocks.clear()
    world.server.agents.clear()
    world.add_user("eve", ("c1",))
    left = ["once"]

    def somebody_commits(what: str) -> None:
        if left and what == "commit":
            left.pop()
            for user in ("ada", "bob", "eve"):
                world.commit(f"user/{user}", {"note.md": b"hello\n"}, "Say hello", user)

    world.hazard.interfere = somebody_commits
    world.hazard.begin(Random(2), busy=1.0)
    report = world.engine.run(apply=True)
    assert report.halts
    assert not left
    assert (report.writes, world.server.blocks, world.server.agents) == (0, {}, {})
