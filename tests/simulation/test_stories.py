"""Histories told by hand keep every promise too."""

from __future__ import annotations

import pytest

from tests.simulation.stories import STORIES, broken_by


@pytest.mark.parametrize("name", STORIES)
def test_a_story_keeps_every_promise(name: str) -> None:
    assert broken_by(STORIES[name]) == ""
