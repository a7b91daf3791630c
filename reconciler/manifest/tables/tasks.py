"""The tables of background work, in both spellings."""

from __future__ import annotations

from typing import get_args

from reconciler.manifest.course import Merge, Query, QueryScope, Task
from reconciler.manifest.keys import Key, Table
from reconciler.manifest.tables.agent import TOOL

QUERY = Table(
    "query",
    "[[task]] queries = [ ... ]",
    "A question asked about a learner's conversations, and the field its answer goes to.",
    (
        Key("id", "string", "A name for the query, for logs and reports."),
        Key(
            "target",
            "string",
            'The field to write, as "block.field" with the block\'s name; of a prose block, its name alone. Required '
            "unless version 1's target_block and target_field are given.",
        ),
        Key("question", "string", "The question.", required=True),
        Key(
            "scope",
            "string",
            "Which conversations to look at.",
            default=Query.scope,
            options=get_args(QueryScope),
            older="session_scope",
        ),
        Key(
            "recent_limit",
            "integer",
            "How many conversations, where scope is `recent`.",
            default=Query.recent_limit,
            minimum=1,
        ),
        Key(
            "merge",
            "string",
            "How the answer meets what the field holds.",
            default=Query.merge,
            options=get_args(Merge),
            older="merge_strategy",
        ),
        Key("target_block", "string", "Version 1's spelling of target, first half.", legacy=True),
        Key("target_field", "string", "Version 1's spelling of target, second half.", legacy=True),
    ),
    """queries = [
    { target = "learner.topics", question = "What was asked about?", scope = "recent", recent_limit = 3 },
]""",
)

AFTER_MESSAGES = Key("after_messages", "integer", "Run each time a learner has sent this many messages.", minimum=1)
SCHEDULE = Key("schedule", "string", 'When to run, as a cron expression such as "0 3 * * *".')
MANUAL = Key("manual", "boolean", "Whether people may start it by hand.", default=Task.manual)
WORK = (
    Key(
        "agent_types", "strings", "Which agents' learners to look at: course ids, or `tutor`.", default=Task.agent_types
    ),
    Key("user_filter", "string", "Which learners: `all`, or a filter expression.", default=Task.user_filter),
    Key("batch_size", "integer", "How many learners at a time.", default=Task.batch_size, minimum=1),
    Key("queries", "tables", "The questions to ask.", default=Task.queries, table=QUERY),
    Key("system", "string", "The system prompt, where the task is an agent of its own."),
    Key("tools", "tools", "The tools of the task's own agent.", default=Task.tools, table=TOOL),
    Key("enabled", "boolean", "Whether the task runs at all.", default=Task.enabled),
)

TASK = Table(
    "task",
    "[[task]]",
    "Background work.",
    (
        Key("name", "string", "The task's name, unique in the course. Undeclared: task-1, task-2, by position."),
        SCHEDULE,
        MANUAL,
        Key("on_idle", "boolean", "Run when a learner has gone quiet.", default=Task.on_idle),
        Key(
            "idle_threshold_minutes",
            "integer",
            "How long quiet, in minutes.",
            default=Task.idle_threshold_minutes,
            minimum=0,
        ),
        Key(
            "idle_cooldown_minutes",
            "integer",
            "The least time between two idle runs, in minutes.",
            default=Task.idle_cooldown_minutes,
            minimum=0,
        ),
        AFTER_MESSAGES,
        *WORK,
    ),
    '[[task]]\nname = "weekly-review"\nschedule = "0 12 * * 0"\n'
    'queries = [{ target = "learner.topics", question = "What was practised this week?" }]',
)

IDLE = Table(
    "idle",
    "[background.<name>.triggers.idle]",
    "Version 1's spelling of the three idle keys.",
    (
        Key("enabled", "boolean", "Version 1's on_idle.", default=Task.on_idle),
        Key(
            "threshold_minutes",
            "integer",
            "Version 1's idle_threshold_minutes.",
            default=Task.idle_threshold_minutes,
            minimum=0,
        ),
        Key(
            "cooldown_minutes",
            "integer",
            "Version 1's idle_cooldown_minutes.",
            default=Task.idle_cooldown_minutes,
            minimum=0,
        ),
    ),
    legacy=True,
)

TRIGGERS = Table(
    "triggers",
    "[background.<name>.triggers]",
    "Version 1's spelling of when a task runs.",
    (SCHEDULE, MANUAL, AFTER_MESSAGES, Key("idle", "table", "When a learner has gone quiet.", table=IDLE)),
    legacy=True,
)

BACKGROUND = Table(
    "background",
    "[background.<name>]",
    "Version 1's spelling of a task; its name is in the heading.",
    (*WORK, Key("triggers", "table", "When it runs.", table=TRIGGERS)),
    """[background.harvest]
agent_types = ["tutor"]

[background.harvest.triggers]
schedule = "0 3 * * *"

[[background.harvest.queries]]
id = "topics"
question = "What was asked about?"
session_scope = "all"
target_block = "learner"
target_field = "topics"
merge_strategy = "append"
""",
    legacy=True,
)
