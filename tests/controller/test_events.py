"""When Open WebUI is asked to send events, and what is said where it will not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import httpx
import pytest

from reconciler.commands.events import Events
from reconciler.errors import Transient
from reconciler.settings import OpenWebUISettings
from tests.http import HTTP

HERE = "http://127.0.0.1:3000"
Make = Callable[..., Events]


class Registry:
    """Open WebUI's list of webhooks."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.is_down = False

    def ensure_webhook(self, url: str, events: list[str]) -> bool:
        if self.is_down:
            raise Transient(f"no answer about {url}")
        self.urls.append(url)
        return True


@pytest.fixture
def warned() -> list[str]:
    return []


@pytest.fixture
def make(tmp_path: Path, warned: list[str]) -> Iterator[Make]:
    made: list[Events] = []

    def one(heard: Callable[[], None] = lambda: None, **settings: str | int) -> Events:
        (tmp_path / "state").mkdir(exist_ok=True)
        given = OpenWebUISettings.model_validate(settings)
        made.append(Events(given, given.url, tmp_path, warned.append))
        made[-1].start(heard)
        return made[-1]

    yield one
    for each in made:
        each.stop()


def test_an_open_webui_on_this_machine_is_told_where_to_send_events(make: Make) -> None:
    registry, heard = Registry(), Event()
    make(heard.set, url=HERE).register(registry)
    HTTP.post(registry.urls[0], json={"event": "note.updated"})

    assert heard.wait(5)


@pytest.mark.parametrize("url", ["https://chat.example.org", "http://192.0.2.7:8080", ""])
def test_one_on_another_machine_is_not_told_unless_somebody_said_how(make: Make, url: str) -> None:
    registry = Registry()
    make(url=url).register(registry)

    assert registry.urls == []
    make(url=url, events_url="https://sync.example.org/events").register(registry)
    assert registry.urls[0].startswith("https://sync.example.org/events/")


def test_trouble_is_said_once_and_never_with_the_secret(make: Make, warned: list[str]) -> None:
    registry, events = Registry(), make(url=HERE)
    registry.is_down = True
    for _ in range(3):
        events.register(registry)

    assert len(warned) == 1
    assert warned[0].endswith("/…")
    registry.is_down = False
    events.register(registry)
    assert (len(registry.urls), len(warned)) == (1, 1)


def test_a_port_that_is_taken_stops_nothing(make: Make, warned: list[str]) -> None:
    registry = Registry()
    make(url=HERE).register(registry)
    port = int(httpx.URL(registry.urls[0]).port or 0)
    make(url=HERE, events_port=port).register(registry)

    assert len(registry.urls) == 1
    assert "looked at every 2 s all the same" in warned[0]
