"""What is kept of a listing's rows: a whole agent is ten kilobytes, most of it sources of tools and blocks again."""

from __future__ import annotations

import sys

from reconciler.remotes.letta.wire import Json, rows, table, text

_NAMES = ("id", "name", "description", "model", "embedding", "created_at", "updated_at")
_AGENT = (*_NAMES, "system", "tool_rules", "tags", "metadata", "model_settings")
_BLOCK = ("id", "value", "label", "description", "limit", "read_only", "tags")
_LLM = ("handle", "context_window", "max_tokens")


def slim_agent(row: Json) -> Json:
    """Only what is read of an agent. The system text is one string for all agents of a course."""
    slim = {key: row[key] for key in _AGENT if key in row}
    if isinstance(system := slim.get("system"), str):
        slim["system"] = sys.intern(system)
    for name, keys in (("llm_config", _LLM), ("embedding_config", ("handle",))):
        if name in row:
            slim[name] = {key: each for key in keys if (each := table(row[name]).get(key)) is not None}
    if isinstance(row.get("tools"), list):
        slim["tools"] = [{"name": sys.intern(text(tool, "name"))} for tool in rows(row["tools"])]
    return slim | {"blocks": [slim_block(block) for block in rows(row.get("blocks"))]}


def slim_block(row: Json) -> Json:
    return {key: row[key] for key in _BLOCK if key in row}
