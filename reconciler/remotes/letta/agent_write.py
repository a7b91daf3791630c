"""Creating and changing an agent: the order of the steps is what makes a stop between any two of them visible.

A changed system text is in the prompt only after a recompile, so the mark that says "compiled" is written last.
"""

from __future__ import annotations

from typing import cast

from reconciler.core.value import Fields, Value
from reconciler.errors import Transient
from reconciler.ports import Action
from reconciler.remotes.letta.agents import METADATA, agent_changes, attached, merged_metadata, new_agent
from reconciler.remotes.letta.client import Api
from reconciler.remotes.letta.find import Finder
from reconciler.remotes.letta.known import Known
from reconciler.remotes.letta.marks import compiled_mark
from reconciler.remotes.letta.offers import Offers
from reconciler.remotes.letta.wire import Json, handle, table, text, texts, thawed


class AgentWriter:
    def __init__(self, api: Api, known: Known, find: Finder, offers: Offers) -> None:
        self._api = api
        self._known = known
        self._find = find
        self._offers = offers

    def create(self, action: Action) -> Json:
        """One request: a fresh agent is compiled. A block id the server does not know is dropped without a word."""
        blocks = self._find.block_ids(action.scope, _texts(action.fields, "blocks"))
        tools = self._offers.tool_ids(_texts(action.fields, "tools"))
        row = self._api.create_agent(new_agent(action, tools, blocks))
        if lost := set(blocks) - set(attached(row)):
            for each in lost:
                self._known.forget(each)
            raise Transient(
                f"the agent {handle(row)} was made without the blocks {', '.join(sorted(lost))}: they are gone"
            )
        return row

    def update(self, action: Action, now: Json) -> Json:
        """Settings, then blocks, then the compiled prompt, then the metadata that says so."""
        fields, found = action.fields, handle(now)
        tools = self._offers.tool_ids(_texts(fields, "tools")) if "tools" in fields else None
        row = now
        if body := agent_changes(fields, now, tools):
            row = self._api.update_agent(found, body)
        if "blocks" in fields:
            row = self._reattach(action, row)
        return self._finish(fields, row, now)

    def _reattach(self, action: Action, row: Json) -> Json:
        """Block by block: a PATCH of `block_ids` would also drop what is not ours."""
        wanted = set(self._find.block_ids(action.scope, _texts(action.fields, "blocks")))
        held = attached(row)
        ours = {each for each in held if self._known.identity(each)}
        for each in sorted(ours - wanted):
            row = self._api.detach(handle(row), each)
        for each in sorted(wanted - set(held)):
            row = self._api.attach(handle(row), each)
        return row

    def _finish(self, fields: Fields, row: Json, before: Json) -> Json:
        metadata = self._metadata(fields, before)
        if "system" in fields or metadata.get("compiled") != _compiled(before):
            self._api.recompile(handle(row))
            metadata["compiled"] = compiled_mark(text(row, "system"))
        elif "metadata" not in fields:
            return row
        return self._api.update_agent(handle(row), {"metadata": merged_metadata(row, metadata)})

    def _metadata(self, fields: Fields, before: Json) -> dict[str, Value]:
        """Ours as it is to be: what is to be written, or what is there."""
        source = cast("Fields", fields["metadata"] if "metadata" in fields else table(before.get("metadata")))
        return {key: source[key] for key in METADATA if key in source}


def _compiled(row: Json) -> str:
    return text(table(row.get("metadata")), "compiled")


def _texts(fields: Fields, name: str) -> list[str]:
    return texts(thawed(fields.get(name, ())))
