"""An agent: its JSON as a `Live`, and what a write of it sends."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.snapshot import Ref, Unreadable
from reconciler.core.value import Fields, Value
from reconciler.ports import Action, Live
from reconciler.remotes.letta.marks import is_mark, only_marks
from reconciler.remotes.letta.rules import rules_sent, rules_shown
from reconciler.remotes.letta.wire import Json, frozen, handle, number, rows, table, text, texts, thawed

METADATA = ("course", "course_version", "user", "compiled")
LLM = ("model", "context_window", "max_response_tokens")
_PLAIN = ("name", "description", "system", "embedding")


def live_agent(row: Json, ref: Ref, blocks: tuple[Ref, ...]) -> Live | Unreadable:
    """As the server shows it. `blocks`: the refs of those attached that are ours.

    No holders: a running turn writes back values of blocks only, never an agent's configuration (measured).
    """
    wanted = {"system": str, "tools": list, "tags": list, "llm_config": Mapping}
    damaged = [name for name, kind in wanted.items() if not isinstance(row.get(name), kind)]
    if damaged or not handle(row):
        return Unreadable(f"Letta shows this agent without {', '.join(damaged or ['an id'])}")
    return Live(ref, handle(row), None, _fields(row) | {"blocks": blocks}, frozenset())


def _fields(row: Json) -> dict[str, Value]:
    llm, embedding = table(row.get("llm_config")), table(row.get("embedding_config"))
    metadata = table(row.get("metadata"))
    return {
        "name": text(row, "name"),
        "description": text(row, "description"),
        "system": text(row, "system"),
        "model": text(row, "model") or text(llm, "handle"),
        "embedding": text(row, "embedding") or text(embedding, "handle"),
        "context_window": number(llm, "context_window"),
        "max_response_tokens": number(llm, "max_tokens"),
        # Each once: listing an agent's tools can yield duplicates.
        "tools": tuple(sorted({text(tool, "name") for tool in rows(row.get("tools"))})),
        "tool_rules": rules_shown(row.get("tool_rules")),
        "tags": only_marks(texts(row.get("tags"))),
        "metadata": {key: value for key in METADATA if (value := frozen(metadata.get(key))) is not None},
    }


def attached(row: Json) -> list[str]:
    return [found for block in rows(row.get("blocks")) if (found := handle(block))]


def new_agent(action: Action, tool_ids: list[str], block_ids: list[str]) -> dict[str, object]:
    """The body of a create: exactly the course's tools and rules, none of the server's own."""
    fields = action.fields
    body: dict[str, object] = {name: fields[name] for name in _PLAIN if fields.get(name)}
    body |= _llm({name: fields[name] for name in LLM if fields.get(name)})
    body |= {
        "tags": list(texts(thawed(fields.get("tags", ())))),
        "metadata": thawed(fields.get("metadata", {})),
        "tool_rules": rules_sent(texts(thawed(fields.get("tool_rules", ())))),
    }
    bare = {"include_base_tools": False, "include_base_tool_rules": False}
    return body | bare | {"tool_ids": tool_ids, "block_ids": block_ids}


def agent_changes(fields: Fields, now: Json, tool_ids: list[str] | None) -> dict[str, object]:
    """The body of a PATCH, without blocks and metadata. Lists are replaced whole, so what is not ours is repeated."""
    body: dict[str, object] = {name: thawed(fields[name]) for name in _PLAIN if name in fields}
    if any(name in fields for name in LLM):
        body |= _llm_changes(fields, now)
    if "tool_rules" in fields:
        body["tool_rules"] = rules_sent(texts(thawed(fields["tool_rules"])))
    if "tags" in fields:
        foreign = [tag for tag in texts(now.get("tags")) if not is_mark(tag)]
        body["tags"] = [*foreign, *texts(thawed(fields["tags"]))]
    return body if tool_ids is None else body | {"tool_ids": tool_ids}


def merged_metadata(now: Json, ours: Fields) -> dict[str, object]:
    """Metadata is replaced whole by a PATCH: everybody else's keys stay."""
    kept = {key: value for key, value in table(now.get("metadata")).items() if key not in METADATA}
    return kept | {key: thawed(value) for key, value in ours.items()}


def _llm(fields: Mapping[str, object]) -> dict[str, object]:
    names = {"model": "model", "context_window": "context_window_limit", "max_response_tokens": "max_tokens"}
    return {names[name]: value for name, value in fields.items()}


def _llm_changes(fields: Fields, now: Json) -> dict[str, object]:
    """Always all three: the server rebuilds its settings from the handle, and resets whichever was not sent.

    While the handle stays, the settings shown are sent back with the one change, so that a temperature
    somebody chose survives; `max_tokens` would reset it (letta 0.16.8).
    """
    shown = _fields(now)
    wanted = {name: value for name in LLM if (value := fields.get(name, shown[name]))}
    body = _llm(wanted)
    settings = table(now.get("model_settings"))
    if wanted.get("model") != shown["model"] or not text(settings, "provider_type"):
        return body
    limit = body.pop("max_tokens", None)
    return body | {"model_settings": {**settings} | ({"max_output_tokens": limit} if limit else {})}
