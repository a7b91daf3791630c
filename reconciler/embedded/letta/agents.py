"""Agents: what they declare, and which blocks and tools they hold."""

from collections.abc import Iterable

from reconciler.embedded.letta import fields, prompt, rules, shown
from reconciler.embedded.letta.blocks import Blocks
from reconciler.embedded.letta.catalog import Catalog, embedding_config, with_settings
from reconciler.embedded.letta.listing import ALL, Listing, matching, page
from reconciler.embedded.letta.state import Ids, Refused, Row, Rows, State
from reconciler.embedded.letta.tools import Tools

# Attached to an agent that asks for the base tools, which is the default.
_BASE_TOOLS = {
    "letta_v1_agent": ("conversation_search", "memory_insert", "memory_replace"),
    "memgpt_v2_agent": ("conversation_search", "memory_insert", "memory_replace", "send_message"),
    "memgpt_agent": ("conversation_search", "core_memory_append", "core_memory_replace", "send_message"),
}
_DEFAULTS: Row = {
    "name": "Agent",
    "system": "",
    "agent_type": "letta_v1_agent",
    "description": None,
    "metadata": {},
    "tags": [],
    "tool_rules": [],
    "embedding": None,
    "embedding_config": None,
    "timezone": "UTC",
    "message_buffer_autoclear": False,
    "enable_sleeptime": None,
    "hidden": None,
    "last_run_completion": None,
    "last_run_duration_ms": None,
    "last_stop_reason": None,
    "project_id": None,
    "created_by_id": None,
    "last_updated_by_id": None,
}
_LLM_FIELDS = ("model", "context_window_limit", "max_tokens")
_NOT_KEPT = frozenset({"context_window_limit", "max_tokens", "model_settings", "block_ids", "tool_ids"})


class Agents:
    """Names are not unique; tags, metadata, tools and blocks are replaced whole."""

    def __init__(self, state: State, blocks: Blocks, tools: Tools, catalog: Catalog) -> None:
        self._state = state
        self._blocks = blocks
        self._tools = tools
        self._catalog = catalog

    def create(self, body: object) -> Row:
        """Inline blocks are made first, and stay behind as orphans when a later part is refused."""
        sent = fields.parsed(body, fields.NEW_AGENT)
        derived = self._derived(None, sent)
        inline = [self._blocks.create_inline(each)["id"] for each in sent.get("memory_blocks", [])]
        now, tools = self._state.now(), self._tools_of_new(sent)
        row: Row = {
            **_DEFAULTS,
            **{name: value for name, value in sent.items() if name in _DEFAULTS},
            **derived,
            "tool_rules": [*derived.get("tool_rules", []), *rules.implied(sent, tools)],
            "id": self._state.new_id("agents"),
            "message_ids": [self._state.new_id("messages")],
            "tool_ids": [tool["id"] for tool in tools],
            "block_ids": self._first_of_each_label([*sent.get("block_ids", []), *inline]),
            "compiled_system": sent.get("system", ""),
            "created_at": now,
            "updated_at": now,
        }
        return self._shown(self._state.put("agents", row))

    def get(self, agent_id: str, include: Iterable[str] = shown.EVERYTHING) -> Row:
        return self._shown(self._state.get("agents", agent_id), include)

    def update(self, agent_id: str, body: object) -> Row:
        """Moves `updated_at` even when nothing differs. A new system text waits to be compiled."""
        sent = fields.parsed(body, fields.AGENT)
        agent = self._state.get("agents", agent_id)
        changes = {name: value for name, value in sent.items() if name not in _NOT_KEPT} | self._derived(agent, sent)
        if "block_ids" in sent:
            changes["block_ids"] = self._replaced_blocks(agent, sent["block_ids"])
        if "tool_ids" in sent:
            changes["tool_ids"] = self._replaced_tools(sent["tool_ids"])
        return self._shown(self._state.amend("agents", agent, **changes, updated_at=self._state.now()))

    def delete(self, agent_id: str) -> None:
        """Its runs and messages go with it; its blocks stay, attached to nobody."""
        self._state.get("agents", agent_id)
        for run in [each for each in self._state.tables["runs"].values() if each["agent_id"] == agent_id]:
            self._state.drop("runs", run["id"])
        for message_id in [*self._state.messages_of.get(agent_id, ())]:
            self._state.drop("messages", message_id)
        self._state.drop("agents", agent_id)

    def list(self, listing: Listing = ALL) -> Rows:
        rows = page(self._state.tables["agents"].values(), listing, ascending=False)
        return [self._shown(row, listing.include) for row in rows]

    def count(self, listing: Listing = ALL) -> int:
        return len(matching(self._state.tables["agents"].values(), listing))

    def holding(self, block_id: str, listing: Listing = ALL) -> Rows:
        return page(
            (self.get(key, listing.include) for key in self._blocks.holder_ids(block_id)), listing, ascending=False
        )

    def recompile(self, agent_id: str) -> str:
        """`updated_at` stays where it was."""
        agent = self._state.get("agents", agent_id)
        self._state.amend("agents", agent, compiled_system=agent["system"])
        return self.compiled(agent_id)

    def compiled(self, agent_id: str) -> str:
        """The prompt its next turn runs with. Over HTTP it is the `system_message` among the agent's messages."""
        return prompt.compiled(self._state.get("agents", agent_id), self.blocks_of(agent_id))

    def context(self, agent_id: str) -> Row:
        """Shows the system text as declared, compiled or not, like the real server's route."""
        agent = self._state.get("agents", agent_id)
        messages = self._state.messages_of.get(agent_id, ())
        return prompt.context(agent, self.blocks_of(agent_id), self.tools_of(agent_id), len(messages))

    def blocks_of(self, agent_id: str) -> Rows:
        return shown.held_blocks(self._state.tables, self._state.get("agents", agent_id))

    def list_blocks(self, agent_id: str, listing: Listing = ALL) -> Rows:
        """The blocks themselves, with their tags."""
        rows = [self._blocks.get(key) for key in self._state.get("agents", agent_id)["block_ids"]]
        return page(rows, listing, ascending=False)

    def memory(self, agent_id: str) -> Row:
        return shown.memory(self._state.get("agents", agent_id), self.blocks_of(agent_id))

    def block_labelled(self, agent_id: str, label: str) -> Row:
        for block in self.blocks_of(agent_id):
            if block["label"] == label:
                return self._blocks.get(block["id"])
        raise Refused(404, f"No block with label {label!r} found for agent {agent_id!r}")

    def attach_block(self, agent_id: str, block_id: str) -> Row:
        """Idempotent, but `updated_at` moves all the same; 409 where the agent holds another of that label."""
        agent = self._state.get("agents", agent_id)
        block = self._blocks.get(block_id)
        held: Ids = agent["block_ids"]
        if block_id not in held:
            if block["label"] in self._labels(held):
                raise Refused(409, f"Agent {agent_id} already holds a block labelled {block['label']!r}")
            held = [*held, block_id]
        return self._shown(self._state.amend("agents", agent, block_ids=held, updated_at=self._state.now()))

    def detach_block(self, agent_id: str, block_id: str) -> Row:
        agent = self._state.get("agents", agent_id)
        if block_id not in agent["block_ids"]:
            raise Refused(404, f"No block with id {block_id!r} found for agent {agent_id!r}")
        kept = [each for each in agent["block_ids"] if each != block_id]
        return self._shown(self._state.amend("agents", agent, block_ids=kept, updated_at=self._state.now()))

    def list_tools(self, agent_id: str, listing: Listing = ALL) -> Rows:
        return page(self.tools_of(agent_id), listing, ascending=False)

    def tools_of(self, agent_id: str) -> Rows:
        rows = self._state.tables["tools"]
        return [rows[key] for key in self._state.get("agents", agent_id)["tool_ids"]]

    def attach_tool(self, agent_id: str, tool_id: str) -> Row:
        """Tool routes are idempotent both ways and leave `updated_at` alone, unlike block routes."""
        agent = self._state.get("agents", agent_id)
        self._tools.get(tool_id)
        kept = agent["tool_ids"] if tool_id in agent["tool_ids"] else [*agent["tool_ids"], tool_id]
        return self._shown(self._state.amend("agents", agent, tool_ids=kept))

    def detach_tool(self, agent_id: str, tool_id: str) -> Row:
        agent = self._state.get("agents", agent_id)
        kept = [each for each in agent["tool_ids"] if each != tool_id]
        return self._shown(self._state.amend("agents", agent, tool_ids=kept))

    def _shown(self, agent: Row, include: Iterable[str] = shown.EVERYTHING) -> Row:
        return shown.shown(self._state.tables, agent, include)

    def _derived(self, agent: Row | None, sent: Row) -> Row:
        """The configs that follow from handles and settings; refuses what no agent can be given."""
        for key in sent.get("block_ids", []):
            self._state.check_id("blocks", key)
        config = self._llm_config(agent, sent)
        derived: Row = {"llm_config": config, "model": config["handle"]}
        if "tool_rules" in sent:
            derived["tool_rules"] = rules.written_out(sent["tool_rules"])
        if "embedding" in sent:
            derived["embedding_config"] = embedding_config(sent["embedding"])
        return derived

    def _llm_config(self, agent: Row | None, sent: Row) -> Row:
        """The server's own rule: any of the three fields alone rebuilds all of them from the handle."""
        handle = sent.get("model") or (agent["model"] if agent else None)
        if handle is None:
            raise Refused(400, "INVALID_ARGUMENT: Must specify either model or llm_config in request")
        if agent is None and "/" not in handle:
            raise Refused(400, "INVALID_ARGUMENT: The model handle should be in the format provider/model-name")
        config: Row | None = agent["llm_config"] if agent else None
        if config is None or any(name in sent for name in _LLM_FIELDS):
            config = self._catalog.llm_config(handle, sent.get("context_window_limit"), sent.get("max_tokens"))
        return with_settings(config, sent["model_settings"]) if "model_settings" in sent else config

    def _tools_of_new(self, sent: Row) -> Rows:
        kind = sent.get("agent_type", _DEFAULTS["agent_type"])
        base = _BASE_TOOLS.get(kind, ()) if sent.get("include_base_tools", True) else ()
        named = [self._tools.named(name) for name in (*base, *sent.get("tools", []))]
        known = self._state.tables["tools"]
        found = {tool["id"]: tool for tool in (*named, *map(known.get, sent.get("tool_ids", []))) if tool}
        if None in named or not all(key in found for key in sent.get("tool_ids", [])):
            raise Refused(400, f"Tools not found among {[*sent.get('tools', []), *sent.get('tool_ids', [])]}")
        return [*found.values()]

    def _replaced_tools(self, tool_ids: Ids) -> Ids:
        if not all(key in self._state.tables["tools"] for key in tool_ids):
            raise Refused(409, "insert or update on table tools_agents violates its foreign key")
        return [*dict.fromkeys(tool_ids)]

    def _replaced_blocks(self, agent: Row, block_ids: Ids) -> Ids:
        """As the real server does it: insert where the label is free, then delete what is not listed.

        So a block cannot be swapped for another of the same label in one PATCH: the new one finds its label taken
        and is dropped, the old one is deleted, and the agent is left with neither.
        """
        if not all(key in self._state.tables["blocks"] for key in block_ids):
            raise Refused(500, "An unknown error occurred")
        taken = self._first_of_each_label([*agent["block_ids"], *block_ids])
        return [key for key in taken if key in block_ids]

    def _first_of_each_label(self, block_ids: Ids) -> Ids:
        """One block per label, the first; an id that does not exist is ignored without a word."""
        known = self._state.tables["blocks"]
        by_label: dict[str, str] = {}
        for key in block_ids:
            if key in known:
                by_label.setdefault(known[key]["label"], key)
        return [*by_label.values()]

    def _labels(self, block_ids: Ids) -> set[str]:
        return {self._state.tables["blocks"][key]["label"] for key in block_ids}
