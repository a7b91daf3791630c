"""One pass over a workspace, in the order that makes a crash between any two steps harmless (DESIGN 7, "Order").

``gather`` looks, plans and judges; here the plan is carried out. A dry run is this same walk, returning earlier.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.core.outcome import Notice, Report
from reconciler.core.snapshot import Scope
from reconciler.errors import Transient
from reconciler.policy import Policy, Ways
from reconciler.ports import Clock, Depth, People, Remote, Threads, Workspace
from reconciler.store.courses import CourseReader
from reconciler.store.journal import Stamp
from reconciler.sync.gather import Gathering, Parts, Progress, list_runs
from reconciler.sync.memory import Memory
from reconciler.sync.record import Moved, record
from reconciler.sync.roll import Roll
from reconciler.sync.scope import ScopeWork, is_unlisted
from reconciler.sync.tell import Tally, tell
from reconciler.sync.write import Writing, Written, changed_again, confirm, has_writes, unsettled_refs

MOST_RESTARTS = 5
"""How often a scope starts over because somebody else committed meanwhile."""

POLL_SECONDS = 0.25
"""Between two looks at runs that must end."""

Accept = Callable[[Report], bool]


def silent(_: str) -> None:
    """No progress is shown."""


def always(_: Report) -> bool:
    """Whatever the plan is, carry it out."""
    return True


class Engine:
    """Runs passes over one workspace. One at a time: passes share what is remembered between them."""

    def __init__(
        self,
        workspace: Workspace,
        remotes: Sequence[Remote],
        clock: Clock,
        policy: Policy,
        people: People | None = None,
        threads: Threads | None = None,
    ) -> None:
        self.workspace, self.clock, self.policy = workspace, clock, policy
        self.remotes = {remote.name: remote for remote in remotes}
        self.memory = Memory(list(self.remotes))
        roll = Roll(threads, policy.web.records_words) if threads and policy.web else None
        self.parts = Parts(workspace, self.remotes, clock, policy, people, roll, CourseReader(), {}, self.memory)

    def run(  # noqa: PLR0913  (the choices of one pass, each by name and with a plain default)
        self,
        *,
        apply: bool,
        scopes: Sequence[Scope] | None = None,
        depth: Depth = "full",
        ways: Ways = Ways(),  # noqa: B008  (frozen)
        settle_seconds: float = 0.0,
        progress: Progress = silent,
        accept: Accept = always,
    ) -> Report:
        """One pass. ``scopes``: only these (None: all). ``settle_seconds``: how long to wait for writes to be believed.

        accept: asked with the plan before anything is written; where it says no, this was a dry run.

        Never raises for what one scope or one remote does: that is in the report.
        """
        found = self._gathering(ways, progress)
        found.gather(scopes, depth)
        if apply and accept is not always:
            apply = accept(tell(found.works, tally(found, Written(), False)))
        carrying = Carrying(found)
        if apply and not found.halted:
            found.enrol()
            carrying.carry_out()
            carrying.settle(settle_seconds)
        self._remember(found)
        return tell(found.works, tally(found, carrying.written, apply))

    def _remember(self, found: Gathering) -> None:
        if found.has_stopped:
            self.memory.forget()
            return
        for work in found.works:
            self.memory.keep(work, found.settings[work.scope])

    def _gathering(self, ways: Ways, progress: Progress) -> Gathering:
        return Gathering(self.parts, Stamp(uuid.uuid4().hex[:12], self.clock.now()), ways, progress)

    def look_at(self, scope: Scope) -> tuple[ScopeWork, Stamp]:
        """One scope as a pass would see it now, planned; raises the first trouble there is."""
        one = self._gathering(Ways(accept_loss=True), silent)
        one.gather([scope], "full")
        work = next((work for work in one.works if work.scope == scope), None)
        if work is None or one.errors:
            raise Transient(next((error.message for error in one.errors), f"{scope} could not be read"))
        return work, one.stamp

    def note(self, work: ScopeWork, stamp: Stamp) -> None:
        """Put what is now known of a scope on record in git, without writing to any remote."""
        record(work, self.remotes, stamp)


@dataclass
class Carrying:
    """A plan being carried out: git first, then the live writes, then what is believed of them."""

    found: Gathering
    written: Written = field(default_factory=Written)

    def carry_out(self) -> None:
        """Record each scope in git, then write it, while the next is recorded; then read back once for all."""
        self.found.progress(
            f"recording {len(self.found.works)} scopes, writing {sum(map(has_writes, self.found.works))}"
        )
        recorded: list[ScopeWork] = []
        with Writing(self.found.engine.remotes, self.found.engine.policy.writers) as writing:
            for work in list(self.found.works):
                if self._record(work):
                    recorded.append(work)
                    if has_writes(work):
                        writing.begin(work)
        self.written = writing.written
        self.found.errors += self.written.errors
        is_new = bool(self.written.applied or self.written.errors) or any(map(is_unlisted, recorded))
        self._confirm(recorded, grace=is_new)

    def _record(self, work: ScopeWork) -> bool:
        for _ in range(MOST_RESTARTS):
            try:
                made = self.found.attempt(
                    work.scope, lambda work=work: record(work, self.found.engine.remotes, self.found.stamp)
                )
            except Moved:
                again = self._again(work)
                if again is None:
                    return False
                work = again
                continue
            self.found.commits += made or 0
            return made is not None
        self.found.errors.append(Notice(work.scope, "main keeps moving; the next pass tries again"))
        self.found.works.remove(work)
        return False

    def _again(self, work: ScopeWork) -> ScopeWork | None:
        """Load and plan a scope once more, from what was observed."""
        place = self.found.works.index(work)
        del self.found.works[place]
        self.found.attempt(work.scope, lambda: self.found.plan(work.scope, work.repo))
        if len(self.found.works) > place and self.found.works[-1].scope == work.scope:
            self.found.works.insert(place, self.found.works.pop())
            work.__dict__.update(self.found.works[place].__dict__)
            self.found.works[place] = work
            return work
        return None

    def _confirm(self, works: Sequence[ScopeWork], *, grace: bool) -> None:
        for name, remote in self.found.engine.remotes.items():
            touched = [work for work in works if name in work.bases and unsettled_refs(work.bases[name])]
            if touched:
                if grace and remote.has_turns:
                    self.found.engine.clock.sleep(self.found.engine.policy.grace_seconds)
                self.found.attempt(name, lambda remote=remote, touched=touched: self._read_back(remote, touched))

    def _read_back(self, remote: Remote, works: Sequence[ScopeWork]) -> None:
        now = Stamp(self.found.stamp.pass_id, self.found.engine.clock.now())
        confirm(works, remote, list_runs(remote), now)

    def settle(self, seconds: float) -> None:
        """Wait for what is in the air, as long as nothing changed under it."""
        until = self.found.engine.clock.now() + timedelta(seconds=seconds)
        while self.found.engine.clock.now() < until and (works := self._waiting()):
            self.found.progress(f"waiting for {len(works)} scopes to settle")
            self.found.engine.clock.sleep(POLL_SECONDS)
            self._confirm(works, grace=False)

    def _waiting(self) -> list[ScopeWork]:
        return [
            work
            for work in self.found.works
            if any(unsettled_refs(base) for base in work.bases.values())
            and not any(changed_again(work, remote) for remote in work.bases)
        ]


def tally(found: Gathering, written: Written, applied: bool) -> Tally:
    """Everything the report says besides the scopes' plans."""
    met = found.met
    return Tally(
        halts=found.halts,
        warnings=[
            *found.courses.warnings,
            *(met.notices if met else ()),
            *found.listed,
            *dict.fromkeys(warning for known in found.skipped for warning in known.warnings),
            *(Notice(name, said) for name, seen in found.observations.items() for said in seen.warnings),
        ],
        errors=[*found.courses.errors, *found.errors],
        unmanaged=sum(seen.unmanaged for seen in found.observations.values()),
        applied=applied,
        writes=written.applied,
        commits=found.commits,
        when=found.stamp.now.isoformat(),
        skipped=len(found.skipped),
        enrolled=[each.planned() for each in met.enrolments] if met else [],
        held={scope for seen in found.observations.values() for scope in seen.held},
    )
