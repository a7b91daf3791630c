"""An agent as a response body shows it.

What a request does not include is there all the same, but empty: an empty list is not "none". Blocks shown inside
an agent never carry their tags; only the block routes tell them.
"""

from collections.abc import Iterable

from reconciler.embedded.letta.catalog import settings_of
from reconciler.embedded.letta.state import Ids, Row, Rows, Table

EVERYTHING = ("agent.blocks", "agent.tags", "agent.tools")
INCLUDABLE = frozenset(
    {*EVERYTHING, "agent.identities", "agent.managed_group", "agent.pending_approval", "agent.secrets", "agent.sources"}
)
_HIDDEN = ("block_ids", "tool_ids", "compiled_system")


def shown(tables: dict[str, Table], agent: Row, include: Iterable[str] = EVERYTHING) -> Row:
    """The agent with the relations asked for. Including the blocks brings the tags too."""
    wanted = frozenset(include)
    blocks: Rows = held_blocks(tables, agent) if "agent.blocks" in wanted else []
    tags: Ids = agent["tags"] if wanted & {"agent.blocks", "agent.tags"} else []
    tools: Rows = [tables["tools"][key] for key in agent["tool_ids"]] if "agent.tools" in wanted else []
    body: Row = {**_EMPTY, **agent, "tags": tags, "blocks": blocks, "tools": tools}
    body["memory"] = memory(agent, blocks)
    body["model_settings"] = settings_of(agent["llm_config"])
    for name in _HIDDEN:
        del body[name]
    return body


def held_blocks(tables: dict[str, Table], agent: Row) -> Rows:
    return [{**tables["blocks"][key], "tags": []} for key in agent["block_ids"]]


def memory(agent: Row, blocks: Rows) -> Row:
    return {
        "agent_type": agent["agent_type"],
        "git_enabled": False,
        "blocks": blocks,
        "file_blocks": [],
        "prompt_template": "",
    }


# Parts of the answer this stand-in has nothing to say about.
_EMPTY: Row = {
    "base_template_id": None,
    "compaction_settings": None,
    "deployment_id": None,
    "entity_id": None,
    "identities": [],
    "identity_ids": [],
    "managed_group": None,
    "max_files_open": 10,
    "multi_agent_group": None,
    "pending_approval": None,
    "per_file_view_window_char_limit": 25_000,
    "response_format": None,
    "secrets": [],
    "sources": [],
    "template_id": None,
    "tool_exec_environment_variables": [],
}
