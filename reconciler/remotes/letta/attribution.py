"""Who made a live edit of a block? Letta names no last editor, so it is the agent only where its own calls prove it.

Proof: successful memory-tool calls of one agent on this block, since the last observation, whose arguments hold every
piece of text that the edit brought; or, where it only took text away, hold what was taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import cast

from reconciler.ports import Actor, Edit, Person
from reconciler.remotes.letta.client import Api
from reconciler.remotes.letta.known import Known
from reconciler.remotes.letta.wire import Json, handle, moment, one_line, table, text

MEMORY_TOOLS = frozenset(
    (
        "core_memory_append",
        "core_memory_replace",
        "memory_insert",
        "memory_replace",
        "memory_rethink",
        "memory_apply_patch",
        "memory",
        "edit_memory_block",
    )
)
NEWEST_MESSAGES = 100
MOST_HOLDERS = 20
_MOST_WORDS = 4_000
_NAMES_A_BLOCK = ("label", "path", "block_label", "block", "new_path")
# Quotes, brackets and commas belong to the document's syntax, not to what was said.
_WORD = re.compile(r"""\w+|[^\w\s"'\[\]{},=\\]""")


@dataclass(frozen=True)
class Call:
    """A memory tool that an agent called, and that succeeded: on which block, with what texts."""

    blocks: frozenset[str]
    texts: tuple[str, ...]


class Attribution:
    def __init__(self, api: Api, known: Known, somebody: Actor) -> None:
        self._api = api
        self._known = known
        self._somebody = somebody

    def explain(self, edits: Sequence[Edit], since: datetime | None) -> list[Actor]:
        """One actor per edit. Each agent's newest messages are read once, whatever the number of edits."""
        calls: dict[str, list[Call]] = {}
        return [self._actor(edit, since, calls) for edit in edits]

    def _actor(self, edit: Edit, since: datetime | None, calls: dict[str, list[Call]]) -> Actor:
        names = {text(edit.live.fields, "@label"), edit.live.ref.rpartition("/")[2]} - {""}
        for agent, name in self._holders(edit):
            if agent not in calls:
                rows = self._api.messages(agent, limit=NEWEST_MESSAGES, order="desc")
                calls[agent] = memory_calls(rows, since)
            said = [each for call in calls[agent] if call.blocks & names for each in call.texts]
            if explains(said, edit.before or "", edit.after):
                return Actor("agent", agent, Person(one_line(name, agent), f"{agent}@letta.invalid"), known=True)
        return self._somebody

    def _holders(self, edit: Edit) -> Iterator[tuple[str, str]]:
        """Agents that hold the block, those that moved last first: a turn moves its agent's `updated_at`."""
        if edit.live.ref.partition("/")[0] != "block":
            return
        notes = [(each, note) for each in edit.live.holders or () if (note := self._known.agent(each))]
        if notes:
            notes.sort(key=lambda pair: pair[1].moved, reverse=True)
            yield from ((agent, note.name) for agent, note in notes[:MOST_HOLDERS])
            return
        rows = sorted(self._api.holders(edit.live.handle), key=lambda row: text(row, "updated_at"), reverse=True)
        yield from ((handle(row), text(row, "name")) for row in rows[:MOST_HOLDERS] if handle(row))


def memory_calls(messages: Sequence[Json], since: datetime | None) -> list[Call]:
    """The successful memory calls among the messages. Their dates have whole seconds, so `since` is rounded down."""
    start = since.replace(microsecond=0) if since else None
    fresh = [row for row in messages if start is None or (at := moment(row.get("date"))) is None or at >= start]
    worked = {
        text(row, "tool_call_id")
        for row in fresh
        if text(row, "message_type") == "tool_return_message" and text(row, "status") == "success"
    }
    asked = [table(row.get("tool_call")) for row in fresh if text(row, "message_type") == "tool_call_message"]
    return [
        _call(each) for each in asked if text(each, "tool_call_id") in worked and text(each, "name") in MEMORY_TOOLS
    ]


def _call(asked: Json) -> Call:
    try:
        args: Mapping[str, object] = table(cast("object", json.loads(text(asked, "arguments"))))
    except ValueError:
        args = {}
    blocks = {text(args, name).rpartition("/")[2] for name in _NAMES_A_BLOCK}
    return Call(frozenset(blocks - {""}), tuple(_texts(args)))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in cast("Json", value).values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in cast("list[object]", value):
            yield from _texts(each)


def explains(said: Sequence[str], before: str, after: str) -> bool:
    """Whether the texts of the calls hold all that is new; or, where nothing is, all that was taken away.

    Compared word by word: a tool that writes a field puts its own quotes and brackets around what the agent said.
    """
    if not said:
        return False
    if after.strip() in (each.strip() for each in said):
        return True
    added, removed = _pieces(before, after)
    evidence = " ".join(f" {' '.join(_WORD.findall(each))} " for each in said)
    wanted = added or removed
    return bool(wanted) and all(f" {piece} " in evidence for piece in wanted)


def _pieces(before: str, after: str) -> tuple[list[str], list[str]]:
    """Runs of words that are new, and runs that are gone. A text too long to compare counts as new as a whole."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    if len(old) + len(new) > _MOST_WORDS:
        return [" ".join(new)], [" ".join(old)]
    added: list[str] = []
    removed: list[str] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            added += [" ".join(new[c:d])] if d > c else []
            removed += [" ".join(old[a:b])] if b > a else []
    return added, removed
