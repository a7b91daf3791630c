"""Making workspaces, and the learners in them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from reconciler.bootstrap import open_workspace
from reconciler.core.outcome import ERROR, IN_SYNC
from reconciler.desired import Context, desired_of_user
from reconciler.errors import ReconcilerError, Terminal
from reconciler.manifest.course import Course
from reconciler.manifest.lens import initial_block
from reconciler.manifest.names import check_display_name, check_name, check_user_id
from reconciler.manifest.user import User, load_user, render_user
from reconciler.policy import Policy
from reconciler.settings import load
from reconciler.spool import SPOOL
from reconciler.store.courses import CourseReader
from reconciler.store.hooks import write_hook
from reconciler.store.people import person
from reconciler.store.workspace import GitWorkspace, init_workspace
from reconciler.terminal import complain, say, show_json, show_table

MAIN = "refs/heads/main"


def init(folder: Path) -> int:
    """Make what is missing of a workspace."""
    settings = load(folder)
    workspace = init_workspace(folder, datetime.now(UTC), person(settings.git.name, settings.git.email))
    say(f"{workspace.root} is a workspace, {workspace.uuid}")
    say(
        f"next: put a course into {workspace.root / 'courses'} and commit it, then `reconciler users add ID --course C`"
    )
    return IN_SYNC


def add(folder: Path, user: User) -> int:
    """Make a learner's repository, with every block of their courses at its defaults, as its first commit."""
    check_user_id(user.id)
    check_display_name(user.name, "name")
    settings = load(folder)
    workspace = open_workspace(folder, settings)
    courses = _courses(workspace)
    for course in user.courses:
        if check_name(course, "course id") not in courses:
            raise Terminal(_no_such_course(workspace, course, list(courses)))
    author = person(settings.git.name, settings.git.email)
    files = _first_files(user, courses, settings.policy(), workspace.uuid)
    repo = workspace.add_user(user.id, files, author, datetime.now(UTC))
    with suppress(Terminal):  # without it, a running loop finds out by its look at all refs
        write_hook(repo.path, workspace.root / SPOOL, f"user/{user.id}")
    say(f"added {user.id}, enrolled in {', '.join(user.courses) or 'no course'}: {workspace.root / 'users' / user.id}")
    return IN_SYNC


def list_all(folder: Path, output: str) -> int:
    """Every learner, and what they are enrolled in. One whose repo is damaged is named, and hides nobody else."""
    workspace = open_workspace(folder, load(folder))
    users: list[User] = []
    trouble: list[str] = []
    for name in workspace.users():
        try:
            users.append(_user(workspace, name))
        except ReconcilerError as error:
            trouble.append(f"users/{name}: {error}")
    if output == "json":
        show_json({"version": 1, "users": [{"id": u.id, "name": u.name, "courses": list(u.courses)} for u in users]})
    elif users:
        show_table([{"ID": u.id, "NAME": u.name, "COURSES": ", ".join(u.courses)} for u in users])
    else:
        say("no users yet: `reconciler users add ID --course C` adds one")
    for line in trouble:
        complain(line)
    return ERROR if trouble else IN_SYNC


def _courses(workspace: GitWorkspace) -> dict[str, Course]:
    repo = workspace.repo("courses")
    main = repo.ref(MAIN)
    return dict(CourseReader().read(repo, main).courses) if main else {}


def _first_files(user: User, courses: dict[str, Course], policy: Policy, uuid: str) -> dict[str, bytes]:
    desired = desired_of_user(user, courses, (), Context(uuid, policy))
    blocks = {each.path: initial_block(each.block) for each in desired.documents.values() if each.block is not None}
    return {path: text.encode() for path, text in {"user.toml": render_user(user), **blocks}.items()}


def _user(workspace: GitWorkspace, name: str) -> User:
    repo = workspace.repo(f"user/{name}")
    main = repo.ref(MAIN)
    blob = repo.files(main).get("user.toml") if main else None
    if blob is None:
        raise Terminal("there is no user.toml on main")
    return load_user(repo.read(blob), f"users/{name}/user.toml")


def _no_such_course(workspace: GitWorkspace, course: str, known: Sequence[str]) -> str:
    if (workspace.root / "courses" / course / "course.toml").is_file():
        return f"the course {course} is not committed, or not valid: run `reconciler validate`, then commit it"
    near = get_close_matches(course, known, 1)
    there_are = f"there are {', '.join(sorted(known))}" if known else "no course is committed yet"
    return f"there is no course {course}; {f'did you mean {near[0]}?' if near else there_are}"
