"""How our things in Letta are recognised: by tags, and by nothing else (DESIGN 6).

Names are not unique there and ids cannot be chosen. What lacks our tags is somebody else's; what has them and
does not parse is left alone too, and said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from reconciler.core.snapshot import Ref, Scope
from reconciler.manifest.names import NameRefused, check_name, check_user_id

Kind: TypeAlias = Literal["agent", "block"]

COURSES: Scope = "courses"
OURS = "reconciler"
SHARED = "scope:courses"
"""On the shared blocks of courses: a tag cannot be asked for by its absence, so they carry one of their own."""
_PREFIXES = ("workspace:", "user:", "course:", "block:", "scope:")


@dataclass(frozen=True)
class Identity:
    """Which of our things this is."""

    scope: Scope
    ref: Ref


@dataclass(frozen=True)
class Unclear:
    """It has our marks, and they do not say which thing it is."""

    reason: str


def compiled_mark(system: str) -> str:
    """What `metadata.compiled` holds once this system text is in the compiled prompt."""
    return hashlib.sha256(system.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def base_marks(workspace: str) -> list[str]:
    return [OURS, f"workspace:{workspace}"]


def marks_of(workspace: str, it: Identity) -> list[str]:
    """The tags that say which thing it is."""
    kind, _, path = it.ref.partition("/")
    course, _, name = path.rpartition("/") if kind == "block" else (path, "", "")
    tags = [*base_marks(workspace), SHARED if it.scope == COURSES else f"user:{it.scope.removeprefix('user/')}"]
    tags += [f"course:{course}"] if course else []
    return sorted(tags + ([f"block:{name}"] if name else []))


def only_marks(tags: Iterable[str]) -> tuple[str, ...]:
    """Those of the tags that are ours to write; others on the same thing are kept as they are."""
    return tuple(sorted({tag for tag in tags if is_mark(tag)}))


def is_mark(tag: str) -> bool:
    return tag == OURS or tag.startswith(_PREFIXES)


def identity(workspace: str, kind: Kind, tags: Iterable[str]) -> Identity | Unclear | None:
    """Which of our things has these tags; None where it is not ours."""
    return _identity(workspace, kind, frozenset(tags))


@lru_cache(maxsize=100_000)
def _identity(workspace: str, kind: Kind, marks: frozenset[str]) -> Identity | Unclear | None:
    if OURS not in marks or f"workspace:{workspace}" not in marks:
        return None
    try:
        return _parsed(kind, marks)
    except NameRefused as error:
        return Unclear(str(error))


def _parsed(kind: Kind, marks: frozenset[str]) -> Identity | Unclear:
    found = {prefix: [tag.removeprefix(prefix) for tag in marks if tag.startswith(prefix)] for prefix in _PREFIXES}
    for prefix, values in found.items():
        if len(values) > 1:
            return Unclear(f"has {len(values)} {prefix} tags")
    user, course, name = (found[prefix][0] if found[prefix] else "" for prefix in ("user:", "course:", "block:"))
    if kind == "agent":
        return _agent(user, course)
    return _block(user, course, name)


def _agent(user: str, course: str) -> Identity | Unclear:
    if not (user and course):
        return Unclear("an agent of ours needs a user: and a course: tag")
    return Identity(f"user/{_user(user)}", f"agent/{_name(course)}")


def _block(user: str, course: str, name: str) -> Identity | Unclear:
    if not name or not (user or course):
        return Unclear("a block of ours needs a block: tag and a user: or course: tag")
    scope = f"user/{_user(user)}" if user else COURSES
    return Identity(scope, f"block/{_name(course)}/{_name(name)}" if course else f"block/{_name(name)}")


def _user(user_id: str) -> str:
    return check_user_id(user_id)


def _name(name: str) -> str:
    return check_name(name, "name in a tag")
