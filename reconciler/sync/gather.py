"""Observe, decide, guard: everything a pass does before its first write. A dry run is this and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from reconciler.core.outcome import Halt, Notice
from reconciler.core.settle import Running
from reconciler.core.snapshot import Scope
from reconciler.desired import COURSES, Context, Desired, desired_of_courses, desired_of_user
from reconciler.desired_web import WEB
from reconciler.errors import ReconcilerError, Terminal, Transient
from reconciler.manifest.user import User, load_user
from reconciler.policy import Policy, Ways
from reconciler.ports import Clock, Depth, Observation, People, Remote, Repo, Workspace
from reconciler.store.bases import StoredBase, load_base
from reconciler.store.courses import CourseReader, Courses
from reconciler.store.journal import MAIN, Stamp
from reconciler.sync.complain import complain
from reconciler.sync.halts import guard, is_for_all
from reconciler.sync.learners import Learners
from reconciler.sync.memory import NOTHING, Known, Memory, Setting
from reconciler.sync.people import Accounts, Meetings, Met, as_if, asked, enrol
from reconciler.sync.roll import Looker, Roll, of_account
from reconciler.sync.scope import (
    ScopeWork,
    WentBackwards,
    check_forward,
    decide_scope,
    edits_of_courses,
    is_unsettled,
    left_over,
    load_scope,
    look,
    main_of,
)
from reconciler.sync.stale import doubt
from reconciler.sync.threads import Record

Progress = Callable[[str], None]
T = TypeVar("T")


@dataclass
class Parts:
    """What every pass of one workspace works with. The last five remember, between passes, what was read before."""

    workspace: Workspace
    remotes: Mapping[str, Remote]
    clock: Clock
    policy: Policy
    people: People | None
    roll: Roll | None
    reader: CourseReader
    users: dict[tuple[str, str], User]
    memory: Memory
    learners: Learners = field(default_factory=Learners)
    meetings: Meetings = field(default_factory=Meetings)


@dataclass
class Gathering:
    """What one pass found so far: filled by ``gather``, then read by whoever carries it out."""

    engine: Parts
    stamp: Stamp
    ways: Ways
    progress: Progress
    works: list[ScopeWork] = field(default_factory=list[ScopeWork])
    courses: Courses = field(default_factory=Courses)
    observations: dict[str, Observation] = field(default_factory=dict[str, Observation])
    settings: dict[Scope, Setting] = field(default_factory=dict[Scope, Setting])
    """What each scope was planned in: the courses may move on within a pass."""
    runs: dict[str, Sequence[Running]] = field(default_factory=dict[str, "Sequence[Running]"])
    halts: list[Halt] = field(default_factory=list[Halt])
    errors: list[Notice] = field(default_factory=list[Notice])
    met: Met | None = None
    imagined: dict[Scope, Repo] = field(default_factory=dict[Scope, "Repo"])
    skipped: list[Known] = field(default_factory=list[Known])
    listed: list[Notice] = field(default_factory=list[Notice])
    """What the look for threads has to say."""
    courses_at: str = ""
    commits: int = 0
    _setting: Setting | None = None
    _bases: dict[Scope, dict[str, str | None]] = field(default_factory=dict[Scope, "dict[str, str | None]"])
    """Where every base stood before anything was observed."""
    _heads: dict[Scope, str] = field(default_factory=dict[Scope, str])
    """Where ``main`` of the learners stood when their accounts were met."""

    @property
    def halted(self) -> bool:
        """Whether no scope may be written to at all."""
        return any(halt.remote == "*" for halt in self.halts)

    @property
    def has_stopped(self) -> bool:
        """Whether a halt kept more than one learner from being judged: then nobody was found to be in order."""
        return any(map(is_for_all, self.halts))

    def gather(self, scopes: Sequence[Scope] | None, depth: Depth) -> None:
        """Look at everything, plan every scope, and judge the whole."""
        with self._asking() as accounts:
            learners = self._learners if accounts else []
            repos = self._repos(scopes)
            moved = self._moved(repos, whole=depth == "full")
            self._meet(accounts, learners)
        new = {scope: repo for scope, repo in self.imagined.items() if scopes is None or scope in scopes}
        repos, moved = {**repos, **new}, {**moved, **new}
        stored = {scope: bases for scope, repo in moved.items() if (bases := self._stored(scope, repo)) is not None}
        self._bases = {scope: {name: base.commit for name, base in bases.items()} for scope, bases in stored.items()}
        self._list_runs([base for bases in stored.values() for base in bases.values()])
        self._observe(None if scopes is None else list(repos), depth)
        if not self.observations:
            return
        if scopes is None and (roll := self.engine.roll):
            self.listed = self.attempt(WEB, lambda: self._look_for_threads(roll, repos, depth)) or []
        self.progress(f"planning {len(repos)} scopes")
        for scope in [scope for scope in repos if scope not in moved or scope in stored]:
            may_skip = scope not in moved
            # Nearly all of them, so this comes first; the courses are read in any case, as the others depend on them.
            if not may_skip or scope == COURSES or self._has_threads(scope) or not self._is_skipped(scope):
                self.attempt(scope, lambda s=scope, may_skip=may_skip: self.plan(s, repos[s], may_skip=may_skip))
        if depth == "full":
            self.errors += self._unlisted()
        guard(self)

    def _is_unmet(self) -> bool:
        return self.engine.people is not None and self.engine.policy.web is not None and self.met is None

    def _asking(self) -> AbstractContextManager[Callable[[], Accounts] | None]:
        """Ask for the accounts, where there are any, while git is looked at: both take a while."""
        people = self.engine.people
        if people is None or self.engine.policy.web is None:
            return nullcontext()
        return asked(people, beside=self.engine.policy.writers > 1)

    def _moved(self, repos: Mapping[Scope, Repo], *, whole: bool) -> dict[Scope, Repo]:
        """Those that are not known to be as they were when they were last found to be in order."""
        memory = self.engine.memory
        return {
            scope: repo
            for scope, repo in repos.items()
            if not self.attempt(scope, lambda s=scope, r=repo: memory.holds(s, self._head(s, r), r, whole=whole))
        }

    def _meet(self, accounts: Callable[[], Accounts] | None, learners: Sequence[User]) -> None:
        """Meet the accounts; new learners are planned as if they had been made."""
        policy = self.engine.policy.web
        if accounts is None or policy is None:
            return
        self.met = self.attempt(WEB, lambda: self.engine.meetings.meet(accounts(), policy, learners))
        if self.met is not None:
            self.imagined = as_if(self.met, self.stamp)

    def enrol(self) -> None:
        """Make what the accounts ask of the learners true in git, and plan those learners anew on what they have now.

        Where the guard stopped the system of the accounts, nothing is made of them: they may be an accident too.
        """
        if self.met is None or not self.met.enrolments:
            return
        met, concerned = self.met, self.met.learners().keys()
        if any(WEB in (halt.remote, halt.scope) or halt.remote == "*" for halt in self.halts):
            self.met = replace(met, enrolments=())
        else:
            self.commits += self.attempt(WEB, lambda: enrol(self.engine.workspace, met, self.stamp)) or 0
        planned = [work.scope for work in self.works if work.scope in concerned]
        self.works = [work for work in self.works if work.scope not in concerned]
        there = {f"user/{user}" for user in self.engine.workspace.users()}
        for scope in [scope for scope in planned if scope in there]:
            self.attempt(scope, lambda scope=scope: self.plan(scope, self.engine.workspace.repo(scope)))

    def _look_for_threads(self, roll: Roll, repos: Mapping[Scope, Repo], depth: Depth) -> list[Notice]:
        learners = [*self._learners, *(self.met.learners().values() if self.met else ())]
        if WEB not in self.observations:
            return []
        looker = Looker(self.observations[WEB], of_account(learners), repos, self.stamp.now)
        return roll.look(looker, whole=depth == "full")

    @cached_property
    def _users(self) -> Sequence[str]:
        return self.engine.workspace.users()

    @cached_property
    def _learners(self) -> list[User]:
        """Every learner whose file can be read; trouble with one is met again, and told, when they are planned."""
        found: list[User] = []
        for name in self._users:
            try:
                found.append(self._learner(f"user/{name}"))
            except ReconcilerError:
                continue
        return found

    def _learner(self, scope: Scope) -> User:
        repo = self.engine.workspace.repo(scope)
        head = self._heads[scope] = main_of(repo, scope)
        return self.engine.learners.at(scope, head, lambda: self._user(scope, repo, repo.files(head)))

    def _head(self, scope: Scope, repo: Repo) -> str | None:
        """Where ``main`` stood when this pass first looked, which is all that a scope that may be skipped is asked."""
        return self._heads[scope] if scope in self._heads else repo.ref(MAIN)

    def _repos(self, scopes: Sequence[Scope] | None) -> dict[Scope, Repo]:
        """The repo of every scope asked for; the courses come first, for the learners are planned against them."""
        workspace = self.engine.workspace
        wanted = [f"user/{user}" for user in self._users] if scopes is None else [s for s in scopes if s != COURSES]
        repos: dict[Scope, Repo] = {}
        for scope in [COURSES, *wanted]:
            repo = self.attempt(scope, lambda scope=scope: workspace.repo(scope))
            if repo is not None:
                repos[scope] = repo
        return repos

    def _stored(self, scope: Scope, repo: Repo) -> dict[str, StoredBase] | None:
        return self.attempt(scope, lambda: {name: load_base(repo, name) for name in self.engine.remotes})

    def _list_runs(self, bases: Sequence[StoredBase]) -> None:
        """List before reading, where anything is in the air: only a read after the listing can prove a run's end.

        Where the listing fails there is none: no runs known is not the same as no runs.
        """
        if any(is_unsettled(base) for base in bases):
            for name, remote in self.engine.remotes.items():
                runs = self.attempt(name, lambda remote=remote: list_runs(remote))
                if runs is not None:
                    self.runs[name] = runs

    def _observe(self, scopes: list[Scope] | None, depth: Depth) -> None:
        """Of Open WebUI nothing can be judged without its accounts: what git asks for there depends on them."""
        for name, remote in self.engine.remotes.items():
            if name == WEB and self._is_unmet():
                continue
            self.progress(f"reading {name}")
            seen = self.attempt(name, lambda remote=remote: remote.observe(scopes, depth))
            if seen is not None:
                self.observations[name] = seen

    def _unlisted(self) -> Iterable[Notice]:
        """What a full look did not show whole: unknown, so the pass is in trouble, however little there is to do."""
        for name, seen in self.observations.items():
            asked = {ref for work in self.works for ref, spec in work.desired.specs.items() if name in spec.remotes}
            kinds = {ref.partition("/")[0] for ref in asked}
            kinds.update(*(known.views.get(name, NOTHING).kinds for known in self.skipped))
            for kind in sorted(kinds - seen.complete):
                yield Notice(name, f"its listing of {kind}s was not complete: what it did not show is left as it is")

    def setting(self) -> Setting:
        """What the plan of any learner depends on besides their own repo and what is live of theirs."""
        if self._setting is None or self._setting.courses != self.courses_at:
            self._setting = self._made_setting()
        return self._setting

    def _made_setting(self) -> Setting:
        offers = tuple(
            sorted((name, seen.offers.get("tools", frozenset[str]())) for name, seen in self.observations.items())
        )
        return Setting(self.courses_at, offers, self.met and tuple(sorted(self.met.web.groups.items())))

    def plan(self, scope: Scope, repo: Repo, *, may_skip: bool = False) -> None:
        """Load one scope, look at it and plan it; or skip it, where nothing of it has moved."""
        head = main_of(repo, scope)
        if scope == COURSES:
            self.courses, self.courses_at = self.engine.reader.read(repo, head), head
        threads = self._threads(scope, repo, head)
        if may_skip and not threads and self._is_skipped(scope):
            return
        self.settings[scope] = self.setting()
        desired = self._desired(scope, repo, head)
        observations = self._trusted()
        work = load_scope(scope, repo, head, desired, list(observations))
        self._check_bases(work)
        check_forward(work, self.ways.accept_rewind)
        work.threads = threads
        look(work, observations, self.runs, self.stamp)
        decide_scope(work)
        if WEB in work.seen:
            doubt(work, self.engine.remotes[WEB])
            complain(work)
        if scope == COURSES and (edits := edits_of_courses(work)):
            self.courses = self.engine.reader.read(repo, head, edits)
            self.courses_at = f"{head} and edits"
        work.prunes = left_over(work) if self.ways.prune else []
        self.works.append(work)

    def _check_bases(self, work: ScopeWork) -> None:
        """Refuse to judge what was observed by a base that another process saved later: its news may be older."""
        known = self._bases.get(work.scope) or self.engine.memory.bases(work.scope)
        if known is not None and any(known[name] != stored.commit for name, stored in work.stored.items()):
            self.engine.memory.drop(work.scope)
            raise Transient(f"another process brought {work.scope} up to date meanwhile; try again, as the loop does")

    def _is_skipped(self, scope: Scope) -> bool:
        """Whether nothing of the scope has moved since it was found to be in order; it is noted then."""
        if not self._may_skip:
            return False
        known = self.engine.memory.unchanged(scope, self.setting(), self.observations)
        if known is not None:
            self.skipped.append(known)
        return known is not None

    @cached_property
    def _may_skip(self) -> bool:
        return self.ways == Ways()

    def _trusted(self) -> Mapping[str, Observation]:
        """What was observed, without what the guard stopped: a scope that is planned once more must not trust it."""
        stopped = {halt.remote for halt in self.halts if is_for_all(halt)}
        return {name: seen for name, seen in self.observations.items() if name not in stopped}

    def _threads(self, scope: Scope, repo: Repo, head: str) -> list[Record]:
        """What is to be put on record of a learner's threads."""
        roll = self.engine.roll
        if roll is None or not self._has_threads(scope):
            return []
        return roll.records(repo, head, self._user(scope, repo, repo.files(head)), scope)

    def _has_threads(self, scope: Scope) -> bool:
        """Whether threads of theirs were listed that may not be on record."""
        return self.engine.roll is not None and bool(self.engine.roll.pending.get(scope))

    def _desired(self, scope: Scope, repo: Repo, head: str) -> Desired:
        files = repo.files(head)
        if scope == COURSES:
            return desired_of_courses(self.courses.courses, files, self.met and self.met.web)
        user = self._user(scope, repo, files)
        user = self.met.learners().get(scope, user) if self.met else user
        offers = {key: value for seen in self.observations.values() for key, value in seen.offers.items()}
        context = Context(self.engine.workspace.uuid, self.engine.policy, offers, self.met and self.met.web)
        return desired_of_user(user, self.courses.courses, files, context)

    def _user(self, scope: Scope, repo: Repo, files: Mapping[str, str]) -> User:
        name = scope.partition("/")[2]
        if "user.toml" not in files:
            raise Terminal(f"users/{name} has no user.toml on main; write one, or run `reconciler users add {name}`")
        key = (name, files["user.toml"])
        if key not in self.engine.users:
            user = load_user(repo.read(files["user.toml"]), f"users/{name}/user.toml")
            if user.id != name:
                raise Terminal(f"users/{name}/user.toml says id = {user.id!r}; a learner's folder is named by their id")
            self.engine.users[key] = user
        return self.engine.users[key]

    def attempt(self, where: str, act: Callable[[], T]) -> T | None:
        """The result; None, and an error or a halt in the report, where this one scope or remote is in trouble."""
        try:
            return act()
        except WentBackwards as trouble:
            self.halts.append(Halt(where, trouble.remote, str(trouble)))
        except ReconcilerError as trouble:
            self.errors.append(Notice(where, str(trouble)))
        return None


def list_runs(remote: Remote) -> list[Running]:
    """The runs that the remote says are active."""
    return [Running(run.id, run.agent, run.started) for run in remote.active_runs()]
