"""Which fields a request body may carry, and of which type. The server's reading rules live here, once:

unknown fields are ignored, `null` is ignored, NUL bytes are stripped, a wrong type is 422.
"""

from collections.abc import Mapping
from typing import Any, cast

from reconciler.embedded.letta.state import Refused, Row

Fields = Mapping[str, type]

BLOCK: Fields = {
    "value": str,
    "label": str,
    "limit": int,
    "description": str,
    "read_only": bool,
    "metadata": dict,
    "tags": list,
    "hidden": bool,
}

AGENT: Fields = {
    "name": str,
    "system": str,
    "description": str,
    "tags": list,
    "metadata": dict,
    "block_ids": list,
    "tool_ids": list,
    "tool_rules": list,
    "model": str,
    "embedding": str,
    "model_settings": dict,
    "context_window_limit": int,
    "max_tokens": int,
    "timezone": str,
    "message_buffer_autoclear": bool,
    "enable_sleeptime": bool,
    "hidden": bool,
}

NEW_AGENT: Fields = AGENT | {
    "agent_type": str,
    "memory_blocks": list,
    "tools": list,
    "include_base_tools": bool,
    "include_base_tool_rules": bool,
}

TOOL: Fields = {
    "source_code": str,
    "source_type": str,
    "description": str,
    "json_schema": dict,
    "args_json_schema": dict,
    "tags": list,
    "return_char_limit": int,
    "default_requires_approval": bool,
}

AGENT_TYPES = frozenset(
    {
        "memgpt_agent",
        "memgpt_v2_agent",
        "letta_v1_agent",
        "react_agent",
        "workflow_agent",
        "split_thread_agent",
        "sleeptime_agent",
        "voice_convo_agent",
        "voice_sleeptime_agent",
    }
)
_LISTS_OF_TEXT = frozenset({"tags", "block_ids", "tool_ids", "tools"})


def parsed(body: object, fields: Fields, required: tuple[str, ...] = ()) -> Row:
    """The known, non-null fields of a body, or `Refused(422)`."""
    if not isinstance(body, Mapping):
        raise Refused(422, "Input should be a valid dictionary")
    sent = cast(Mapping[str, Any], body)
    for name in required:
        if sent.get(name) is None:
            raise Refused(422, f"Field required: {name}")
    return {name: _checked(name, kind, sent[name]) for name, kind in fields.items() if sent.get(name) is not None}


def _checked(name: str, kind: type, value: Any) -> Any:
    # bool is an int to Python, but not to the server's validation of flags against numbers.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Refused(422, f"Input should be a valid {kind.__name__}: {name}")
    if name in _LISTS_OF_TEXT and not all(isinstance(each, str) for each in value):
        raise Refused(422, f"Input should be a valid string: {name}")
    if name == "agent_type" and value not in AGENT_TYPES:
        raise Refused(422, f"Input should be one of {sorted(AGENT_TYPES)}: agent_type")
    return _without_nul([*dict.fromkeys(value)] if name in _LISTS_OF_TEXT else value)


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "") if "\0" in value else value
    if isinstance(value, list):
        return [_without_nul(each) for each in cast(list[Any], value)]
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(each) for key, each in cast(Row, value).items()}
    return value
