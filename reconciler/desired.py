"""What git asks for: a spec and git's own values per resource, from courses and one learner's enrolments.

Pure: courses and a user in, specs out. A block's *values* live in its document in git and are merged; everything else
here is the course author's alone (``owned``): an agent's configuration, and a block's settings, whose names begin
with ``@`` so that no key of a document can be taken for one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

from reconciler.core.outcome import Notice
from reconciler.core.snapshot import FieldRule, Ref, Scope, Spec
from reconciler.core.value import ABSENT, Fields, Held, Value
from reconciler.desired_web import (
    ONLY_WEB,
    OWNED_THERE,
    Web,
    course_settings,
    course_spec,
    is_agent,
    learner_grants,
    note_settings,
    staff_grants,
    task_model,
)
from reconciler.manifest.course import Block, Course, Field, Tool
from reconciler.manifest.lens import TEXT, problem_with
from reconciler.manifest.lenses import BLOCK, COURSE, PROSE, Lens
from reconciler.manifest.names import letta_agent_name
from reconciler.manifest.user import User
from reconciler.policy import Policy

OWNED = FieldRule(owned=True)
LETTA = frozenset({"letta"})
OWNED_BY_LETTA = FieldRule(owned=True, remotes=LETTA)
COURSES: Scope = "courses"
SETTINGS = "@"
"""First character of the names of a block's settings."""
NAMED = "@ref"
"""The ref that a live block is marked with. It is git's only of a block that was renamed: else it is what it is."""


@dataclass(frozen=True)
class Document:
    """A block's file in the repo of its scope, and what the course says of it (None: no course knows it now)."""

    path: str
    block: Block | None
    was: str | None = None

    @property
    def lens(self) -> Lens:
        """How its fields stand in the file."""
        if self.path.endswith("/course.toml"):
            return COURSE
        return PROSE if self.path.endswith(".md") else BLOCK


@dataclass(frozen=True)
class Desired:
    """Everything git asks of one scope. ``owned``: git's values of owned fields, per ref.

    renames: the new ref by the former one, of blocks whose course says what they were called before.
    """

    specs: Mapping[Ref, Spec] = field(default_factory=dict[Ref, Spec])
    owned: Mapping[Ref, Fields] = field(default_factory=dict[Ref, Fields])
    documents: Mapping[Ref, Document] = field(default_factory=dict[Ref, Document])
    renames: Mapping[Ref, Ref] = field(default_factory=dict[Ref, Ref])
    warnings: tuple[Notice, ...] = ()


Offers = Mapping[str, frozenset[str]]
_RefOf = Callable[[str], "Ref | None"]


def desired_of_courses(courses: Mapping[str, Course], files: Collection[str], web: Web | None = None) -> Desired:
    """The shared blocks of all courses, the models people see of them, and the models of background agents.

    Shared blocks that no course declares any more are kept, and never made again.
    """
    draft = _Draft()
    for course in courses.values():
        for block in course.blocks.values():
            if block.scope == "shared":
                path = f"{course.id}/shared/{block.name}{_suffix(block)}"
                was = f"{course.id}/shared/{block.was}{_suffix(block)}" if block.was else None
                draft.rename(f"block/{course.id}/{block.name}", block)
                note = note_settings(block, course, staff_grants(course.id, web)) if web else {}
                draft.add_block(f"block/{course.id}/{block.name}", Document(path, block, was), note)
        if web:
            draft.add_models(course, files, web)
    draft.add_orphans(files, _shared_ref, web is not None)
    return draft.done()


def desired_of_user(user: User, courses: Mapping[str, Course], files: Iterable[str], context: Context) -> Desired:
    """The agents and blocks of one learner; blocks of courses they left are kept, and never made again."""
    draft = _Draft()
    for course in (courses[name] for name in user.courses if name in courses):
        refs = [_place(draft, user, course, block, context.web) for block in course.blocks.values()]
        draft.add_agent(f"agent/{course.id}", agent_fields(user, course, refs, context))
        draft.warnings += _lacking(course, context.offers)
    draft.add_orphans(files, _user_ref, bool(context.web and user.open_webui_id))
    return draft.done()


@dataclass(frozen=True)
class Context:
    """What desired agents depend on besides courses and user: the workspace, the settings, what Letta offers."""

    workspace: str
    policy: Policy
    offers: Offers = field(default_factory=lambda: MappingProxyType({}))
    web: Web | None = None


def _place(draft: _Draft, user: User, course: Course, block: Block, web: Web | None) -> Ref:
    """Put a block of the course where its scope says, and give its ref. Shared ones belong to the courses' scope."""
    if block.scope == "user":
        ref, folder = f"block/{block.name}", "blocks"
    else:
        ref, folder = f"block/{course.id}/{block.name}", f"blocks/{course.id}"
    draft.rename(ref, block)
    if block.scope != "shared" and ref not in draft.documents:
        was = f"{folder}/{block.was}{_suffix(block)}" if block.was else None
        document = Document(f"{folder}/{block.name}{_suffix(block)}", block, was)
        draft.add_block(ref, document, _learner_note(user, course, block, web))
    return ref


def _learner_note(user: User, course: Course, block: Block, web: Web | None) -> dict[str, Value]:
    """The note of a learner's block; none without an account there."""
    if web is None or not user.open_webui_id:
        return {}
    of_course = None if block.scope == "user" else course
    return note_settings(block, of_course, learner_grants(user.open_webui_id, of_course and of_course.id, web))


def agent_fields(user: User, course: Course, blocks: Sequence[Ref], context: Context) -> dict[str, Value]:
    """Every field of a learner's agent of one course, as git wants it."""
    tools = enabled_tools(course.tools, context.offers)
    return {
        "name": letta_agent_name(context.policy.agent_name, user.id, course.id),
        "description": course.description,
        "system": course.system,
        "model": context.policy.model_aliases.get(course.model, course.model),
        "embedding": context.policy.model_aliases.get(course.embedding, course.embedding),
        "context_window": course.context_window,
        "max_response_tokens": course.max_response_tokens,
        "tools": tuple(sorted(tool.name for tool in tools)),
        "tool_rules": tuple(sorted(rule for tool in tools for rule in tool_rules(tool))),
        "blocks": tuple(sorted(blocks)),
        "tags": marks(context.workspace, user.id, course.id),
        "metadata": {
            "compiled": compiled_mark(course.system),
            "course": course.id,
            "course_version": course.version,
            "user": user.id,
        },
    }


def enabled_tools(tools: Iterable[Tool], offers: Offers) -> list[Tool]:
    """The tools to attach: those switched on, less those the server is known to lack."""
    known = offers.get("tools")
    return [tool for tool in tools if tool.enabled and (known is None or tool.name in known)]


def tool_rules(tool: Tool) -> list[str]:
    """The rules of one tool, each as ``rule:tool`` (and its count, for the most calls of one step)."""
    counted = [f"max:{tool.name}:{tool.max_count}"] if tool.max_count is not None else []
    return [f"{tool.rule}:{tool.name}", *counted]


def marks(workspace: str, user: str, course: str) -> tuple[str, ...]:
    """The tags that make an agent ours, sorted."""
    return tuple(sorted(("reconciler", f"workspace:{workspace}", f"user:{user}", f"course:{course}")))


def compiled_mark(system: str) -> str:
    """The mark an agent's metadata holds once its prompt was compiled with this system text."""
    return hashlib.sha256(system.encode()).hexdigest()[:16]


def _lacking(course: Course, offers: Offers) -> list[Notice]:
    known = offers.get("tools")
    lacking = [tool.name for tool in course.tools if tool.enabled and known is not None and tool.name not in known]
    said = "the server has no tool {}; the agents go without it until it is installed there"
    return [Notice(f"courses/{course.id}", said.format(", ".join(lacking)))] if lacking else []


class _Draft:
    """A Desired being put together."""

    def __init__(self) -> None:
        self.specs: dict[Ref, Spec] = {}
        self.owned: dict[Ref, Fields] = {}
        self.documents: dict[Ref, Document] = {}
        self.renames: dict[Ref, Ref] = {}
        self.warnings: list[Notice] = []

    def add_agent(self, ref: Ref, fields: Mapping[str, Value]) -> None:
        self.specs[ref] = Spec(ref, dict.fromkeys(fields, OWNED), LETTA, open=False)
        self.owned[ref] = fields

    def add_block(self, ref: Ref, document: Document, note: Mapping[str, Value]) -> None:
        """A block, and where ``note`` has settings its note too."""
        assert document.block is not None
        self.documents[ref] = document
        renamed: dict[str, Value] = {NAMED: ref} if document.was else {}
        self.owned[ref] = {**block_settings(document.block), **note, **renamed}
        spec = block_spec(ref, document.block, note)
        self.specs[ref] = replace(spec, rules={**spec.rules, **dict.fromkeys(renamed, OWNED)})

    def rename(self, ref: Ref, block: Block) -> None:
        """Whatever still goes by the block's former name, in git or live, is this block."""
        if block.was:
            self.renames[f"{ref.rpartition('/')[0]}/{block.was}"] = ref

    def add_models(self, course: Course, files: Collection[str], web: Web) -> None:
        """The model people choose, merged with the course's file; and a hidden one per background agent."""
        ref, path = f"model/{course.id}", f"{course.id}/course.toml"
        if path in files and web.policy.base_model:
            self.specs[ref], self.documents[ref] = course_spec(ref), Document(path, None)
            self.owned[ref] = course_settings(course, web)
        for task in (task for task in course.tasks if is_agent(task) and web.policy.base_model):
            hidden = task_model(course, task, web)
            of_task = f"model/{course.id}/{task.name}"
            self.owned[of_task] = hidden
            self.specs[of_task] = Spec(of_task, dict.fromkeys(hidden, OWNED_THERE), ONLY_WEB, open=False)

    def add_orphans(self, files: Iterable[str], ref_of: _RefOf, has_note: bool) -> None:
        """Documents without a course: merged while they stand on both sides, never made, nothing of them owned."""
        files = frozenset(files)
        taken = {document.path for document in self.documents.values()}
        taken |= {document.was for document in self.documents.values() if document.was and document.path not in files}
        for path in files:
            ref = ref_of(path)
            if ref is not None and path not in taken and ref not in self.documents:
                self.documents[ref] = Document(path, None)
                self.specs[ref] = Spec(ref, {}, LETTA | ONLY_WEB if has_note else LETTA, make=False)

    def done(self) -> Desired:
        renames = {old: new for old, new in self.renames.items() if old not in self.specs}
        return Desired(self.specs, self.owned, self.documents, renames, tuple(self.warnings))


def block_spec(ref: Ref, block: Block, note: Collection[str] = ()) -> Spec:
    """How a block is reconciled: its fields merged within what the course declares, its settings git's."""
    rules = {name: _merged_field(declared) for name, declared in block.fields.items()}
    rules |= dict.fromkeys(block_settings(block), OWNED_BY_LETTA) | dict.fromkeys(note, OWNED_THERE)
    if block.is_prose:
        rules[TEXT] = FieldRule(default="")
    return Spec(ref, rules, LETTA | ONLY_WEB if note else LETTA)


def block_settings(block: Block) -> dict[str, Value]:
    """What the course declares of a block besides its fields; an undeclared limit is left as it is."""
    settings: dict[str, Value] = {
        "@label": block.label,
        "@description": block.description,
        "@read_only": block.read_only,
    }
    return settings if block.limit is None else {**settings, "@limit": block.limit}


def _merged_field(declared: Field) -> FieldRule:
    return _rule(declared, repr(declared))


@lru_cache(maxsize=4096)
def _rule(declared: Field, _exactly: str) -> FieldRule:
    """One for all learners: one for each would be much of a pass's memory. To Python alone, 1 and true are equal."""

    def problem(value: Held) -> str | None:
        return None if value is ABSENT else problem_with(declared, value)

    default: Held = ABSENT if declared.default is None else declared.default
    return FieldRule(default=default, problem=problem)


def _suffix(block: Block) -> str:
    return ".md" if block.is_prose else ".toml"


def _user_ref(path: str) -> Ref | None:
    """The ref of a block's path in a learner's repo: ``blocks/[course/]name.toml``; None for any other path."""
    parts = path.split("/")
    stem = _stem(parts[-1])
    if parts[0] != "blocks" or stem is None or len(parts) not in (2, 3):
        return None
    return "/".join(["block", *parts[1:-1], stem])


def _shared_ref(path: str) -> Ref | None:
    parts = path.split("/")
    stem = _stem(parts[-1])
    if len(parts) != 3 or parts[1] != "shared" or stem is None:
        return None
    return f"block/{parts[0]}/{stem}"


def _stem(name: str) -> str | None:
    for suffix in (".toml", ".md"):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return None
