"""`place` is a workspace beside a stand-in for Letta, and an Open WebUI: the stand-in, and a real one where asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance import systems
from tests.acceptance.systems import System
from tests.acceptance.web.place import WebPlace
from tests.acceptance.web.systems import Web, embedded, live
from tests.live.fixtures import clean_openwebui, openwebui

__all__ = ["clean_openwebui", "openwebui"]


@pytest.fixture
def stand_in() -> Iterator[System]:
    """The stand-in for Letta, empty."""
    with systems.embedded() as started:
        yield started
        started.end_turns()


@pytest.fixture(params=["embedded", "live"])
def web(request: pytest.FixtureRequest) -> Iterator[Web]:
    """An empty Open WebUI."""
    with embedded() if request.param == "embedded" else live(request.getfixturevalue("clean_openwebui")) as started:
        yield started


@pytest.fixture
def make_place(stand_in: System, web: Web, tmp_path: Path) -> Iterator[Callable[..., WebPlace]]:
    made: list[WebPlace] = []

    def make(name: str = "workspace", **how: Any) -> WebPlace:
        made.append(WebPlace.make_web(tmp_path / name, stand_in, web, **how))
        return made[-1]

    yield make
    for place in made:
        place.close()


@pytest.fixture
def bare(make_place: Callable[..., WebPlace]) -> WebPlace:
    """A course and accounts; nothing made of them yet."""
    return make_place()


@pytest.fixture
def place(bare: WebPlace) -> WebPlace:
    """A workspace that is in sync."""
    return in_sync(bare)


@pytest.fixture
def alone(make_place: Callable[..., WebPlace]) -> WebPlace:
    """The same with a single learner."""
    return in_sync(make_place(names=("ada",)))


def in_sync(bare: WebPlace) -> WebPlace:
    report = bare.sync()
    assert report.exit_code == 0, report
    return bare
