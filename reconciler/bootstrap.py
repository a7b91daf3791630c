"""The composition root: from a folder and its settings to an engine that runs. The one place that knows every part."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reconciler.embedded.host import LETTA, OPEN_WEBUI, Address, embedded
from reconciler.errors import Terminal
from reconciler.ports import Remote
from reconciler.remotes.letta.adapter import LettaRemote
from reconciler.remotes.openwebui.adapter import OpenWebUIRemote
from reconciler.settings import Settings, load
from reconciler.store.people import person
from reconciler.store.workspace import GitWorkspace
from reconciler.sync.engine import Engine


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True)
class App:
    """One workspace with everything that acts on it.

    letta: where it is. openwebui: where that is, and ``web`` its adapter, where it has a part in this workspace.
    """

    folder: Path
    settings: Settings
    workspace: GitWorkspace
    remotes: Sequence[Remote]
    engine: Engine
    clock: SystemClock
    letta: Address
    openwebui: Address | None = None
    web: OpenWebUIRemote | None = None


def check_folder(folder: Path) -> Path:
    """The folder where it is a workspace; else Terminal says how to make or name one."""
    if not (folder / "courses").is_dir():
        raise Terminal(
            f"{folder} is not a workspace: it has no courses folder. "
            "Name one with -w DIR or RECONCILER_WORKSPACE, or make one with `reconciler init DIR`"
        )
    return folder


def open_workspace(folder: Path, settings: Settings) -> GitWorkspace:
    """The workspace's repos; commits made through them name the configured committer."""
    git = settings.git
    return GitWorkspace(check_folder(folder), person(git.name, git.email), fsync=git.fsync)


@contextmanager
def opened(folder: Path) -> Generator[App, None, None]:
    """The workspace with its engine, for as long as it is used; its stand-ins are served or reached meanwhile."""
    check_folder(folder)
    settings = load(folder)
    workspace = open_workspace(folder, settings)
    clock = SystemClock()
    with _letta(folder, settings) as letta, _openwebui(folder, settings) as openwebui:
        web = _openwebui_remote(openwebui, workspace.uuid, settings, clock.now) if openwebui else None
        remote = _letta_remote(letta, workspace.uuid, settings, clock.now)
        remotes = [web, remote] if web else [remote]  # in the order their captures are folded
        try:
            engine = Engine(workspace, remotes, clock, settings.policy(), web, web)
            yield App(folder, settings, workspace, remotes, engine, clock, letta, openwebui, web)
        finally:
            for each in remotes:
                each.close()


def _letta(folder: Path, settings: Settings) -> AbstractContextManager[Address]:
    if settings.letta.url:
        return nullcontext(Address(settings.letta.url, settings.letta.token.get_secret_value()))
    return embedded(LETTA, folder / "embedded")


def _openwebui(folder: Path, settings: Settings) -> AbstractContextManager[Address | None]:
    web = settings.openwebui
    if web.embedded:
        return embedded(OPEN_WEBUI, folder / "embedded")
    return nullcontext(Address(web.url, web.token.get_secret_value()) if web.url else None)


def _openwebui_remote(at: Address, uuid: str, settings: Settings, now: Callable[[], datetime]) -> OpenWebUIRemote:
    web = settings.openwebui
    return OpenWebUIRemote(
        at.url, at.token, uuid, now=now, timeout=web.timeout_seconds, quiet_seconds=web.quiet_seconds
    )


def _letta_remote(letta: Address, uuid: str, settings: Settings, now: Callable[[], datetime]) -> LettaRemote:
    return LettaRemote(letta.url, letta.token, uuid, now=now, timeout=settings.letta.timeout_seconds)
