"""The tables of module files."""

from __future__ import annotations

from reconciler.manifest.course import Completion, Module, Step, StepAgent
from reconciler.manifest.keys import Key, Table

COMPLETION = Table(
    "completion",
    "[steps.completion]",
    "When a step counts as done: all of these together.",
    (
        Key(
            "required_fields",
            "strings",
            'Fields that must be filled in, as "block.field".',
            default=Completion.required_fields,
        ),
        Key("min_turns", "integer", "The least number of turns of conversation.", minimum=0),
        Key(
            "min_list_length", "integers by name", 'The least number of items, by "block.field".', default={}, minimum=0
        ),
        Key("auto_advance", "boolean", "Go on to the next step by itself.", default=Completion.auto_advance),
    ),
    '[steps.completion]\nrequired_fields = ["learner.name"]\nmin_turns = 2\nmin_list_length = { "learner.topics" = 1 }',
)

STEP_AGENT = Table(
    "step_agent",
    "[steps.agent]",
    "How the agent behaves during the step.",
    (
        Key("opening", "string", "What the agent says first."),
        Key("focus", "strings", "Topics to keep to.", default=StepAgent.focus),
        Key("guidance", "strings", "Advice to the agent.", default=StepAgent.guidance),
        Key("persona_overrides", "values by name", "Fields of the persona, for this step only.", default={}),
        Key("disabled_tools", "strings", "Tools not to be used in this step.", default=StepAgent.disabled_tools),
    ),
    """[steps.agent]
opening = "What have you measured lately?"
focus = ["units"]
persona_overrides = { tone = "brisk" }""",
)

STEP = Table(
    "step",
    "[[steps]]",
    "One step of the module. [[lessons]] is the older name.",
    (
        Key("id", "string", "The step's identifier, unique in the module.", required=True),
        Key("name", "string", "The name people see.", required=True),
        Key("order", "integer", "Its place; equal ones keep the order of the file.", default=Step.order),
        Key("description", "string", "What the step is about.", default=Step.description),
        Key("objectives", "strings", "What the learner should take away.", default=Step.objectives),
        Key("completion", "table", "When the step counts as done.", table=COMPLETION),
        Key("agent", "table", "How the agent behaves during the step.", table=STEP_AGENT),
    ),
    '[[steps]]\nid = "units"\nname = "Units"\nobjectives = ["Tell a unit from a number"]',
)

MODULE = Table(
    "module",
    "[module]",
    "What describes the module.",
    (
        Key("id", "string", "The module's identifier: the same as its file's name.", required=True),
        Key("name", "string", "The name people see.", required=True),
        Key("order", "integer", "Its place; equal ones keep the order of agent.modules.", default=Module.order),
        Key("description", "string", "What the module is about.", default=Module.description),
        Key("disabled_tools", "strings", "Tools not to be used in this module.", default=Module.disabled_tools),
    ),
    '[module]\nid = "01-data"\nname = "Data"\norder = 1\ndisabled_tools = ["query_honcho"]',
)

MODULE_FILE = Table(
    "module_file",
    "modules/<name>.toml",
    "One module of a course.",
    (
        Key("module", "table", "What describes the module.", required=True, table=MODULE),
        Key("steps", "tables", "The steps.", older="lessons", table=STEP),
    ),
)
