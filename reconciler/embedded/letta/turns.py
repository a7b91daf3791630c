"""Turns of an agent, with the trap.

A turn takes a snapshot of every block of its agent when it starts. Whenever it calls a memory tool, the whole
snapshot is written back, not only the block the tool edited: what others wrote meanwhile is reverted, and every
request involved was answered 200.
"""

import json
from collections.abc import Iterable

from reconciler.embedded.letta import memory, prompt, shown
from reconciler.embedded.letta.blocks import Blocks
from reconciler.embedded.letta.listing import Listing, history, page
from reconciler.embedded.letta.state import Refused, Row, Rows, State, is_active

_HIDDEN = "snapshot"
_NEWEST_100 = Listing(limit=100)


class Turns:
    """Runs and the messages they leave behind."""

    def __init__(self, state: State, blocks: Blocks) -> None:
        self._state = state
        self._blocks = blocks

    def begin(self, agent_id: str, text: str = "") -> str:
        """Start a turn: its run is active and its snapshot taken. Gives the run's id.

        The status stays `created` until the end: the real server's turns are never seen `running`.
        """
        agent = self._state.get("agents", agent_id)
        blocks = self._state.tables["blocks"]
        run: Row = {
            "id": self._state.new_id("runs"),
            "agent_id": agent_id,
            "status": "created",
            "created_at": self._state.now(),
            "completed_at": None,
            "background": False,
            "metadata": {"run_type": "send_message"},
            "stop_reason": None,
            "conversation_id": None,
            _HIDDEN: {key: blocks[key]["value"] for key in agent["block_ids"]},
        }
        self._state.put("runs", run)
        if text:
            self._say(run, "user_message", content=text)
        return run["id"]

    def call(self, run_id: str, tool: str, args: Row) -> Row:
        """Call one tool within the turn; gives the tool's return message, which may report an error.

        Calling `send_message` is how an agent speaks, so it shows as an assistant message, as the server shows it.
        """
        run = self._running(run_id)
        if tool == "send_message":
            return self._say(run, "assistant_message", content=str(args.get("message", "")))
        call = {"name": tool, "arguments": json.dumps(args), "tool_call_id": f"call_{self._state.new_id('messages')}"}
        self._say(run, "tool_call_message", tool_call=call, tool_calls=[call])
        status, text = self._perform(run, tool, args)
        returned: Row = {"tool_return": text, "status": status, "tool_call_id": call["tool_call_id"]}
        returned |= {"stdout": None, "stderr": None}
        listed = [{"type": "tool", **returned}]
        return self._say(run, "tool_return_message", name=tool, **returned, tool_returns=listed)

    def end(self, run_id: str, reply: str = "") -> Row:
        """End the turn. This, not the writes before it, moves the agent's `updated_at`."""
        run = self._running(run_id)
        if reply:
            self._say(run, "assistant_message", content=reply)
        now = self._state.now()
        agent = self._state.get("agents", run["agent_id"])
        self._state.amend("agents", agent, updated_at=now, last_run_completion=now, last_stop_reason="end_turn")
        ended = self._state.amend(
            "runs", run, status="completed", completed_at=now, stop_reason="end_turn", snapshot=None
        )
        return _shown(ended)

    def get(self, run_id: str) -> Row:
        return _shown(self._state.get("runs", run_id))

    def list(
        self, agent_id: str | None = None, *, statuses: Iterable[str] = (), active: bool = False, limit: int = 100
    ) -> Rows:
        """Newest first."""
        return self.page_of(Listing(limit=limit), agent_id, statuses=statuses, active=active)

    def page_of(
        self, listing: Listing, agent_id: str | None = None, *, statuses: Iterable[str] = (), active: bool = False
    ) -> Rows:
        rows = self._state.tables["runs"]
        wanted = frozenset(statuses)
        found = [rows[key] for key in (self._state.active_runs if active else rows)]
        found = [run for run in found if agent_id in (None, run["agent_id"])]
        found = [run for run in found if not wanted or run["status"] in wanted]
        return [_shown(run) for run in page(found, listing, ascending=False)]

    def messages(self, agent_id: str, listing: Listing = _NEWEST_100) -> Rows:
        """The newest ones, but within the page the oldest first; the very first is the compiled prompt."""
        agent = self._state.get("agents", agent_id)
        rows = self._state.tables["messages"]
        said = [self._prompt_of(agent), *(rows[key] for key in self._state.messages_of.get(agent_id, ()))]
        return history(said, listing)

    def messages_of_run(self, run_id: str) -> Rows:
        """In the order they were said."""
        agent_id = self._state.get("runs", run_id)["agent_id"]
        rows = self._state.tables["messages"]
        said = (rows[key] for key in self._state.messages_of.get(agent_id, ()))
        return [message for message in said if message["run_id"] == run_id]

    def _running(self, run_id: str) -> Row:
        run = self._state.get("runs", run_id)
        if not is_active(run):
            raise Refused(409, f"Run {run_id} has ended")
        return run

    def _perform(self, run: Row, tool: str, args: Row) -> tuple[str, str]:
        if tool not in memory.EDITS:
            return "success", "None"
        try:
            block = self._block(run, str(args.get("label")))
            value = memory.edited(tool, run[_HIDDEN][block["id"]], args)
        except memory.ToolError as error:
            return "error", str(error)
        snapshot = {**run[_HIDDEN], block["id"]: value}
        self._state.amend("runs", run, snapshot=snapshot)
        self._write_back(run["agent_id"], snapshot)
        return "success", value

    def _block(self, run: Row, label: str) -> Row:
        blocks = self._state.tables["blocks"]
        for key in run[_HIDDEN]:
            if key in blocks and blocks[key]["label"] == label:
                if blocks[key]["read_only"]:
                    raise memory.ToolError(f"Block {label} is read-only")
                return blocks[key]
        raise memory.ToolError(f"Block field {label} does not exist")

    def _write_back(self, agent_id: str, snapshot: dict[str, str]) -> None:
        """The trap. Values only, of the blocks held then and now: a read-only one is reverted like any other."""
        blocks = self._state.tables["blocks"]
        for key in self._state.get("agents", agent_id)["block_ids"]:
            if key in snapshot and blocks[key]["value"] != snapshot[key]:
                self._blocks.write(blocks[key], value=snapshot[key])

    def _say(self, run: Row, message_type: str, *, name: str | None = None, **content: object) -> Row:
        message = _message(self._state.new_id("messages"), run["agent_id"], self._state.now(), message_type)
        marks: Row = {"name": name, "run_id": run["id"], "step_id": self._state.new_step_id()}
        return self._state.put("messages", message | marks | content)

    def _prompt_of(self, agent: Row) -> Row:
        text = prompt.compiled(agent, shown.held_blocks(self._state.tables, agent))
        return _message(agent["message_ids"][0], agent["id"], agent["created_at"], "system_message") | {"content": text}


def _message(key: str, agent_id: str, at: str, message_type: str) -> Row:
    """What all messages have. Their dates are whole seconds, so they cannot order messages."""
    return {
        "id": key,
        "agent_id": agent_id,
        "date": f"{at[:19]}+00:00",
        "name": None,
        "message_type": message_type,
        "otid": None,
        "sender_id": None,
        "step_id": None,
        "is_err": None,
        "seq_id": None,
        "run_id": None,
    }


def _shown(run: Row) -> Row:
    return {name: value for name, value in run.items() if name != _HIDDEN}
