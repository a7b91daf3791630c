"""Meet the accounts of Open WebUI before a pass, and make learners of them: really, or only as if for a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.outcome import Notice
from reconciler.core.snapshot import Scope
from reconciler.desired_web import Web
from reconciler.errors import Transient
from reconciler.manifest.user import User
from reconciler.policy import WebPolicy
from reconciler.ports import Draft, People, Repo, Workspace
from reconciler.store.journal import MAIN, Stamp, Step, commit_steps
from reconciler.store.memory import MemoryRepo
from reconciler.store.people import RECONCILER
from reconciler.sync.enrol import USER_FILE, Enrolment, enrolments


@dataclass(frozen=True)
class Met:
    """Who is there: what notes and models depend on, and what the accounts ask of the learners."""

    web: Web
    enrolments: tuple[Enrolment, ...] = ()
    notices: tuple[Notice, ...] = ()

    def learners(self) -> Mapping[Scope, User]:
        """The learners as they will be, of those that change."""
        return {f"user/{each.after.id}": each.after for each in self.enrolments}


def meet(people: People, policy: WebPolicy, users: Sequence[User]) -> Met:
    """Read accounts and groups. Raises what the adapter raises."""
    groups = people.groups()
    found, notices = enrolments(users, people.users(), groups, policy)
    return Met(Web(policy, {group.name: group.id for group in groups}), tuple(found), tuple(notices))


def enrol(workspace: Workspace, met: Met, stamp: Stamp) -> int:
    """Make every enrolment true in git; the number of commits."""
    for each in met.enrolments:
        if each.is_new:
            workspace.add_user(each.after.id, {USER_FILE: each.file()}, RECONCILER, stamp.now)
        else:
            _amend(workspace.repo(f"user/{each.after.id}"), each, stamp)
    return len(met.enrolments)


def _amend(repo: Repo, enrolment: Enrolment, stamp: Stamp) -> None:
    head = repo.ref(MAIN)
    assert head is not None, "its user.toml was read from there"
    text = repo.read(repo.files(head)[USER_FILE]).decode()
    what = ", ".join(field.name for field in enrolment.planned().fields)
    step = Step(f"Take {what} from Open WebUI", RECONCILER, {USER_FILE: enrolment.edited(text).encode()}, {})
    if not repo.move(MAIN, head, commit_steps(repo, head, [step], stamp)[0]):
        raise Transient(f"main of {enrolment.after.id} moved meanwhile; the next pass takes it in")


def as_if(met: Met, stamp: Stamp) -> dict[Scope, Repo]:
    """The repos that new learners would have, in memory: so a plan shows what follows from them too."""
    repos: dict[Scope, Repo] = {}
    for each in met.enrolments:
        if each.is_new:
            repo = MemoryRepo()
            files: dict[str, bytes | None] = {USER_FILE: each.file()}
            repo.move(MAIN, None, repo.commit(Draft(None, (), files, RECONCILER, "As if", stamp.now)))
            repos[f"user/{each.after.id}"] = repo
    return repos
