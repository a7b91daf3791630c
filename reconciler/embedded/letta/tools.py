"""Tools: the base tools every server has, and custom ones made from Python source."""

import ast
import hashlib

from reconciler.embedded.letta import fields
from reconciler.embedded.letta.listing import ALL, Listing, matching, page
from reconciler.embedded.letta.state import Refused, Row, Rows, State

# Every server has these; the kind is what `tool_type` says.
BASE_TOOLS = {
    "send_message": "letta_core",
    "conversation_search": "letta_core",
    "archival_memory_insert": "letta_core",
    "archival_memory_search": "letta_core",
    "core_memory_append": "letta_memory_core",
    "core_memory_replace": "letta_memory_core",
    "memory_insert": "letta_sleeptime_core",
    "memory_replace": "letta_sleeptime_core",
    "memory_rethink": "letta_sleeptime_core",
    "memory_finish_edits": "letta_sleeptime_core",
    "run_code": "letta_builtin",
    "web_search": "letta_builtin",
    "fetch_webpage": "letta_builtin",
}

_PLENTY = Listing(limit=None)
_UNDERIVED = "Failed to derive json schema: Schema generation failed"


class Tools:
    """Upsert by name; a source without a documented function is refused."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add_base_tools(self) -> None:
        for name, kind in BASE_TOOLS.items():
            if self.named(name) is None:
                self._state.put("tools", _tool_row(self._state.new_id("tools"), name, kind))

    def upsert(self, body: object) -> Row:
        """The same function name is the same tool, and keeps its id."""
        sent = fields.parsed(body, fields.TOOL, required=("source_code",))
        function = _documented_function(sent["source_code"])
        known = self.named(function.name)
        base = known or _tool_row(self._state.new_id("tools"), function.name, "custom")
        return self._state.put("tools", {**base, **_derived(function, sent), **sent})

    def get(self, tool_id: str) -> Row:
        return self._state.get("tools", tool_id)

    def delete(self, tool_id: str) -> None:
        if tool_id not in self._state.tables["tools"]:
            raise Refused(400, f"Tool with id {tool_id} not found.")
        for agent in [each for each in self._state.tables["agents"].values() if tool_id in each["tool_ids"]]:
            self._state.amend("agents", agent, tool_ids=[each for each in agent["tool_ids"] if each != tool_id])
        self._state.drop("tools", tool_id)

    def named(self, name: str) -> Row | None:
        return next((tool for tool in self._state.tables["tools"].values() if tool["name"] == name), None)

    def list(self, listing: Listing = _PLENTY) -> Rows:
        """Unlike other lists, a limit of 0 is an empty page here."""
        return page(self._state.tables["tools"].values(), listing, ascending=False) if listing.limit != 0 else []

    def count(self, listing: Listing = ALL) -> int:
        return len(matching(self._state.tables["tools"].values(), listing))


def _documented_function(source: str) -> ast.FunctionDef:
    try:
        functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError) as error:
        raise Refused(400, f"{_UNDERIVED}: Failed to parse source code: {error}") from error
    if not functions:
        raise Refused(400, f"{_UNDERIVED}: No functions found in source code")
    if not ast.get_docstring(functions[-1]):
        raise Refused(400, f"{_UNDERIVED}: Function {functions[-1].name} missing docstring")
    return functions[-1]


def _derived(function: ast.FunctionDef, sent: Row) -> Row:
    description = (ast.get_docstring(function) or "").partition("\n\n")[0]
    names = [arg.arg for arg in function.args.args if arg.arg not in ("self", "agent_state")]
    parameters = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": names}
    digest = hashlib.sha256(sent["source_code"].encode()).hexdigest()[:12]
    return {
        "description": description,
        "json_schema": {"name": function.name, "description": description, "parameters": parameters},
        "metadata_": {"tool_hash": digest},
    }


def _tool_row(tool_id: str, name: str, kind: str) -> Row:
    return {
        "id": tool_id,
        "name": name,
        "tool_type": kind,
        "source_type": "python",
        "source_code": None,
        "description": f"The built-in tool {name}.",
        "json_schema": {"name": name, "parameters": {"type": "object", "properties": {}, "required": []}},
        "args_json_schema": None,
        "tags": [kind],
        "return_char_limit": 50_000,
        "pip_requirements": None,
        "npm_requirements": None,
        "default_requires_approval": None,
        "enable_parallel_execution": False,
        "created_by_id": None,
        "last_updated_by_id": None,
        "metadata_": {},
        "project_id": None,
    }
