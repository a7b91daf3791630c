"""What a course is, once read: frozen values that say nothing about how the TOML was spelt.

Version 1 and version 2 files end as equal values here, so nothing above this module knows of versions.
Defaults live here and nowhere else; the schema table quotes them. Reading is `load.py`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal

FieldType = Literal["string", "int", "float", "bool", "list", "datetime"]
BlockScope = Literal["course", "user", "shared"]
Rule = Literal["exit", "continue", "first"]
QueryScope = Literal["all", "recent", "current", "specific"]
Merge = Literal["append", "replace", "llm_diff"]

Scalar = str | int | float | bool | datetime | date | time
Value = Scalar | tuple[Scalar, ...] | None
"""What one field can hold. `None` is only the default of a datetime nobody has set: TOML has no null."""

EMPTY: Mapping[FieldType, Value] = {
    "string": "",
    "int": 0,
    "float": 0.0,
    "bool": False,
    "list": (),
    "datetime": None,
}
"""The default of a field that declares none."""


@dataclass(frozen=True)
class Field:
    """One key of a block's document, and which values it may hold."""

    name: str
    type: FieldType = "string"
    default: Value = ""
    options: tuple[Scalar, ...] | None = None
    max: int | None = None
    description: str | None = None
    required: bool = False


@dataclass(frozen=True)
class Block:
    """A memory block. `name` is its name in git and in query targets, `label` its name in Letta."""

    name: str
    label: str
    description: str = ""
    shared: bool = False
    scope: BlockScope = "course"
    limit: int | None = None
    read_only: bool = False
    was: str | None = None
    fields: Mapping[str, Field] = field(default_factory=dict[str, Field])

    @property
    def is_prose(self) -> bool:
        """Without declared fields a block is one Markdown text, not a TOML document."""
        return not self.fields


@dataclass(frozen=True)
class Tool:
    """A tool the agent may call, and what its loop does after the call."""

    name: str
    rule: Rule = "continue"
    enabled: bool = True
    max_count: int | None = None


@dataclass(frozen=True)
class Query:
    """A question a task asks about the conversations, and the field its answer goes to."""

    block: str
    field: str
    question: str
    id: str | None = None
    scope: QueryScope = "all"
    recent_limit: int = 5
    merge: Merge = "append"


@dataclass(frozen=True)
class Task:
    """Background work: when it runs, for whom, and what it asks."""

    name: str
    schedule: str | None = None
    manual: bool = True
    on_idle: bool = False
    idle_threshold_minutes: int = 30
    idle_cooldown_minutes: int = 60
    after_messages: int | None = None
    agent_types: tuple[str, ...] = ("tutor",)
    user_filter: str = "all"
    batch_size: int = 50
    queries: tuple[Query, ...] = ()
    system: str | None = None
    tools: tuple[Tool, ...] = ()
    enabled: bool = True


@dataclass(frozen=True)
class Completion:
    """When a step counts as done. Fields are named `block.field`, by the block's name."""

    required_fields: tuple[str, ...] = ()
    min_turns: int | None = None
    min_list_length: Mapping[str, int] = field(default_factory=dict[str, int])
    auto_advance: bool = False


@dataclass(frozen=True)
class StepAgent:
    """How the agent behaves during one step."""

    opening: str | None = None
    focus: tuple[str, ...] = ()
    guidance: tuple[str, ...] = ()
    persona_overrides: Mapping[str, Value] = field(default_factory=dict[str, Value])
    disabled_tools: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step of a module; the older word for it is lesson."""

    id: str
    name: str
    order: int = 0
    description: str = ""
    objectives: tuple[str, ...] = ()
    completion: Completion = Completion()
    agent: StepAgent = StepAgent()


@dataclass(frozen=True)
class Module:
    """One module file: its steps in the order they are taken."""

    id: str
    name: str
    order: int = 0
    description: str = ""
    disabled_tools: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Messages:
    """What the user interface says on the course's behalf."""

    welcome_first: str = "Hello! How can I help you today?"
    welcome_returning: str = "Welcome back!"
    error_unavailable: str = "I'm temporarily unavailable. Please try again in a moment."
    suggestion_prompts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Folders:
    """Files the agent may read: named folders for everybody, and one of the user's own."""

    shared: tuple[str, ...] = ()
    private: bool = False


@dataclass(frozen=True)
class Course:
    """Everything one course folder says. `modules` stand in the order they are taken."""

    id: str
    name: str
    version: str = "1.0.0"
    description: str = ""
    modules: tuple[Module, ...] = ()
    model: str = "anthropic/claude-sonnet-4-20250514"
    embedding: str = "openai/text-embedding-3-small"
    context_window: int = 128000
    max_response_tokens: int = 4096
    system: str = ""
    tools: tuple[Tool, ...] = ()
    blocks: Mapping[str, Block] = field(default_factory=dict[str, Block])
    tasks: tuple[Task, ...] = ()
    messages: Messages = Messages()
    folders: Folders = Folders()
