"""Writes of workspace models. Access has a route of its own; everything else is one form, read first and sent whole."""

from __future__ import annotations

from reconciler.core.snapshot import Unreadable
from reconciler.ports import Action, Applied, Failed, Outcome, Stale
from reconciler.remotes.openwebui.catalog import Catalog
from reconciler.remotes.openwebui.client import Api, Refused
from reconciler.remotes.openwebui.compare import before, moved
from reconciler.remotes.openwebui.grants import access_sent
from reconciler.remotes.openwebui.marks import COURSES, Identity, model_id
from reconciler.remotes.openwebui.models import live_model, model_form, needs_form, new_model
from reconciler.remotes.openwebui.wire import Json, text


class ModelWriter:
    def __init__(self, api: Api, workspace: str, catalog: Catalog) -> None:
        self._api = api
        self._workspace = workspace
        self._catalog = catalog

    def create(self, action: Action) -> Outcome:
        model = model_id(self._workspace, action.ref)
        row = self._catalog.one(model)
        if row is not None:
            if self._catalog.identity(row) is None:
                return Failed(f"the id {model} is taken in Open WebUI by a model that is not ours", transient=False)
            return Stale(f"{action.ref} is already there: {model}")
        return self._shown(self._api.post("/models/create", new_model(self._workspace, action)), action)

    def update(self, action: Action) -> Outcome:
        row = self._found(action)
        if isinstance(row, Stale):
            return row
        if differs := moved(action, live_model(row, action.ref)):
            return Stale(f"{action.ref} has changed since it was read: {differs}")
        try:
            return self._shown(self._written(action, row), action)
        except Refused as error:
            if error.status == 409:
                return Stale(f"{action.ref} was saved by somebody else at the same moment")
            if error.is_not_there:
                return Stale(f"{action.ref} was deleted meanwhile")
            raise

    def delete(self, action: Action) -> Outcome:
        row = self._found(action)
        if isinstance(row, Stale):
            gone = self._catalog.one(before(action).handle) is None
            return Applied(None) if gone else row
        try:
            self._api.post("/models/model/delete", {"id": before(action).handle})
        except Refused as error:
            if not error.is_not_there:
                raise
        self._catalog.touched()
        return Applied(None)

    def _found(self, action: Action) -> Json | Stale:
        model = before(action).handle
        row = self._catalog.one(model)
        if row is None:
            return Stale(f"{action.ref} is gone: {model}")
        if self._catalog.identity(row) != Identity(COURSES, action.ref):
            return Stale(f"{model} is not {action.ref} of this workspace; it is left alone")
        return row

    def _written(self, action: Action, row: Json) -> Json:
        """Access first: what is to be taken away is gone soonest."""
        fields, model = action.fields, text(row, "id")
        if "@access" in fields:
            grants = access_sent(fields["@access"])
            row = self._api.post("/models/model/access/update", {"id": model, "access_grants": grants})
        if needs_form(fields):
            row = self._api.post("/models/model/update", model_form(self._workspace, action, row))
        return row

    def _shown(self, row: Json, action: Action) -> Outcome:
        self._catalog.touched()
        live = live_model(row, action.ref)
        if isinstance(live, Unreadable):
            return Failed(f"{action.ref} was written, and cannot be read: {live.reason}", transient=True)
        return Applied(live)
