"""The memory tools an agent calls, as functions from a block's value to its next value."""

from collections.abc import Callable

from reconciler.embedded.letta.state import Row


class ToolError(Exception):
    """The tool refuses; the agent sees the message and nothing is written."""


def edited(tool: str, value: str, args: Row) -> str:
    """The value after one call of a tool named in `EDITS`."""
    try:
        return EDITS[tool](value, args).replace("\0", "")
    except KeyError as missing:
        raise ToolError(f"{tool} is missing the argument {missing}") from missing


def _appended(value: str, args: Row) -> str:
    return f"{value}\n{args['content']}"


def _replaced_everywhere(value: str, args: Row) -> str:
    if args["old_content"] not in value:
        raise ToolError(f"Old content {args['old_content']!r} not found in memory block")
    return value.replace(args["old_content"], args["new_content"])


def _replaced_once(value: str, args: Row) -> str:
    old = _either(args, "old_string", "old_str")
    found = value.count(old)
    if found != 1:
        raise ToolError(f"old_str occurs {found} times in the memory block and must occur once")
    return value.replace(old, _either(args, "new_string", "new_str"))


def _inserted(value: str, args: Row) -> str:
    """After line `insert_line`: 0 is the beginning, -1 (the default) the end."""
    lines = value.split("\n")
    line = args.get("insert_line", -1)
    if not isinstance(line, int) or not -1 <= line <= len(lines):
        raise ToolError(f"insert_line {line!r} must be between -1 and {len(lines)}")
    at = len(lines) if line == -1 else line
    return "\n".join([*lines[:at], *_either(args, "new_string", "new_str").split("\n"), *lines[at:]])


def _either(args: Row, name: str, other: str) -> str:
    """Letta has named these arguments both ways; the server at hand says `new_string`."""
    return str(args[name] if name in args or other not in args else args[other])


def _rewritten(_value: str, args: Row) -> str:
    return str(args["new_memory"])


EDITS: dict[str, Callable[[str, Row], str]] = {
    "core_memory_append": _appended,
    "core_memory_replace": _replaced_everywhere,
    "memory_insert": _inserted,
    "memory_replace": _replaced_once,
    "memory_rethink": _rewritten,
}
