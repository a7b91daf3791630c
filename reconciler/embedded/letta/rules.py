"""Tool rules: written out in full as the server writes them, and the ones it adds on its own to a new agent."""

from typing import Any, cast

from reconciler.embedded.letta.state import Refused, Row, Rows

# The wire's names (`exit_loop`), not class names, and what each shows when it is not given.
_SHOWN: dict[str, Row] = {
    "exit_loop": {},
    "continue_loop": {},
    "run_first": {"args": None},
    "constrain_child_tools": {"child_arg_nodes": None},
    "parent_last_tool": {},
    "conditional": {"default_child": None, "require_output_mapping": False},
    "max_count_per_step": {},
    "required_before_exit": {},
    "requires_approval": {},
}
_NEEDED = {
    "constrain_child_tools": "children",
    "parent_last_tool": "children",
    "conditional": "child_output_mapping",
    "max_count_per_step": "max_count_limit",
}
_CONTINUE_AFTER = frozenset({"letta_core", "letta_memory_core", "letta_sleeptime_core"})


def written_out(rules: list[Any]) -> Rows:
    """Each different rule in full; 422 for a kind that does not exist. Whether its tool exists is nobody's business."""
    written = [_written_out(rule) for rule in rules]
    return [rule for at, rule in enumerate(written) if rule not in written[:at]]


def implied(sent: Row, tools: Rows) -> Rows:
    """Rules for built-in tools that a create gets unasked, wherever it says more than the defaults.

    A new agent therefore shows more rules than were sent, unless `include_base_tool_rules` is false. A PATCH sets
    exactly what it says.
    """
    plain = sent.get("include_base_tools", True) and sent.get("agent_type", "letta_v1_agent") == "letta_v1_agent"
    by_default = bool(sent.get("tool_rules")) or not plain
    if not sent.get("include_base_tool_rules", by_default):
        return []
    kinds = {"send_message": "exit_loop"}
    return [
        _written_out({"tool_name": tool["name"], "type": kinds.get(tool["name"], "continue_loop")})
        for tool in tools
        if tool["tool_type"] in _CONTINUE_AFTER
    ]


def _written_out(rule: Any) -> Row:
    sent: Row = cast(Row, rule) if isinstance(rule, dict) else {}
    kind = sent.get("type")
    if kind not in _SHOWN or not isinstance(sent.get("tool_name"), str):
        raise Refused(422, f"Input tag {kind!r} found using 'type' does not match any of the expected tags")
    if kind in _NEEDED and _NEEDED[kind] not in sent:
        raise Refused(422, f"Field required: {_NEEDED[kind]}")
    return {"tool_name": sent["tool_name"], "type": kind, "prompt_template": None, **_SHOWN[kind], **sent}
