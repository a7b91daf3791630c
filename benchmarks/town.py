"""A workspace with as many learners as wanted, all of one course with three blocks: what every row is measured on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from reconciler.ports import Draft
from reconciler.store.gitio import MAIN, GitRepo
from reconciler.store.people import RECONCILER
from reconciler.store.workspace import GitWorkspace, init_workspace

COURSE = "essay"
BLOCKS = ("student", "strategy", "journey")
MODEL = "openai-proxy/gpt-4o"
EMBEDDING = "openai/text-embedding-3-small"

_SYSTEM = "\n".join(
    f"{number}. Ask before you tell; read what the learner wrote, name one thing that works and one to try next."
    for number in range(1, 21)
)
_COURSE = f'''
[agent]
id = "{COURSE}"
name = "Essay coach"
model = "{MODEL}"
embedding = "{EMBEDDING}"
tools = ["send_message", "memory_insert", "memory_replace", "conversation_search"]
system = """
You coach a learner through an essay.
{_SYSTEM}
"""

[block.student]
label = "student"
field.profile = {{ type = "string", default = "Not met yet.", description = "Who the learner is" }}
field.interests = {{ type = "list", description = "What they like to write about" }}

[block.strategy]
label = "strategy"
field.approach = {{ type = "string", default = "Start with a question.", description = "What works with them" }}
field.avoid = {{ type = "list", description = "What does not" }}

[block.journey]
label = "journey"
field.step = {{ type = "int", default = 1, description = "Which step they are at" }}
field.notes = {{ type = "string", default = "", description = "What happened so far" }}
field.milestones = {{ type = "list", description = "What they finished" }}
'''


def learner(number: int) -> str:
    return f"u{number:05}"


def build(root: Path, learners: int) -> GitWorkspace:
    """The workspace on disk, nothing of it live yet."""
    now = datetime.now(UTC)
    workspace = init_workspace(root, now)
    courses = workspace.repo("courses")
    _commit(courses, {f"{COURSE}/course.toml": _COURSE.encode()}, "Add the course")
    for number in range(learners):
        workspace.add_user(learner(number), {"user.toml": user_toml(learner(number))}, RECONCILER, now)
    return workspace


def user_toml(user: str) -> bytes:
    return f'id = "{user}"\nname = "Learner {user}"\ncourses = ["{COURSE}"]\n'.encode()


def edit(repo: GitRepo, path: str, old: str, new: str) -> None:
    """A person's commit that changes one line of one file."""
    main = repo.ref(MAIN)
    assert main is not None
    text = repo.read(repo.files(main)[path]).decode()
    assert old in text, f"{path} has no {old!r}"
    _commit(repo, {path: text.replace(old, new).encode()}, "Edit by hand")


def _commit(repo: GitRepo, changes: dict[str, bytes], message: str) -> None:
    main = repo.ref(MAIN)
    made = repo.commit(Draft(main, (main,) if main else (), changes, RECONCILER, message, datetime.now(UTC)))
    assert repo.move(MAIN, main, made)
