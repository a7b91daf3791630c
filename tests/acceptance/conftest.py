"""`place` is a workspace beside every Letta in turn: the stand-in, and a real one where RECONCILER_LIVE=1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.place import Place
from tests.acceptance.systems import System, embedded, live
from tests.live.fixtures import clean_letta, letta

__all__ = ["clean_letta", "letta"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every scenario meets both servers, unless its file names those that do: a real one is ten times slower."""
    if "system" in metafunc.fixturenames:
        chosen = getattr(metafunc.module, "LIVE", None)
        is_live = chosen is None or metafunc.function.__name__ in chosen
        metafunc.parametrize("system", ["embedded", "live"] if is_live else ["embedded"], indirect=True)


@pytest.fixture
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    """An empty Letta."""
    with embedded() if request.param == "embedded" else live(request.getfixturevalue("clean_letta")) as started:
        yield started
        started.end_turns()


@pytest.fixture
def make_place(system: System, tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Makes workspaces beside the one Letta."""
    made: list[Place] = []

    def make(name: str = "workspace", **how: Any) -> Place:
        made.append(Place.make(tmp_path / name, system, **how))
        return made[-1]

    yield make
    for place in made:
        place.close()


@pytest.fixture
def bare(make_place: Callable[..., Place]) -> Place:
    """A workspace of which nothing is in Letta yet."""
    return make_place()


@pytest.fixture
def place(bare: Place) -> Place:
    """A workspace that is in sync."""
    report = bare.sync()
    assert report.exit_code == 0, report
    return bare
