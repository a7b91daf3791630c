"""All workspace models in one read, and the server's own list of models kept fresh after a write."""

from __future__ import annotations

from reconciler.core.snapshot import Unreadable
from reconciler.errors import ReconcilerError
from reconciler.ports import Live
from reconciler.remotes.openwebui.client import Api, Refused
from reconciler.remotes.openwebui.marks import Identity, model_identity
from reconciler.remotes.openwebui.me import Me
from reconciler.remotes.openwebui.models import live_model
from reconciler.remotes.openwebui.wire import Json, text


class Catalog:
    """Models: few, so always read together."""

    def __init__(self, api: Api, me: Me, workspace: str) -> None:
        self._api = api
        self._me = me
        self._workspace = workspace
        self._is_stale = False

    def read(self) -> tuple[list[tuple[Identity, Live | Unreadable]], int]:
        """Ours, and how many presets are somebody else's. Base models are nobody's work, and are not counted."""
        self.freshen()
        found: list[tuple[Identity, Live | Unreadable]] = []
        foreign = 0
        for row in self._api.list("/models/all"):
            if it := self.identity(row):
                found.append((it, live_model(row, it.ref)))
            elif text(row, "base_model_id"):
                foreign += 1
        return found, foreign

    def identity(self, row: Json) -> Identity | None:
        return model_identity(row, self._workspace, self._me.id())

    def one(self, model: str) -> Json | None:
        """One model; None where there is none of that id."""
        try:
            return self._api.row("/models/model", id=model)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def touched(self) -> None:
        """After a write: until somebody asks for ``/api/models``, chats go on with the old list (0.12.4)."""
        self._is_stale = True
        self.freshen()

    def freshen(self) -> None:
        """What fails here is tried again before the next read: the write itself has been made."""
        if not self._is_stale:
            return
        try:
            self._api.get("/api/models")
            self._is_stale = False
        except ReconcilerError:
            return
