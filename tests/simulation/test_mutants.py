"""The simulation's power: an engine with any one of its rules taken out breaks a promise before long."""

from __future__ import annotations

from itertools import chain

import pytest

from reconciler.simulation.run import run_seed
from tests.simulation.mutants import MUTANTS
from tests.simulation.stories import STORIES, broken_by

ENOUGH = 600
"""Histories within which every mutant must be caught."""

KNOWN = {"skip_what_moved": 40}
"""Seeds known to catch what few others do: tried first, to save time."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[name](monkeypatch)
    told = (broken_by(story) for story in STORIES.values())
    lived = (run_seed(seed, replicas=2).broken for seed in chain([KNOWN.get(name, 0)], range(ENOUGH)))

    assert any(chain(told, lived)), f"{MUTANTS[name].__doc__} Nobody noticed."
