"""Tool rules: an agent's JSON objects as short words, and back. `exit:NAME continue:NAME first:NAME max:NAME:COUNT`."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.remotes.letta.wire import Json, number, rows, text

_WORDS = {"exit_loop": "exit", "continue_loop": "continue", "run_first": "first"}
_TYPES = {word: kind for kind, word in _WORDS.items()}
_COUNTED = "max_count_per_step"


def rules_shown(value: object) -> tuple[str, ...]:
    """Sorted, each once: the server lists some rules twice."""
    return tuple(sorted({_shown(rule) for rule in rows(value)}))


def rules_sent(words: Iterable[str]) -> list[dict[str, object]]:
    return [_sent(word) for word in words]


def _shown(rule: Json) -> str:
    kind, tool = text(rule, "type"), text(rule, "tool_name")
    if kind == _COUNTED:
        return f"max:{tool}:{number(rule, 'max_count_limit')}"
    return f"{_WORDS[kind]}:{tool}" if kind in _WORDS else f"other:{kind}:{tool}"


def _sent(word: str) -> dict[str, object]:
    kind, _, tool = word.partition(":")
    if kind in _TYPES and tool:
        return {"type": _TYPES[kind], "tool_name": tool}
    name, _, count = tool.rpartition(":")
    if kind == "max" and name and count.isdecimal():
        return {"type": _COUNTED, "tool_name": name, "max_count_limit": int(count)}
    raise ValueError(f"{word!r} is not a tool rule that can be written; use exit:, continue:, first: or max:NAME:COUNT")
