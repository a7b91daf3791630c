"""Whole histories of the engine among people, agents, faults and crashes; every promise of DESIGN 7 is looked at.

RECONCILER_SIM_SEEDS says how many; CI runs many more with `make simulate`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.simulation.run import run_seed

SEEDS = int(os.environ.get("RECONCILER_SIM_SEEDS", "100"))
CHUNK = 25
REGRESSIONS = Path(__file__).with_name("regressions.txt")


def regressions() -> list[tuple[int, int, int]]:
    """Every seed that ever failed, its steps and its replicas."""
    lines = [line.partition("#")[0].split() for line in REGRESSIONS.read_text().splitlines()]
    return [(int(line[0]), int(line[1]), int(line[2])) for line in lines if line]


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_history_breaks_a_promise(first: int) -> None:
    results = [run_seed(seed) for seed in range(first, min(first + CHUNK, SEEDS))]

    assert [f"seed {result.seed}: {result.broken}" for result in results if result.broken] == []


@pytest.mark.parametrize(("seed", "steps", "replicas"), regressions())
def test_a_history_that_once_broke_a_promise_keeps_it(seed: int, steps: int, replicas: int) -> None:
    assert run_seed(seed, steps, replicas=replicas).broken == ""


@pytest.mark.parametrize("replicas", [2, 3])
def test_a_seed_tells_the_same_story_twice(replicas: int) -> None:
    assert run_seed(5, replicas=replicas).trace == run_seed(5, replicas=replicas).trace
