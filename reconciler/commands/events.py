"""Being told by Open WebUI that something changed there: receiver, registration, and what is said where that fails.

The loop looks by itself every few seconds anyway; events only make it look sooner. So no trouble here stops anything.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from reconciler.controller.webhook import Receiver, kept_secret
from reconciler.errors import ReconcilerError
from reconciler.settings import OpenWebUISettings

WANTED: Final = ("note.*", "model.*", "user.*", "group.*", "chat.created", "chat.deleted")
"""Not ``chat.updated``: with many people chatting it never stops, and a title may wait for the next look."""


class Registrar(Protocol):
    """Whoever can tell Open WebUI where to send events."""

    def ensure_webhook(self, url: str, events: list[str]) -> bool: ...


class Events:
    """Does nothing where Open WebUI could not reach us: it is on another machine, and nobody said how.

    at: where it is; empty where it has no part in the workspace.
    """

    def __init__(self, settings: OpenWebUISettings, at: str, workspace: Path, warn: Callable[[str], None]) -> None:
        self._settings, self._at, self._workspace, self._warn = settings, at, workspace, warn
        self._receiver: Receiver | None = None
        self._secret = ""
        self._said = ""

    def start(self, heard: Callable[[], None]) -> None:
        if not self._settings.events_url and not _is_here(self._at):
            return
        try:
            self._secret = kept_secret(self._workspace)
            self._receiver = Receiver(self._settings.events_host, self._settings.events_port, self._secret, heard)
        except (ReconcilerError, OSError) as error:
            self._warn(f"{error}; Open WebUI is looked at every {self._settings.poll_seconds:g} s all the same")

    def stop(self) -> None:
        if self._receiver:
            self._receiver.stop()

    def register(self, web: Registrar) -> None:
        """Have Open WebUI send events here, where it does not yet. Said once where it will not."""
        if self._receiver is None:
            return
        base = self._settings.events_url or f"http://{self._settings.events_host}:{self._receiver.port}"
        said = ""
        try:
            web.ensure_webhook(f"{base}/{self._secret}", list(WANTED))
        except ReconcilerError as error:
            said = f"Open WebUI takes no registration for events: {error}".replace(self._secret, "…")
        if said and said != self._said:
            self._warn(said)
        self._said = said


def _is_here(url: str) -> bool:
    with suppress(ValueError):
        return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
    return False
