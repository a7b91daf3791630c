"""Every table and key of `course.toml` and of module files: the one source of truth.

Reading, the did-you-mean of unknown keys, the JSON Schema and the course reference all follow from it.
Defaults are quoted from the models in `course.py`, which own them.
"""

from __future__ import annotations

from reconciler.manifest.keys import Key, Table
from reconciler.manifest.tables.agent import AGENT, COURSE, MESSAGES
from reconciler.manifest.tables.blocks import BLOCK
from reconciler.manifest.tables.modules import MODULE_FILE
from reconciler.manifest.tables.tasks import BACKGROUND, TASK

__all__ = ["COURSE_FILE", "MODULE_FILE"]

COURSE_FILE = Table(
    "course_file",
    "course.toml",
    "A course: everything its agents need, in one folder.",
    (
        Key("agent", "table", "The course and its agent.", table=AGENT),
        Key("block", "tables by name", "The memory blocks.", older="blocks", table=BLOCK),
        Key("task", "tables", "Background work.", table=TASK),
        Key("messages", "table", "What the user interface says.", table=MESSAGES),
        Key("course", "table", "Version 1's place for what describes the course.", table=COURSE, legacy=True),
        Key("background", "tables by name", "Version 1's background tasks.", table=BACKGROUND, legacy=True),
    ),
)
