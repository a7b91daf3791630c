"""Pages of a listing, parsed once for as long as the server sends the same bytes.

A no-op read is mostly the same bytes again: comparing a digest costs a tenth of parsing them. What is kept of a row is
what this package reads of it; a whole agent is ten kilobytes, most of it sources of tools and its blocks again.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from reconciler.remotes.letta.wire import Json, rows, table, text

MOST_PAGES = 512
_WORTH_KEEPING = 4_000
_NAMES = ("id", "name", "description", "model", "embedding", "created_at", "updated_at")
_AGENT = (*_NAMES, "system", "tool_rules", "tags", "metadata", "model_settings")
_BLOCK = ("id", "value", "label", "description", "limit", "read_only", "tags")
_LLM = ("handle", "context_window", "max_tokens")


class Pages:
    """The newest pages, each with the digest of the bytes it was parsed from. Rows are shared: nobody changes one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[bytes, list[Json]]] = OrderedDict()

    def parsed(self, key: Hashable, content: bytes, parse: Callable[[], list[Json]]) -> list[Json]:
        if len(content) < _WORTH_KEEPING:
            return parse()
        digest = hashlib.blake2b(content, digest_size=32).digest()
        with self._lock:
            kept = self._kept.get(key)
            if kept and kept[0] == digest:
                self._kept.move_to_end(key)
                return kept[1]
        found = parse()
        with self._lock:
            self._kept[key] = (digest, found)
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_PAGES:
                self._kept.popitem(last=False)
        return found


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
