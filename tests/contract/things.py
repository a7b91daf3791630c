"""Short names for what the contract is stated about: one learner, one course, its blocks and its agent."""

from __future__ import annotations

from typing import Any

from reconciler.core.value import Value
from reconciler.desired import NAMED
from reconciler.ports import Action, Live, Verb
from reconciler.remotes.letta import compiled_mark

WORKSPACE = "9b2f6d0e-contract"
ANN, BEN, COURSES = "user/ann", "user/ben", "courses"
AGENT = "agent/essay"
STUDENT, PROFILE, RULES = "block/essay/student", "block/profile", "block/essay/rules"
MODEL, OTHER_MODEL = "openai-proxy/gpt-4o", "openai-proxy/gpt-4o-mini"
CLAUDE = "anthropic/claude-sonnet-4-20250514"
EMBEDDING = "openai/text-embedding-3-small"
SYSTEM = "You help with essays."


def shown_fields(ref: str = STUDENT, label: str = "student", **more: Value) -> dict[str, Value]:
    """As a block shows them: with the ref in its marks."""
    return {**block_fields(label, **more), NAMED: ref}


def block_fields(label: str = "student", **more: Value) -> dict[str, Value]:
    return {"@label": label, "@description": "About them", "@limit": 5000, "@read_only": False, **more}


def marks(scope: str, ref: str = AGENT) -> tuple[str, ...]:
    user = scope.removeprefix("user/")
    return tuple(sorted(["reconciler", f"workspace:{WORKSPACE}", f"user:{user}", f"course:{ref.split('/')[1]}"]))


def agent_fields(scope: str = ANN, **more: Value) -> dict[str, Value]:
    system = str(more.get("system", SYSTEM))
    user = scope.removeprefix("user/")
    return {
        "name": f"youlab_{user}_essay",
        "description": "An essay tutor",
        "system": system,
        "model": MODEL,
        "embedding": EMBEDDING,
        "context_window": 32000,
        "max_response_tokens": 1000,
        "tools": ("core_memory_append", "core_memory_replace"),
        "tool_rules": ("continue:core_memory_append", "max:core_memory_replace:3"),
        "blocks": (STUDENT,),
        "tags": marks(scope),
        "metadata": {"course": "essay", "course_version": "1", "user": user, "compiled": compiled_mark(system)},
        **more,
    }


def create_block(ref: str = STUDENT, text: str = 'name = "Ann"\n', scope: str = ANN, **fields: Any) -> Action:
    return Action(scope, ref, "create", None, text, block_fields(ref.rpartition("/")[2], **fields))


def create_agent(scope: str = ANN, **fields: Value) -> Action:
    return Action(scope, AGENT, "create", None, None, agent_fields(scope, **fields))


def write(live: Live, text: str, scope: str = ANN) -> Action:
    return Action(scope, live.ref, "update", live, text)


def change(live: Live, scope: str = ANN, **fields: Value) -> Action:
    return Action(scope, live.ref, "update", live, None, fields)


def delete(live: Live, scope: str = ANN) -> Action:
    verb: Verb = "delete"
    return Action(scope, live.ref, verb, live, None)
