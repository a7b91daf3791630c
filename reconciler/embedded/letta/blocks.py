"""Memory blocks: rows that any number of agents may hold."""

from typing import Any

from reconciler.embedded.letta import fields
from reconciler.embedded.letta.listing import ALL, Listing, matching, page
from reconciler.embedded.letta.state import Ids, Refused, Row, Rows, State

_DEFAULTS: Row = {
    "value": "",
    "limit": 100_000,
    "label": None,
    "description": None,
    "read_only": False,
    "metadata": {},
    "tags": [],
    "hidden": None,
    "project_id": None,
    "template_name": None,
    "template_id": None,
    "base_template_id": None,
    "deployment_id": None,
    "entity_id": None,
    "is_template": False,
    "preserve_on_migration": False,
    "created_by_id": None,
    "last_updated_by_id": None,
}


class Blocks:
    """Create, read, update, delete. Labels need not be unique and the character limit is never enforced."""

    def __init__(self, state: State) -> None:
        self._state = state

    def create(self, body: object) -> Row:
        sent = fields.parsed(body, fields.BLOCK, required=("label",))
        return self._state.put("blocks", {**_DEFAULTS, **sent, "id": self._state.new_id("blocks")})

    def create_inline(self, body: object) -> Row:
        """As part of an agent's create, where the real server loses the block's tags and metadata."""
        sent = fields.parsed(body, fields.BLOCK, required=("label",))
        kept = {name: value for name, value in sent.items() if name not in ("tags", "metadata")}
        return self.create(kept)

    def get(self, block_id: str) -> Row:
        return self._state.get("blocks", block_id)

    def update(self, block_id: str, body: object) -> Row:
        """Each field sent is replaced whole; there is no version to compare with, so the last write wins."""
        sent = fields.parsed(body, fields.BLOCK)
        block = self.get(block_id)
        if sent.get("label", block["label"]) != block["label"]:
            self._refuse_second(block_id, sent["label"])
        return self.write(block, **sent)

    def write(self, block: Row, **changes: Any) -> Row:
        """A change of memory compiles the prompt of every holder anew, and with it a system text that waited."""
        if changes.items() <= block.items():
            return block
        for agent in self._holders(block["id"]):
            if agent["compiled_system"] != agent["system"]:
                self._state.amend("agents", agent, compiled_system=agent["system"])
        return self._state.amend("blocks", block, **changes)

    def delete(self, block_id: str) -> None:
        """Detaches it from every agent without a word; their `updated_at` does not move."""
        self.get(block_id)
        for agent in self._holders(block_id):
            kept = [each for each in agent["block_ids"] if each != block_id]
            self._state.amend("agents", agent, block_ids=kept)
        self._state.drop("blocks", block_id)

    def list(self, listing: Listing = ALL) -> Rows:
        return page(self._state.tables["blocks"].values(), listing, ascending=True)

    def count(self, listing: Listing = ALL) -> int:
        return len(matching(self._state.tables["blocks"].values(), listing))

    def holder_ids(self, block_id: str) -> Ids:
        self.get(block_id)
        return [agent["id"] for agent in self._holders(block_id)]

    def _refuse_second(self, block_id: str, label: str) -> None:
        rows = self._state.tables["blocks"]
        for agent in self._holders(block_id):
            if any(rows[key]["label"] == label for key in agent["block_ids"]):
                raise Refused(409, f"Agent {agent['id']} already holds a block labelled {label!r}")

    def _holders(self, block_id: str) -> Rows:
        return [agent for agent in self._state.tables["agents"].values() if block_id in agent["block_ids"]]
