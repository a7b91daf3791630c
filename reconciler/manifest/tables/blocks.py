"""The tables of memory blocks and their fields."""

from __future__ import annotations

from typing import get_args

from reconciler.manifest.course import Block, BlockScope, FieldType
from reconciler.manifest.keys import Key, Table

FIELD = Table(
    "field",
    "[block.<name>] field.<name> = { ... }",
    "One key of the block's document. The field's name is the key in the learner's file.",
    (
        Key("type", "string", "What the field holds.", required=True, options=get_args(FieldType)),
        Key(
            "default",
            "value",
            'The value a new learner starts with. Undeclared: "", 0, 0.0, false or []; a datetime is unset.',
        ),
        Key("options", "values", "The values allowed. Of a list: the items allowed."),
        Key("max", "integer", "The largest number of items. Lists only.", minimum=1),
        Key("description", "string", "What the field means, for authors and for the agent."),
        Key("required", "boolean", "Whether the field is expected to be filled in.", default=False),
    ),
    'field.topics = { type = "list", default = ["averages"], max = 10, description = "Topics asked about" }',
)

BLOCK = Table(
    "block",
    "[block.<name>]",
    "A memory block. Its name is used in files and in query targets. "
    "A block that declares no fields is prose: one Markdown text.",
    (
        Key("label", "string", "The block's name in Letta. No two blocks of a course may share one.", required=True),
        Key("description", "string", "What the block is for; the agent reads it.", default=Block.description),
        Key("shared", "boolean", "One block for all learners of the course.", default=Block.shared),
        Key(
            "scope",
            "string",
            "Whose block it is: `course`, one for each learner of this course; `user`, one for each learner, "
            "common to all their courses; `shared`, the same as shared = true.",
            default=Block.scope,
            options=get_args(BlockScope),
        ),
        Key("limit", "integer", "Letta's limit of the block, in characters. Undeclared: Letta's own.", minimum=1),
        Key("read_only", "boolean", "Whether the agent's own tools may not write it.", default=Block.read_only),
        Key("was", "string", "The block's former name: a renamed block carries its learners' content along."),
        Key("field", "tables by name", "The block's fields.", older="fields", table=FIELD),
    ),
    """[block.learner]
label = "human"
description = "Who the learner is"
field.name = { type = "string" }
field.pace = { type = "string", default = "steady", options = ["slow", "steady"] }""",
)
