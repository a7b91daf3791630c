"""One write to one resource. Every expected trouble comes out as an `Outcome`; only bugs are raised."""

from __future__ import annotations

from reconciler.errors import Terminal, Transient
from reconciler.ports import Action, Failed, Outcome
from reconciler.remotes.openwebui.client import LONGEST_SENTENCE, Refused
from reconciler.remotes.openwebui.compare import check_writable, is_model
from reconciler.remotes.openwebui.model_write import ModelWriter
from reconciler.remotes.openwebui.note_write import NoteWriter


class Writer:
    def __init__(self, notes: NoteWriter, models: ModelWriter) -> None:
        self._notes = notes
        self._models = models

    def apply(self, action: Action) -> Outcome:
        try:
            check_writable(action)
            return self._made(action)
        except Transient as error:
            return Failed(_short(error), transient=True)
        except (Refused, Terminal, ValueError) as error:
            return Failed(_short(error), transient=False)

    def _made(self, action: Action) -> Outcome:
        writer = self._models if is_model(action) else self._notes
        return {"create": writer.create, "update": writer.update, "delete": writer.delete}[action.verb](action)


def _short(error: Exception) -> str:
    return str(error)[: LONGEST_SENTENCE + 100]
