"""The simulated world: a workspace, a live system, a clock, the people and agents in it, and the engine under test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from reconciler.core.outcome import Report
from reconciler.core.snapshot import Ref, Scope
from reconciler.manifest.course import Course
from reconciler.policy import Limits, Policy
from reconciler.ports import Actor, Depth, Draft, Edit, Live, Person
from reconciler.simulation.courses import first_course, second_course, user_file
from reconciler.simulation.documents import WEB, fields_of, ref_of
from reconciler.simulation.faults import MAIN, Hazard, SimClock, SimRemote, SimWorkspace, Stopped
from reconciler.simulation.reach import Reach
from reconciler.simulation.remote import Block, MemoryLetta, MemoryServer
from reconciler.simulation.repo import MemoryWorkspace
from reconciler.simulation.web import POLICY
from reconciler.simulation.web_side import WebSide
from reconciler.simulation.witness import LETTA, Violation, Witness
from reconciler.store.bases import base_ref
from reconciler.store.courses import CourseReader
from reconciler.store.journal import tracking_ref
from reconciler.store.pending import PendingDiff, read_diffs
from reconciler.sync.engine import Engine

COURSES: Scope = "courses"
COURSE_IDS = ("c1", "c2")
AGENT = Actor("agent", "tutor", Person("Tutor", "tutor@letta.invalid"), known=True)
API = Actor("api", "", Person("Letta API", "api@letta.invalid"), known=False)
NEVER_HALT = Limits(share=2.0, count=10_000)

_READER = CourseReader()
"""Courses are remembered by their content, so every engine of every run may share what was parsed."""


@dataclass
class Place:
    """One block's document: where it stands and what it says in git."""

    scope: Scope
    ref: Ref
    path: str
    text: str


@dataclass(frozen=True)
class Tracked:
    """A live document of one remote, and where the tracking ref shows it."""

    remote: str
    handle: str
    scope: Scope
    ref: Ref
    path: str


@dataclass
class World:
    """Everything there is. ``rng`` is replaced for every step, so that a step can be left out and the rest stays."""

    rng: Random
    has_web: bool = False
    workspace: MemoryWorkspace = field(default_factory=MemoryWorkspace)
    clock: SimClock = field(default_factory=SimClock)
    trace: list[str] = field(default_factory=list[str])
    authors: dict[tuple[Scope, Ref, str], Actor] = field(default_factory=dict[tuple[Scope, Ref, str], Actor])
    versions: dict[str, int] = field(default_factory=dict[str, int])
    enrolled: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    passes: int = 0
    writes: int = 0
    last_touches: int = 60
    _count: int = 0
    _waited: set[tuple[Scope, Ref]] = field(default_factory=set[tuple[Scope, Ref]])
    _reach: dict[Scope, Reach] = field(default_factory=dict[Scope, Reach])

    def __post_init__(self) -> None:
        self.server = MemoryServer(self.clock.now)
        self.witness = Witness(self.workspace.repos)
        self.web = WebSide(self.clock, self.workspace.uuid, self.workspace.repos) if self.has_web else None
        self.witnesses = [self.witness, *([self.web.witness] if self.web else [])]
        self.policy = Policy(writers=1, limits=NEVER_HALT, web=POLICY if self.has_web else None)
        self.hazard = Hazard(self.rng, self.interfere)
        self.act_inside = lambda: None
        self.remote = MemoryLetta(self.server, self._explain, self._overwriting)
        self.engine = self._new_engine(self.hazard)
        self.clock.asleep = self._while_asleep

    # ------------------------------------------------------------------ set-up and reading

    def found(self, users: Mapping[str, tuple[str, ...]]) -> None:
        """Commit the courses and the learners."""
        files: dict[str, bytes | None] = {
            "c1/course.toml": first_course(),
            "c2/course.toml": second_course(),
        }
        self.commit(COURSES, files, "Add the courses", "author")
        for user, courses in users.items():
            self.add_user(user, courses)

    def add_user(self, user: str, courses: tuple[str, ...]) -> None:
        person = Person(user, f"{user}@example.org")
        account = self.web.join(user) if self.web else None
        self.workspace.add_user(user, {"user.toml": user_file(user, courses, account)}, person, self.clock.now())
        self.enrolled[user] = courses
        self._committed(f"user/{user}", None, self.head(f"user/{user}"))
        self.say(f"{user} joins {' and '.join(courses)}")

    def head(self, scope: Scope) -> str:
        head = self.workspace.repo(scope).ref(MAIN)
        assert head is not None, "every repo of the simulation has a commit"
        return head

    def scopes(self) -> list[Scope]:
        return [COURSES, *(f"user/{user}" for user in self.workspace.users())]

    def text(self, scope: Scope, path: str) -> str | None:
        """A file of ``main``."""
        repo = self.workspace.repo(scope)
        blob = repo.files(self.head(scope)).get(path)
        return None if blob is None else repo.read(blob).decode()

    def places(self, scope: Scope) -> list[Place]:
        """Every block document on ``main``."""
        repo = self.workspace.repo(scope)
        found = [(path, ref_of(scope, path), blob) for path, blob in repo.files(self.head(scope)).items()]
        return [Place(scope, ref, path, repo.read(blob).decode()) for path, ref, blob in sorted(found, key=str) if ref]

    def older_texts(self, place: Place) -> list[str]:
        """The texts a document ever had on ``main``, oldest first."""
        repo = self.workspace.repo(place.scope)
        blobs = [repo.files(commit.id).get(place.path) for commit in repo.log(self.head(place.scope))]
        return [repo.read(blob).decode() for blob in dict.fromkeys(blobs) if blob]

    def models(self) -> list[Place]:
        """Every course file on ``main``, as the model it is in Open WebUI."""
        found = [(f"model/{course}", f"{course}/course.toml") for course in COURSE_IDS]
        texts = [(ref, path, self.text(COURSES, path)) for ref, path in found]
        return [Place(COURSES, ref, path, text) for ref, path, text in texts if text is not None]

    def diffs(self, scope: Scope) -> list[PendingDiff]:
        """The open ones."""
        repo = self.workspace.repo(scope)
        found = read_diffs(repo, repo.files(self.head(scope))).values()
        return [diff for diff in found if diff.status == "pending"]

    def wanted_agents(self) -> list[tuple[Scope, Ref]]:
        return [(f"user/{user}", f"agent/{course}") for user, courses in self.enrolled.items() for course in courses]

    def courses(self) -> Mapping[str, Course]:
        return _READER.read(self.workspace.repo(COURSES), self.head(COURSES)).courses

    def reach(self, scope: Scope) -> Reach:
        if scope not in self._reach:
            self._reach[scope] = Reach(self.workspace.repo(scope), scope, WEB if self.web else LETTA)
        return self._reach[scope]

    # ------------------------------------------------------------------ acting

    def fresh(self, scope: Scope) -> str:
        """A value that nobody ever used, and that says whose it is."""
        self._count += 1
        return f"{scope.rpartition('/')[2]}-{self._count}"

    def number(self) -> int:
        self._count += 1
        return 100 + self._count

    def say(self, line: str) -> None:
        self.trace.append(line)

    def commit(self, scope: Scope, changes: Mapping[str, bytes | None], message: str, who: str) -> None:
        """A person's commit on ``main``, as git makes it: on what is there now."""
        repo = self.workspace.repo(scope)
        old = repo.ref(MAIN)
        draft = Draft(
            old,
            (old,) if old else (),
            changes,
            Person(who, f"{who}@example.org"),
            f"{message} ({self.fresh('n')})",
            self.clock.now(),
        )
        new = repo.commit(draft)
        assert repo.move(MAIN, old, new), "nobody comes between"
        self._committed(scope, old, new)
        texts = [(ref_of(scope, path), content) for path, content in changes.items()]
        self._waited |= {(scope, ref) for ref, text in texts if ref and text and fields_of(ref, text.decode()) is None}
        self.say(f"commit to {scope} by {who}: {message}")

    def save(self, place: Place, text: str) -> None:
        """Somebody saves a file and does not commit it: what is live of it has to wait."""
        self.workspace.repo(place.scope).edit(place.path, text.encode())
        self._waited.add((place.scope, place.ref))
        self.say(f"{place.scope}: {place.path} is saved and not committed")

    def _committed(self, scope: Scope, old: str | None, new: str) -> None:
        if self.web:
            self.web.events.tell(self.rng, scope)  # by the hooks of git
        for witness in self.witnesses:
            witness.committed(scope, old, new)

    def live_edit(self, block: Block, before: str, after: str, actor: Actor, *, sure: bool) -> None:
        """Put a live edit on record: ``before`` and ``after`` are what its maker saw and meant."""
        self.witness.live_edit(block.scope, block.ref, before, after, sure=sure)
        old, new = fields_of(block.ref, before) or {}, fields_of(block.ref, after) or {}
        for name in {**old, **new}:
            if old.get(name) != new.get(name):
                self.authors[block.scope, block.ref, name] = actor

    # ------------------------------------------------------------------ one pass

    def run_pass(
        self,
        settle_seconds: float = 0.0,
        fresh: bool = False,
        scopes: Sequence[Scope] | None = None,
        depth: Depth = "full",
    ) -> Report | None:
        """One pass of the engine, into the hazard as it was begun; None where the process died in it."""
        if fresh:
            self.engine = self._new_engine(self.hazard)
        if self.web:
            self.web.begin()
        self._waited.clear()
        frozen, tracked = self._frozen(), self._tracked()
        report: Report | None = None
        try:
            report = self.engine.run(apply=True, settle_seconds=settle_seconds, scopes=scopes, depth=depth)
        except Stopped:
            self.say(f"  the process dies before touch {self.hazard.stop_at}")
            self.engine = self._new_engine(self.hazard)
        self.passes += 1
        if self.web:
            self.web.hear(self.rng)
        self.last_touches = max(self.hazard.touches, 10)
        self.hazard.begin(self.rng)
        # What was broken and mended, or saved and thrown away, within the pass may have had to wait in it, too.
        self._account(report, scopes, [*frozen, *self._waited, *self._frozen()])
        if report is not None:
            troubled = {error.where for error in report.errors}
            self._check_tracked([each for each in tracked if each.scope not in troubled])
        return report

    def _account(self, report: Report | None, scopes: Sequence[Scope] | None, frozen: list[tuple[Scope, Ref]]) -> None:
        well: list[Scope] = []
        if report is not None and not report.halts:
            self.say(f"  {_said(report)}")
            troubled = {notice.where for notice in report.errors}
            looked_at = self.scopes() if scopes is None else [COURSES, *scopes]
            well = [scope for scope in looked_at if scope not in troubled]
            for witness in self.witnesses:
                if witness.remote in troubled:
                    witness.forget_rereads()
        opened = {(scope, diff.ref, diff.field or "") for scope in self.scopes() for diff in self.diffs(scope)}
        self.witness.pass_ended(well, frozen, opened)
        if self.web:
            seen = [] if self.web.was_unmet else well
            self.web.witness.pass_ended(seen, frozen, opened)
            if report is not None and COURSES in seen and all(error.where != WEB for error in report.errors):
                self.web.unseen -= self.web.listed
        for scope in self.scopes():
            for witness in self.witnesses:
                witness.settled(scope, self.lives(scope, witness.remote))

    def lives(self, scope: Scope, remote: str) -> dict[Ref, str]:
        """The text of every document of a scope on one live system."""
        if self.web and remote == WEB:
            return dict(self.web.server.lives(scope))
        return {block.ref: block.text for block in self.server.blocks.values() if block.scope == scope}

    def _tracked(self) -> list[Tracked]:
        """The live blocks that a tracking ref shows."""
        return [each for scope in self.scopes() for witness in self.witnesses for each in self._on(scope, witness)]

    def _on(self, scope: Scope, witness: Witness) -> list[Tracked]:
        repo, remote = self.workspace.repo(scope), witness.remote
        at = repo.ref(tracking_ref(remote))
        paths = {ref_of(scope, path): path for path in repo.files(at)} if at else {}
        things = [(each.handle, each.ref) for each in self.server.blocks.values() if each.scope == scope]
        if self.web and remote == WEB:
            things = self.web.tracked(scope)
        return [Tracked(remote, handle, scope, ref, paths[ref]) for handle, ref in things if ref in paths]

    def _check_tracked(self, before: list[Tracked]) -> None:
        """What could not be read is not gone: a block that was live all along is still shown, if git has it."""
        after = set(self._tracked())
        for each in before:
            is_live = each.handle in self.server.blocks or (self.web and self.web.server.row(each.handle))
            if is_live and self.text(each.scope, each.path) is not None and each not in after:
                raise Violation(f"{each.scope} {each.ref}: the tracking ref lacks it, and it is live")

    def _frozen(self) -> list[tuple[Scope, Ref]]:
        """Resources whose captures must wait: uncommitted edits, or a file that cannot be read."""
        found: list[tuple[Scope, Ref]] = []
        for scope in self.scopes():
            dirty = self.workspace.repo(scope).dirty()
            for place in [*self.places(scope), *(self.models() if scope == COURSES and self.web else [])]:
                if place.path in dirty or fields_of(place.ref, place.text) is None:
                    found.append((scope, place.ref))
        return found

    def interfere(self, what: str) -> None:
        """Somebody acts inside a pass."""
        self.say(f"  before {what}:")
        self.act_inside()

    def _while_asleep(self) -> None:
        if not self.hazard.is_dead and self.hazard.busy:
            self.interfere("the end of a sleep")

    # ------------------------------------------------------------------ wiring

    def other_engine(self) -> Engine:
        """The engine of another process, such as a command that somebody runs: nothing goes wrong there."""
        return self._new_engine(Hazard(self.rng, self.interfere))

    def _new_engine(self, hazard: Hazard) -> Engine:
        workspace = SimWorkspace(self.workspace, hazard, self._moved)
        remote = SimRemote(self.remote, hazard, self.clock, self._showed if hazard is self.hazard else _unheard)
        remotes, people = [remote], None
        if self.web:
            connected = self.web.connected(hazard, self.reach, self.say, is_heard=hazard is self.hazard)
            remotes, people = [connected[0], remote], connected[1]  # in the order their captures are folded
        engine = Engine(workspace, remotes, self.clock, self.policy, people)
        engine.parts.reader = _READER
        return engine

    def _moved(self, scope: Scope, name: str, old: str | None, new: str) -> None:
        if name == MAIN:
            for line in self._subjects(scope, old, new):
                self.say(f"  {scope}: {line}")
            self._committed(scope, old, new)
        if self.web and name == base_ref(WEB):  # what is read back there settles amid a pass, and a command may see it
            self.web.witness.settled(scope, self.lives(scope, WEB))

    def _subjects(self, scope: Scope, old: str | None, new: str) -> list[str]:
        return [commit.message.splitlines()[0] for commit in self.workspace.repo(scope).log(new, old)]

    def _showed(self, scope: Scope | None, live: Live, is_listing: bool) -> None:
        block = self.server.blocks.get(live.handle)
        if live.text is not None and block is not None:
            self.witness.shown(block.scope, live.ref, live.text, is_listing)

    def _explain(self, edit: Edit) -> Actor:
        old, new = fields_of(edit.live.ref, edit.before) or {}, fields_of(edit.live.ref, edit.after) or {}
        names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        found = [self.authors.get((edit.scope, edit.live.ref, name), API) for name in names]
        return found[0] if found else API

    def _overwriting(self, block: Block, after: str) -> None:
        """Before a live text is replaced by the engine: all of it must be reachable in git."""
        self.writes += 1
        self.say(f"  write {block.scope} {block.ref}: {after!r} over {block.text!r}")
        self.witness.overwritten(block.scope, block.ref, block.text, after)
        if why := self.reach(block.scope).lacks(block.ref, block.text, after):
            raise Violation(f"{block.scope} {block.ref}: overwrote {why}, which no ref reaches")


def _unheard(scope: Scope | None, live: Live, is_listing: bool) -> None:
    """What a command is shown is promised nothing: it need not come to a pass."""


def _said(report: Report) -> str:
    said = [f"{report.writes} writes", f"{report.commits} commits", f"{report.unsettled} unsettled"]
    said += [f"{len(report.conflicts)} conflicts"] if report.conflicts else []
    said += [f"error: {error.where}: {error.message}" for error in report.errors]
    said += [f"halt: {halt.reason}" for halt in report.halts]
    return "; ".join(said)
