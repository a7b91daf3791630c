"""The tables of the agent: what describes the course, its tools, its folders, its messages."""

from __future__ import annotations

from reconciler.manifest.course import Course, Folders, Messages, Rule, Tool
from reconciler.manifest.keys import Key, Table

LEGACY_RULES: dict[str, Rule] = {"exit_loop": "exit", "continue_loop": "continue", "run_first": "first"}
RULES: dict[str, Rule] = {"exit": "exit", "continue": "continue", "first": "first", **LEGACY_RULES}
"""Every spelling of a rule, both versions'."""

REGISTRY: dict[str, Rule] = {
    "send_message": "exit",
    "query_honcho": "continue",
    "edit_memory_block": "continue",
    "advance_lesson": "continue",
}
"""The rule of a tool that states none; a tool not listed here continues."""

TOOL_RULES = Table(
    "tool_rules",
    "[[agent.tools]] rules = { ... }",
    "Version 1's spelling of a tool's rule and of its limit.",
    (
        Key("type", "string", "The rule.", options=tuple(RULES), legacy=True),
        Key("max_count", "integer", "The most calls in one turn.", minimum=1, legacy=True),
    ),
    legacy=True,
)

TOOL = Table(
    "tool",
    "[agent] tools = [ ... ]",
    'A tool, as a table. The short forms are "name" and "name:rule".',
    (
        Key("name", "string", "The tool's name in Letta.", required=True, older="id"),
        Key(
            "rule",
            "string",
            "What the agent's loop does after the call: `exit` ends it, `continue` goes on, `first` has the tool run "
            "before all others. Undeclared: the registry's, and `continue` of tools it does not know.",
            options=tuple(RULES),
        ),
        Key("rules", "table", "Version 1's spelling of rule and max_count.", table=TOOL_RULES, legacy=True),
        Key("enabled", "boolean", "A tool that is not enabled is not given to the agent.", default=Tool.enabled),
        Key("max_count", "integer", "The most calls in one turn. Undeclared: no limit.", minimum=1),
    ),
    """tools = [
    "send_message",
    "query_honcho:first",
    { name = "plot", rule = "continue", max_count = 3, enabled = false },
]""",
)

FOLDERS = Table(
    "folders",
    "[agent.folders]",
    "Files the agent may read.",
    (
        Key("shared", "strings", "Names of folders all learners' agents see.", default=Folders.shared),
        Key("private", "boolean", "Whether each learner has a folder of their own.", default=Folders.private),
    ),
    '[agent.folders]\nshared = ["worksheets"]\nprivate = true',
)

IDENTITY = (
    Key("id", "string", "The course's identifier: kebab-case, the same as its folder's name.", required=True),
    Key("name", "string", "The name people see.", required=True),
    Key("version", "string", "The course's own version.", default=Course.version),
    Key("description", "string", "What the course is about.", default=Course.description),
    Key("modules", "strings", "The module files to load from modules/, without .toml.", default=Course.modules),
)

AGENT = Table(
    "agent",
    "[agent]",
    "The course and its agent.",
    (
        *IDENTITY,
        Key("model", "string", "The model's handle.", default=Course.model),
        Key("embedding", "string", "The embedding model's handle.", default=Course.embedding),
        Key("context_window", "integer", "The context window, in tokens.", default=Course.context_window, minimum=1),
        Key(
            "max_response_tokens",
            "integer",
            "The longest answer, in tokens.",
            default=Course.max_response_tokens,
            minimum=1,
        ),
        Key("system", "string", "The system prompt.", default=Course.system),
        Key("tools", "tools", "Exactly the tools the agent has.", default=Course.tools, table=TOOL),
        Key("folders", "table", "Files the agent may read.", table=FOLDERS),
    ),
    '[agent]\nid = "intro-statistics"\nname = "Introduction to Statistics"\nmodules = ["01-data"]\n'
    'system = "You are a patient statistics tutor."\ntools = ["send_message", "query_honcho"]',
)

COURSE = Table(
    "course",
    "[course]",
    "Version 1 kept what describes the course apart from [agent].",
    IDENTITY,
    '[course]\nid = "intro-statistics"\nname = "Introduction to Statistics"',
    legacy=True,
)

MESSAGES = Table(
    "messages",
    "[messages]",
    "What the user interface says.",
    (
        Key("welcome_first", "string", "To a learner who comes for the first time.", default=Messages.welcome_first),
        Key("welcome_returning", "string", "To a learner who comes back.", default=Messages.welcome_returning),
        Key("error_unavailable", "string", "When the agent cannot be reached.", default=Messages.error_unavailable),
        Key("suggestion_prompts", "strings", "Openings a learner can click.", default=Messages.suggestion_prompts),
    ),
    '[messages]\nwelcome_first = "Hello! What shall we count today?"',
)
