"""Short names for what the contract is stated about: two learners, one course, its blocks and its model."""

from __future__ import annotations

from typing import Any

from reconciler.core.value import Value
from reconciler.desired import NAMED
from reconciler.ports import Action, Live

WORKSPACE = "9b2f6d0e-0000-4000-8000-00000000c0de"
ANN, BEN, COURSES = "user/ann", "user/ben", "courses"
STUDENT, PROFILE, RULES = "block/essay/student", "block/profile", "block/essay/rules"
COURSE, TASK = "model/essay", "model/essay/daily"
BASE_MODEL = "gpt-4o"
HELP = "Change what stands between the **grey** lines.\n\n- It is saved at once.\n- Your tutor reads it."


def shown_fields(ref: str = STUDENT, **more: Value) -> dict[str, Value]:
    """As a note shows them: with the ref in its mark."""
    return {**note_fields(**more), NAMED: ref}


def note_fields(*access: str, **more: Value) -> dict[str, Value]:
    more = {f"@{name}": value for name, value in more.items()}
    shown: dict[str, Value] = {"@title": "Your profile", "@help": HELP, "@message": "", "@fence": "toml"}
    return {**shown, "@access": access, **more}


def create_note(
    ref: str = STUDENT, text: str = 'name = "Ann"\n', scope: str = ANN, access: tuple[str, ...] = (), **more: Value
) -> Action:
    return Action(scope, ref, "create", None, text, note_fields(*access, **more))


def model_fields(**more: Value) -> dict[str, Value]:
    return {
        "name": "Essay tutor",
        "description": "Helps with essays.",
        "welcome_first": "Hello! What are you writing?",
        "system": "You help with essays.",
        "suggestion_prompts": ("Find a topic", "Read my draft"),
        "@base_model": BASE_MODEL,
        "@access": (),
        "@hidden": False,
        "@active": True,
        **more,
    }


def create_model(ref: str = COURSE, **more: Value) -> Action:
    return Action(COURSES, ref, "create", None, None, model_fields(**more))


def write(live: Live, text: str, scope: str = ANN) -> Action:
    return Action(scope, live.ref, "update", live, text)


def change(live: Live, scope: str = ANN, **fields: Value) -> Action:
    settings = ("title", "help", "message", "access", "fence", "base_model", "hidden", "active", "commit")
    named = {f"@{name}" if name in settings else name: value for name, value in fields.items()}
    return Action(scope, live.ref, "update", live, None, named)


def delete(live: Live, scope: str = ANN) -> Action:
    return Action(scope, live.ref, "delete", live, None)


def fenced(text: str, before: str = "Some help.", ticks: str = "```") -> str:
    return f"{before}\n\n{ticks}toml\n{text}{ticks}\n"


def md_of(row: Any) -> str:
    return row["data"]["content"]["md"]
