"""The simulation's power: an engine with any one of its rules taken out breaks a promise before long."""

from __future__ import annotations

from itertools import chain

import pytest

from reconciler.simulation.run import run_seed
from tests.simulation.mutants import MUTANTS
from tests.simulation.mutants_beside_web import MUTANTS_BESIDE_WEB
from tests.simulation.stories import STORIES, STORIES_BESIDE_WEB, broken_by

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


KNOWN_BESIDE_WEB = {
    "held_is_missing": [0],
    "somebody_elses_note": [2],
    "missing_is_emptied": [2],
    "write_over_notes": [1],
    "unmet_is_nobody": [0],
    "a_part_is_a_question": [2],
    "unseen_is_gits": [1],
}
"""Seeds that catch what no story does."""


@pytest.mark.parametrize("name", MUTANTS_BESIDE_WEB)
def test_a_mutant_beside_open_webui_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS_BESIDE_WEB[name](monkeypatch)
    told = (broken_by(story) for story in STORIES_BESIDE_WEB.values())
    seeds = chain(KNOWN_BESIDE_WEB.get(name, ()), range(ENOUGH))
    lived = (run_seed(seed, replicas=3).broken for seed in seeds)

    assert any(chain(told, lived)), f"{MUTANTS_BESIDE_WEB[name].__doc__} Nobody noticed."
