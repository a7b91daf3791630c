"""Running histories: one seed, one history; the same seed and steps give the same one, line by line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from random import Random
from traceback import extract_tb
from typing import TextIO

from reconciler.simulation.actors import act
from reconciler.simulation.calm import calm, check
from reconciler.simulation.events import Events
from reconciler.simulation.web_actors import act_beside_web
from reconciler.simulation.witness import Violation
from reconciler.simulation.world import World

STEPS = 36
NAMES = ("ada", "bob", "cyd")


@dataclass(frozen=True)
class Result:
    """One history. ``broken``: the promise that was broken; empty where none was."""

    seed: int
    steps: int
    broken: str
    trace: tuple[str, ...]
    passes: int
    writes: int
    replicas: int = 2


def replicas_of(seed: int) -> int:
    """Open WebUI is part of every second history."""
    return 3 if seed % 2 else 2


def run_seed(seed: int, steps: int = STEPS, skip: Collection[int] = (), replicas: int | None = None) -> Result:
    """Live through one history. ``skip``: steps to leave out; all others stay as they were.

    replicas: 2 for git and Letta, 3 for Open WebUI too; None: as the seed has it.
    """
    replicas = replicas or replicas_of(seed)
    world = _born(seed, replicas)
    broken = ""
    try:
        for number in range(steps):
            world.rng = Random(f"{seed}/{number}")
            if number not in skip:
                _step(world, number)
        world.rng = Random(f"{seed}/calm")
        check(world, calm(world, answer=world.rng.random() < 0.75))
    except Violation as violation:
        broken = str(violation)
    except Exception as error:
        broken = f"the engine ended: {error!r}; {_where(error)}"
    return Result(seed, steps, broken, tuple(world.trace), world.passes, world.writes, replicas)


def _where(error: Exception) -> str:
    """The last line of code that an error passed."""
    last = extract_tb(error.__traceback__)[-1]
    return f"{last.name} in {Path(last.filename).name}, line {last.lineno}"


def _born(seed: int, replicas: int) -> World:
    """The world at its start: one to three learners, mostly few, and one pass that makes their agents."""
    world = World(Random(f"{seed}/world"), has_web=replicas == 3)
    count = world.rng.choice([1, 1, 1, 2] if world.web else [1, 1, 2, 2, 3])
    both, chance = ("c1", "c2"), 0.3 if world.web else 0.5  # a third replica is costly: it gets the smaller worlds
    world.found({name: both if world.rng.random() < chance else ("c1",) for name in NAMES[:count]})
    world.act_inside = lambda: _act(world)
    if world.rng.random() < 0.8:
        world.run_pass()
    return world


def _step(world: World, number: int) -> None:
    world.clock.advance(world.rng.choice([0.1, 1, 5, 20]))
    if world.rng.random() < 0.32:
        world.say(f"{number}: pass")
        _stormy_pass(world)
    else:
        world.say(f"{number}:")
        _act(world)


def _act(world: World) -> None:
    if world.web is None:
        return act(world)
    act_beside_web(world)
    world.web.hear(world.rng)


def _stormy_pass(world: World) -> None:
    """A pass that may be raced, may meet faults, and may be the engine's last."""
    rng = world.rng
    stop_at = rng.randint(1, world.last_touches + 5) if rng.random() < 0.35 else 0
    busy = rng.choice([0, 0, 0.02, 0.1])
    fault = rng.choice([0, 0, 0, 0.1, 0.3])
    world.hazard.begin(rng, stop_at=stop_at, busy=busy, fault=fault, short=rng.choice([0, 0, 0, 0.5]))
    settle_seconds, is_fresh = rng.choice([0, 0, 0, 1]), rng.random() < 0.2
    if world.web and rng.random() < 0.6:
        return _pass_of_the_loop(world, world.web.events, settle_seconds, is_fresh)
    world.run_pass(settle_seconds=settle_seconds, fresh=is_fresh)


def _pass_of_the_loop(world: World, events: Events, settle_seconds: float, is_fresh: bool) -> None:
    """One that looks where something was heard of, and no further than that."""
    if is_fresh:
        events.restart()
    keys, scopes, depth = events.due()
    if not keys:
        world.hazard.begin(world.rng)
        return world.say("  nothing is due")
    world.say(f"  of {', '.join(sorted(keys))}")
    events.passed(keys, world.run_pass(settle_seconds, is_fresh, scopes, depth))


def minimised(result: Result) -> tuple[Result, set[int]]:
    """The same broken promise with as few steps as one walk over them finds, and the steps left out."""
    skip: set[int] = set()
    for number in range(result.steps):
        shorter = run_seed(result.seed, result.steps, {*skip, number}, result.replicas)
        if _same_promise(shorter.broken, result.broken):
            skip.add(number)
    return run_seed(result.seed, result.steps, skip, result.replicas), skip


def _same_promise(one: str, other: str) -> bool:
    """Whether two violations are of one kind: values and names aside."""
    return bool(one) and one.split(":")[-1].strip()[:12] == other.split(":")[-1].strip()[:12]


def world_of(result: Result) -> str:
    """The live systems of a history, in words."""
    return "Letta and Open WebUI" if result.replicas == 3 else "Letta"


def main(
    seed: int,
    steps: int = STEPS,
    seeds: int = 1,
    *,
    replicas: int | None = None,
    out: TextIO | None = None,
    shorten: bool = True,
) -> int:
    """Run ``seeds`` histories from ``seed`` on, telling each broken one step by step. The number of broken ones."""
    stream = out or sys.stdout  # asked for now: who imported this module may have had another
    broken = 0
    for each in range(seed, seed + seeds):
        result = run_seed(each, steps, replicas=replicas)
        if result.broken:
            broken += 1
            tell(result, stream, minimised if shorten else None)
        elif seeds == 1:
            stream.writelines(f"{line}\n" for line in result.trace)
    stream.write(f"{seeds} histories of {steps} steps, {broken} with a broken promise\n")
    return broken


def tell(result: Result, out: TextIO, shorten: Callable[[Result], tuple[Result, set[int]]] | None) -> None:
    """The story of a broken history, as short as it can be told."""
    short = shorten(result)[0] if shorten else result
    out.writelines(f"{line}\n" for line in short.trace)
    out.write(f"BROKEN by seed {result.seed} in {result.steps} steps with {world_of(result)}: {short.broken}\n")
