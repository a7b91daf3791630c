"""All workspace models in one read, and the server's own list of models kept fresh after a write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.snapshot import Unreadable
from reconciler.errors import ReconcilerError
from reconciler.ports import Live
from reconciler.remotes.openwebui.client import Api, Refused
from reconciler.remotes.openwebui.grants import access_shown
from reconciler.remotes.openwebui.marks import Identity, model_identity
from reconciler.remotes.openwebui.me import Me
from reconciler.remotes.openwebui.models import live_model
from reconciler.remotes.openwebui.wire import Json, text

CLOSED = (
    "learners may not use the base model {base}, so every answer of the courses built on it is refused: make it public "
    "in Open WebUI, under Admin Panel › Settings › Models"
)


@dataclass(frozen=True)
class Models:
    """What one read showed: ours, how many presets are somebody else's, and what deserves a look.

    Base models are nobody's work, and are not counted.
    """

    found: list[tuple[Identity, Live | Unreadable]]
    foreign: int
    warnings: tuple[str, ...]


class Catalog:
    """Models: few, so always read together."""

    def __init__(self, api: Api, me: Me, workspace: str) -> None:
        self._api = api
        self._me = me
        self._workspace = workspace
        self._is_stale = False

    def read(self) -> Models:
        self.freshen()
        listed = self._api.list("/models/all")
        ours = [(it, row) for row in listed if (it := self.identity(row))]
        presets = sum(bool(text(row, "base_model_id")) for row in listed)
        found = [(it, live_model(row, it.ref)) for it, row in ours]
        foreign = presets - sum(bool(text(row, "base_model_id")) for _, row in ours)
        return Models(found, foreign, tuple(CLOSED.format(base=base) for base in _closed(listed, ours)))

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


def _closed(listed: Sequence[Json], ours: Sequence[tuple[Identity, Json]]) -> list[str]:
    """Base models of models that somebody may use, which nobody but admins may: the default (0.12.4)."""
    bases = {text(row, "base_model_id") for _, row in ours if access_shown(row)} - {""}
    opened = {text(row, "id") for row in listed if access_shown(row)}
    return sorted(bases - opened)
