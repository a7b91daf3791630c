"""What git asks of Open WebUI: a note per block, a workspace model per course, a hidden model per background task.

Pure. Names with ``@`` are settings that git decides; a model's name, description, system prompt, welcome and suggested
openings are merged, because an admin may edit them there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reconciler.core.snapshot import FieldRule, Ref, Spec
from reconciler.core.value import ABSENT, Held, Value
from reconciler.manifest.course import Block, Course, Task
from reconciler.policy import WebPolicy

WEB = "openwebui"
ONLY_WEB = frozenset({WEB})
OWNED_THERE = FieldRule(owned=True, remotes=ONLY_WEB)
EVERYBODY = "user:*:read"


@dataclass(frozen=True)
class Web:
    """The settings, and the ids of the groups they name (by name)."""

    policy: WebPolicy
    groups: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def group_grants(self, names: tuple[str, ...], permission: str) -> list[str]:
        """A grant for each of these groups that exists."""
        return [f"group:{self.groups[name]}:{permission}" for name in names if name in self.groups]

    def staff(self, course: str) -> tuple[str, ...]:
        """The names of the groups of a course's staff."""
        return self.policy.staff.get(course, ())


def note_settings(block: Block, course: Course | None, grants: list[str]) -> dict[str, Value]:
    """What git decides of a block's note: title, a line of help, who may read and write it, the box's
    language, and no complaint."""
    return {
        "@title": _title(block, course),
        "@help": _help(block),
        "@message": "",
        "@access": tuple(sorted(grants)),
        "@fence": "text" if block.is_prose else "toml",
    }


def learner_grants(user: str, course: str | None, web: Web) -> list[str]:
    """A learner's own note: theirs to write, and the course's staff may read."""
    staff = web.group_grants(web.staff(course), "read") if course else []
    return [f"user:{user}:write", *staff]


def staff_grants(course: str, web: Web) -> list[str]:
    """The note of a shared block: the staff's to read and write, nobody else's."""
    return web.group_grants(web.staff(course), "write")


def _title(block: Block, course: Course | None) -> str:
    name = block.name.replace("_", " ").replace("-", " ").capitalize()
    return f"{name} · {course.name}" if course else name


def _help(block: Block) -> str:
    what = f"{block.description.rstrip('.')}. " if block.description else ""
    how = "Write freely in the grey box." if block.is_prose else "Change what stands right of the = signs."
    return f"{what}{how} Your tutor reads it, and so does your teacher."


def course_spec(ref: Ref) -> Spec:
    """How a course's workspace model is reconciled."""
    merged = {
        "name": FieldRule(problem=_not_empty),
        "description": FieldRule(problem=_one_line),
        "system": FieldRule(problem=_text),
        "welcome_first": FieldRule(problem=_text),
        "suggestion_prompts": FieldRule(problem=_texts, empty=()),
    }
    return Spec(ref, {**merged, **dict.fromkeys(MODEL_SETTINGS, OWNED_THERE)}, ONLY_WEB, open=False)


MODEL_SETTINGS = ("@base_model", "@access", "@hidden", "@active")


def course_settings(course: Course, web: Web) -> dict[str, Value]:
    """What git decides of a course's model: what it is built on, and which learners see it."""
    return {
        "@base_model": web.policy.base_model,
        "@access": tuple(sorted(_course_grants(course, web))),
        "@hidden": False,
        "@active": True,
    }


def _course_grants(course: Course, web: Web) -> list[str]:
    if course.id in web.policy.default_courses:
        return [EVERYBODY]
    names = tuple(name for name, courses in web.policy.groups.items() if course.id in courses)
    return web.group_grants(tuple(dict.fromkeys([*names, *web.staff(course.id)])), "read")


def task_model(course: Course, task: Task, web: Web) -> dict[str, Value]:
    """The hidden model of a background agent: nobody is granted it, so nobody can start a chat with it."""
    return {
        "name": task.name,
        "description": f"Background agent of {course.name}",
        "system": task.system or "",
        "welcome_first": "",
        "suggestion_prompts": (),
        "@base_model": web.policy.base_model,
        "@access": (),
        "@hidden": True,
        "@active": True,
    }


def is_agent(task: Task) -> bool:
    """Whether a task runs as an agent of its own: it has a system prompt or tools."""
    return bool(task.system or task.tools)


def _text(value: Held) -> str | None:
    return None if isinstance(value, str) or value is ABSENT else f"expected a text, found {value!r}"


def _not_empty(value: Held) -> str | None:
    return None if isinstance(value, str) and value.strip() else "a course needs a name"


def _one_line(value: Held) -> str | None:
    broken = "has a line break in it; under the model's name the second line is the welcome"
    return _text(value) or (broken if "\n" in str(value) else None)


def _texts(value: Held) -> str | None:
    fine = value is ABSENT or (isinstance(value, tuple) and all(isinstance(each, str) for each in value))
    return None if fine else f"expected a list of texts, found {value!r}"
