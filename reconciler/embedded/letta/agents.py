"""Agents: what they declare, which blocks and tools they hold, and what a request shows of them."""

from collections.abc import Iterable

from reconciler.embedded.letta import fields, prompt
from reconciler.embedded.letta.blocks import Blocks
from reconciler.embedded.letta.catalog import Catalog, embedding_config, settings_of, with_settings
from reconciler.embedded.letta.listing import ALL, Listing, matching, page
from reconciler.embedded.letta.state import Ids, Refused, Row, Rows, State
from reconciler.embedded.letta.tools import Tools

EVERYTHING = ("agent.blocks", "agent.tags", "agent.tools")

# Attached to an agent that asks for the base tools, which is the default.
_BASE_TOOLS = ("send_message", "conversation_search", "memory_insert", "memory_replace")
_DEFAULTS: Row = {
    "name": "Agent",
    "system": "",
    "agent_type": "memgpt_v2_agent",
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
    "message_ids": [],
    "last_run_completion": None,
    "last_run_duration_ms": None,
    "last_stop_reason": None,
    "project_id": None,
    "created_by_id": None,
    "last_updated_by_id": None,
}
_HIDDEN = ("block_ids", "tool_ids", "compiled_system")
_LLM_FIELDS = ("model", "context_window_limit", "max_tokens")


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
        now, key = self._state.now(), self._state.new_id("agents")
        row: Row = {
            **_DEFAULTS,
            **{name: sent[name] for name in fields.AGENT if name in sent and name not in ("model_settings",)},
            **derived,
            "id": key,
            "tool_ids": self._tool_ids(sent),
            "block_ids": self._first_of_each_label(self._attachable(sent.get("block_ids", [])), inline),
            "compiled_system": sent.get("system", ""),
            "created_at": now,
            "updated_at": now,
        }
        return self.shown(self._state.put("agents", _without_llm_fields(row)))

    def get(self, agent_id: str, include: Iterable[str] = EVERYTHING) -> Row:
        return self.shown(self._state.get("agents", agent_id), include)

    def update(self, agent_id: str, body: object) -> Row:
        """Moves `updated_at` even when nothing differs. A new system text waits for `recompile`."""
        sent = fields.parsed(body, fields.AGENT)
        agent = self._state.get("agents", agent_id)
        row = {**agent, **sent, **self._derived(agent, sent), "updated_at": self._state.now()}
        if "block_ids" in sent:
            row["block_ids"] = self._attachable(sent["block_ids"])
        if "tool_ids" in sent:
            row["tool_ids"] = self._known_tools(sent["tool_ids"])
        row.pop("model_settings", None)
        return self.shown(self._state.put("agents", _without_llm_fields(row)))

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
        return [self.shown(row, listing.include) for row in rows]

    def count(self, listing: Listing = ALL) -> int:
        return len(matching(self._state.tables["agents"].values(), listing))

    def recompile(self, agent_id: str) -> str:
        """`updated_at` stays where it was."""
        agent = self._state.get("agents", agent_id)
        self._state.amend("agents", agent, compiled_system=agent["system"])
        return self.compiled(agent_id)

    def compiled(self, agent_id: str) -> str:
        return prompt.compiled(self._state.get("agents", agent_id), self.blocks_of(agent_id))

    def context(self, agent_id: str) -> Row:
        agent = self._state.get("agents", agent_id)
        messages = self._state.messages_of.get(agent_id, ())
        return prompt.context(agent, self.blocks_of(agent_id), self.tools_of(agent_id), len(messages))

    def blocks_of(self, agent_id: str) -> Rows:
        rows = self._state.tables["blocks"]
        return [rows[key] for key in self._state.get("agents", agent_id)["block_ids"]]

    def block_labelled(self, agent_id: str, label: str) -> Row:
        for block in self.blocks_of(agent_id):
            if block["label"] == label:
                return block
        raise Refused(404, f"Block not found with label={label!r} on agent {agent_id}")

    def attach_block(self, agent_id: str, block_id: str) -> Row:
        agent = self._state.get("agents", agent_id)
        self._blocks.get(block_id)
        held: Ids = agent["block_ids"]
        kept = held if block_id in held else self._attachable([*held, block_id])
        return self.shown(self._state.amend("agents", agent, block_ids=kept, updated_at=self._state.now()))

    def detach_block(self, agent_id: str, block_id: str) -> Row:
        agent = self._state.get("agents", agent_id)
        self._blocks.get(block_id)
        if block_id not in agent["block_ids"]:
            raise Refused(404, f"Block {block_id} is not attached to agent {agent_id}")
        kept = [each for each in agent["block_ids"] if each != block_id]
        return self.shown(self._state.amend("agents", agent, block_ids=kept, updated_at=self._state.now()))

    def tools_of(self, agent_id: str) -> Rows:
        rows = self._state.tables["tools"]
        return [rows[key] for key in self._state.get("agents", agent_id)["tool_ids"]]

    def attach_tool(self, agent_id: str, tool_id: str) -> Row:
        """Tool routes leave `updated_at` alone, unlike block routes."""
        agent = self._state.get("agents", agent_id)
        self._tools.get(tool_id)
        kept = agent["tool_ids"] if tool_id in agent["tool_ids"] else [*agent["tool_ids"], tool_id]
        return self.shown(self._state.amend("agents", agent, tool_ids=kept))

    def detach_tool(self, agent_id: str, tool_id: str) -> Row:
        agent = self._state.get("agents", agent_id)
        self._tools.get(tool_id)
        kept = [each for each in agent["tool_ids"] if each != tool_id]
        return self.shown(self._state.amend("agents", agent, tool_ids=kept))

    def shown(self, agent: Row, include: Iterable[str] = EVERYTHING) -> Row:
        """As a response body. What is not included is there, empty: an empty list is not "none"."""
        wanted = frozenset(include)
        with_blocks = "agent.blocks" in wanted
        blocks: Rows = [self._state.tables["blocks"][key] for key in agent["block_ids"]] if with_blocks else []
        # Including the blocks brings the tags too.
        tags: Ids = agent["tags"] if with_blocks or "agent.tags" in wanted else []
        tools: Rows = []
        if "agent.tools" in wanted:
            tools = [self._state.tables["tools"][key] for key in agent["tool_ids"]]
        shown = {**agent, "tags": tags, "blocks": blocks, "tools": tools, "sources": [], "identity_ids": []}
        shown["memory"] = {"blocks": blocks, "file_blocks": [], "prompt_template": ""}
        shown["model_settings"] = settings_of(agent["llm_config"])
        for name in _HIDDEN:
            del shown[name]
        return shown

    def _derived(self, agent: Row | None, sent: Row) -> Row:
        """The configs that follow from handles and settings, and the rules once they are checked."""
        fields.check_rules(sent.get("tool_rules", []))
        derived: Row = {}
        config = self._llm_config(agent, sent)
        if config is not None:
            derived |= {"llm_config": config, "model": config["handle"]}
        if "embedding" in sent:
            derived["embedding_config"] = embedding_config(sent["embedding"])
        return derived

    def _llm_config(self, agent: Row | None, sent: Row) -> Row | None:
        """The server's own rule: any of the three fields alone rebuilds all of them from the handle."""
        handle = sent.get("model") or (agent["model"] if agent else None)
        if handle is None:
            raise Refused(400, "Must specify either model or llm_config in request")
        config: Row | None = agent["llm_config"] if agent else None
        if config is None or any(name in sent for name in _LLM_FIELDS):
            config = self._catalog.llm_config(handle, sent.get("context_window_limit"), sent.get("max_tokens"))
        return with_settings(config, sent.get("model_settings", {}))

    def _tool_ids(self, sent: Row) -> Ids:
        base = _BASE_TOOLS if sent.get("include_base_tools", True) else ()
        named: dict[str, None] = {}
        for name in (*base, *sent.get("tools", [])):
            tool = self._tools.named(name)
            if tool is None:
                raise Refused(400, f"Tools not found: {name}")
            named[tool["id"]] = None
        return [*dict.fromkeys([*named, *self._known_tools(sent.get("tool_ids", []))])]

    def _known_tools(self, tool_ids: Ids) -> Ids:
        for tool_id in tool_ids:
            self._tools.get(tool_id)
        return [*dict.fromkeys(tool_ids)]

    def _attachable(self, block_ids: Iterable[str]) -> Ids:
        """The ids that exist, each once (a missing one is ignored without a word); 409 for a label held twice."""
        known = self._state.tables["blocks"]
        keys = [key for key in dict.fromkeys(block_ids) if key in known]
        labels = [known[key]["label"] for key in keys]
        if len(set(labels)) < len(labels):
            raise Refused(409, f"An agent cannot hold two blocks with one label: {sorted(labels)}")
        return keys

    def _first_of_each_label(self, attached: Ids, inline: Ids) -> Ids:
        """On create an inline block and an attached one may share a label; the server keeps one of them."""
        known = self._state.tables["blocks"]
        by_label = {known[key]["label"]: key for key in reversed([*attached, *inline])}
        return [key for key in [*attached, *inline] if by_label[known[key]["label"]] == key]


def _without_llm_fields(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("context_window_limit", "max_tokens")}
