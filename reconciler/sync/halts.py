"""What a pass stops for: what it observed looks like an accident, and nobody opened the way on (DESIGN 8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reconciler.core.guard import EVERY_SCOPE, LOST, judge
from reconciler.core.outcome import Halt
from reconciler.desired import COURSES
from reconciler.manifest.user import User
from reconciler.sync import accident
from reconciler.sync.scope import ScopeWork, decide_scope, recreate

if TYPE_CHECKING:
    from reconciler.sync.gather import Gathering

COURSE_GONE = (
    "the course {course} has no course.toml any more, and {count} learners' agents were made from it; nothing was "
    "written: bring the folder back, or pass --accept-loss to leave those agents as they are"
)


def is_for_all(halt: Halt) -> bool:
    """Whether it stops everybody: learners are planned against the courses, so a halt of these is one of all."""
    return halt.scope in (EVERY_SCOPE, COURSES) or halt.remote == "*"


def guard(found: Gathering) -> None:
    """Halt every remote whose observation looks like an accident, and forget what was seen of it."""
    if not found.ways.accept_loss:
        found.halts += _courses_gone(found)
    for remote in found.observations:
        if found.ways.recreate:
            _recreate(found.works, remote)
        elif not found.ways.accept_loss:
            found.halts += _lost(found, remote)
    for remote in {halt.remote for halt in found.halts if is_for_all(halt)} & found.observations.keys():
        for work in found.works:
            work.known.pop(remote, None)
            work.seen.pop(remote, None)
            decide_scope(work)


def _lost(found: Gathering, remote: str) -> Sequence[Halt]:
    pairs = [pair for work in found.works if remote in work.known for pair in accident.findings(work, remote)]
    if any(finding in LOST for _, finding in pairs):  # what was skipped is all there, and only adds to a share
        pairs += [pair for known in found.skipped for pair in known.present]
    return judge(remote, pairs, found.engine.policy.limits)


def _courses_gone(found: Gathering) -> Iterable[Halt]:
    served = [
        ref.partition("/")[2]
        for work in found.works
        for base in work.known.values()
        for ref in base.resources
        if ref.startswith("agent/")
    ]
    enrolled = [course for user in _enrolled(found) for course in user.courses]
    for course in accident.courses_gone(enrolled, found.courses.known, served):
        yield Halt(COURSES, "*", COURSE_GONE.format(course=course, count=served.count(course)))


def _enrolled(found: Gathering) -> list[User]:
    present = {work.scope.partition("/")[2]: work for work in found.works if work.scope != COURSES}
    return [user for (name, blob), user in found.engine.users.items() if _is_current(present.get(name), blob)]


def _is_current(work: ScopeWork | None, blob: str) -> bool:
    return work is not None and work.git.files.get("user.toml") == blob


def _recreate(works: Iterable[ScopeWork], remote: str) -> None:
    for work in works:
        if refs := accident.lost(work, remote):
            recreate(work, remote, refs)
            decide_scope(work)
