"""The whole stand-in as one pure state machine: no HTTP, no threads; ids and time come from outside.

`letta.agents`, `letta.blocks`, `letta.tools` and `letta.turns` take request bodies and give response bodies, or raise
`Refused` with the status the real server answers. The same seed and calls give the same ids, times and rows.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from reconciler.embedded.letta.agents import Agents
from reconciler.embedded.letta.blocks import Blocks
from reconciler.embedded.letta.catalog import LLMS, Catalog, Llm
from reconciler.embedded.letta.listing import ALL, Listing
from reconciler.embedded.letta.state import Refused, Row, State, Table, seeded_uuids, ticking
from reconciler.embedded.letta.tools import Tools
from reconciler.embedded.letta.turns import Turns

__all__ = ["ALL", "Letta", "Listing", "Llm", "Refused", "Row"]


class Letta:
    """One server's worth of agents, blocks, tools, runs and messages."""

    def __init__(
        self,
        seed: int = 0,
        *,
        new_uuid: Callable[[], UUID] | None = None,
        now: Callable[[], datetime] | None = None,
        llms: Iterable[Llm] = LLMS,
    ) -> None:
        self.state = State(new_uuid or seeded_uuids(seed), now or ticking())
        self.catalog = Catalog(llms)
        self.blocks = Blocks(self.state)
        self.tools = Tools(self.state)
        self.agents = Agents(self.state, self.blocks, self.tools, self.catalog)
        self.turns = Turns(self.state, self.blocks)
        self.tools.add_base_tools()

    def begin_turn(self, agent_id: str, text: str = "") -> str:
        """A run of the agent becomes active and remembers the value of each of its blocks; gives the run's id."""
        return self.turns.begin(agent_id, text)

    def tool_call(self, run_id: str, tool: str, args: Row) -> Row:
        """The turn calls a tool. A memory tool writes the turn's whole snapshot back."""
        return self.turns.call(run_id, tool, args)

    def end_turn(self, run_id: str, reply: str = "") -> Row:
        return self.turns.end(run_id, reply)

    def snapshot(self) -> dict[str, Table]:
        """Everything, to `restore` later. Cheap: rows are shared, since rows are replaced and never changed."""
        return self.state.snapshot()

    def restore(self, tables: dict[str, Table]) -> None:
        """As a server restored from a backup; with `{}`, a wiped one, which has its base tools again."""
        self.state.load(tables)
        self.tools.add_base_tools()
