"""`[[lessons]]` of module files called `[[steps]]`."""

from __future__ import annotations

import re

from reconciler.core.value import Value, same
from reconciler.manifest.migration.rows import Row, rows

_LESSONS = re.compile(r"""(\s*(?:\[\[?)?[ \t]*)(?:lessons|"lessons"|'lessons')""")


def with_steps(text: str, module: dict[str, Value]) -> str:
    """The text with its lessons renamed, and behind its steps where it has both: so the loader orders them."""
    if not isinstance(module.get("lessons"), tuple):
        return text
    found, below = rows(text)
    if "steps" not in module:
        return "".join(row.lead + _renamed(row) for row in found) + below
    last = [row for row in found if row.path[0] == "lessons"]
    others = (row.lead + row.text for row in found if row.path[0] != "lessons")
    return "".join([*others, *(row.lead + _renamed(row) for row in last)]) + below


def are_same(before: dict[str, Value], after: dict[str, Value]) -> bool:
    """Whether the two say the same, apart from the name of the steps."""
    older = dict(before)
    lessons, steps = older.pop("lessons"), older.get("steps", ())
    if not isinstance(lessons, tuple) or not isinstance(steps, tuple):
        return False
    return same({**older, "steps": (*steps, *lessons)}, after)


def _renamed(row: Row) -> str:
    is_named = row.path[0] == "lessons" and (row.is_header or not row.section)
    return _LESSONS.sub(r"\1steps", row.text, count=1) if is_named else row.text
