"""Histories told by hand keep every promise too."""

from __future__ import annotations

import pytest

from tests.simulation.stories import STORIES, STORIES_BESIDE_WEB, broken_by

TOLD = {**STORIES, **STORIES_BESIDE_WEB}


@pytest.mark.parametrize("name", TOLD)
def test_a_story_keeps_every_promise(name: str) -> None:
    assert broken_by(TOLD[name]) == ""
