"""Open WebUI's part of a world: its server, who watches over it, and how an engine is connected to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random

from reconciler.core.snapshot import Ref, Scope
from reconciler.embedded.openwebui.state import Row
from reconciler.ports import Live
from reconciler.remotes.openwebui.adapter import OpenWebUIRemote
from reconciler.simulation.documents import WEB, fields_of, model_text
from reconciler.simulation.events import Events
from reconciler.simulation.faults import Hazard, SimClock, SimRemote
from reconciler.simulation.reach import Reach
from reconciler.simulation.repo import MemoryRepo
from reconciler.simulation.web import MemoryApi, SimPeople, WebServer, is_note, markdown, ref_of_row, scope_of, text_of
from reconciler.simulation.witness import Violation, Witness
from reconciler.sync.scope import PATIENCE

QUIET_SECONDS = 2.0


class WebSide:
    """people: what the engine of now meets accounts through. accounts: who writes in the notes of a scope.

    pages: models as open editors have them. unseen: models that were saved from an old page, until a pass that listed
    them (``listed``) has put that on record.
    """

    def __init__(self, clock: SimClock, workspace: str, repos: Mapping[Scope, MemoryRepo]) -> None:
        self.clock, self.workspace = clock, workspace
        self.server = WebServer(clock.now, workspace)
        self.witness = Witness(repos, WEB)
        self.people: SimPeople | None = None
        self.events = Events(clock.now)
        self.pages: list[Row] = []
        self.unseen: set[str] = set()
        self.listed: set[str] = set()
        self.accounts: dict[Scope, str] = {"courses": self.server.teacher}

    def connected(
        self, hazard: Hazard, reach: Callable[[Scope], Reach], say: Callable[[str], None], *, is_heard: bool
    ) -> tuple[SimRemote, SimPeople]:
        """A new process' adapter, which knows nothing yet. is_heard: whether what it is shown is promised anything."""

        def changed(before: Row, after: Row) -> None:
            self._changed(before, after, reach, say)

        api = MemoryApi(self.server, hazard, changed)
        remote = OpenWebUIRemote("", "", self.workspace, now=self.clock.now, quiet_seconds=QUIET_SECONDS, api=api)
        showed = self._showed if is_heard else _unheard
        people = SimPeople(remote, hazard)
        if is_heard:
            self.people = people
        return SimRemote(remote, hazard, self.clock, showed), people

    @property
    def was_unmet(self) -> bool:
        """Whether the accounts could not be listed in the pass at hand: then nothing of Open WebUI was looked at."""
        return self.people is not None and self.people.unmet

    def join(self, user: str) -> str:
        """An account for a learner."""
        account = self.server.add_account(user)
        self.accounts[f"user/{user}"] = account
        return account

    def writer(self, scope: Scope) -> str:
        """The account that writes in the notes of a scope."""
        return self.accounts[scope]

    def hear(self, rng: Random) -> None:
        """The server tells of what happened there: not of what was typed in notes."""
        if self.server.drained():
            self.events.tell(rng, "recent")

    def begin(self) -> None:
        """Another pass."""
        self.listed.clear()
        if self.people is not None:
            self.people.unmet = False

    def tracked(self, scope: Scope) -> list[tuple[str, Ref]]:
        """The notes of a scope, by handle."""
        return [(row["id"], ref_of_row(row)) for row in self.server.notes() if scope_of(row) == scope]

    def _showed(self, scope: Scope | None, live: Live, is_listing: bool) -> None:
        row = self.server.row(live.handle)
        if row is None:
            return
        self.listed |= self.unseen & {live.handle} if is_listing else set()
        text = model_text(live.fields) if live.text is None else live.text
        is_half = fields_of(live.ref, text) is None
        if is_half and live.changed_at is not None and self.clock.now() - live.changed_at < PATIENCE + BETWEEN:
            return  # its writer may still be writing: a pass need not put that on record
        self.witness.shown(scope_of(row), live.ref, text, is_listing)

    def _changed(self, before: Row, after: Row, reach: Callable[[Scope], Reach], say: Callable[[str], None]) -> None:
        """The engine wrote: nothing may be gone that nobody can find."""
        scope, ref, new = scope_of(before), ref_of_row(before), text_of(after)
        old = text_of(before)
        old = markdown(before) if old is None else old  # as it would be on record
        if new is None or old == new:
            return
        say(f"  write {'note' if is_note(before) else ''} {scope} {ref}: {new!r} over {old!r}")
        self.witness.overwritten(scope, ref, old, new)
        if why := reach(scope).lacks(ref, old, new):
            raise Violation(f"{scope} {ref}: overwrote {why} in Open WebUI, which no ref reaches")


BETWEEN = timedelta(seconds=3)
"""Between a listing and the begin of its pass, by which the engine judges: never more."""


def _unheard(scope: Scope | None, live: Live, is_listing: bool) -> None:
    """What a command is shown is promised nothing: it need not come to a pass."""
