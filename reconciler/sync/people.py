"""Meet the accounts of Open WebUI before a pass, and make learners of them: really, or only as if for a plan."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.core.outcome import Notice
from reconciler.core.snapshot import Scope
from reconciler.desired_web import Web
from reconciler.errors import Transient
from reconciler.manifest.user import User
from reconciler.policy import WebPolicy
from reconciler.ports import Draft, People, Repo, WebGroup, WebUser, Workspace
from reconciler.store.journal import MAIN, Stamp, Step, commit_steps
from reconciler.store.memory import MemoryRepo
from reconciler.store.people import RECONCILER
from reconciler.sync.enrol import USER_FILE, Enrolment, enrolments

Accounts: TypeAlias = "tuple[Sequence[WebGroup], Sequence[WebUser]]"


@dataclass(frozen=True)
class Met:
    """Who is there: what notes and models depend on, and what the accounts ask of the learners."""

    web: Web
    enrolments: tuple[Enrolment, ...] = ()
    notices: tuple[Notice, ...] = ()

    def learners(self) -> Mapping[Scope, User]:
        """The learners as they will be, of those that change."""
        return {f"user/{each.after.id}": each.after for each in self.enrolments}


@contextmanager
def asked(people: People, *, beside: bool) -> Generator[Callable[[], Accounts], None, None]:
    """Groups and accounts: asked for ``beside`` what the caller does meanwhile, else when they are wanted.

    What is given raises what the adapter raises.
    """

    def ask() -> Accounts:
        return people.groups(), people.users()

    if beside:
        with ThreadPoolExecutor(1) as pool:
            yield pool.submit(ask).result
    else:
        yield ask


@dataclass
class Meetings:
    """One per engine: what the accounts ask of the learners, given again where neither of them has changed."""

    _of: tuple[object, ...] = ()
    _met: Met | None = None

    def meet(self, accounts: Accounts, policy: WebPolicy, users: Sequence[User]) -> Met:
        groups, there = accounts
        of = (list(groups), list(there), policy, list(users))
        if self._met is None or self._of != of:
            found, notices = enrolments(users, there, groups, policy)
            web = Web(policy, {group.name: group.id for group in groups})
            self._of, self._met = of, Met(web, tuple(found), tuple(notices))
        return self._met


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
