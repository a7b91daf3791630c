"""Letta as a `Remote`: the parts of this package put together, and the runs that may write back old values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from reconciler.core.snapshot import Scope, Unreadable
from reconciler.core.value import Fields
from reconciler.errors import Terminal
from reconciler.ports import Action, Actor, Depth, Edit, Live, Observation, Outcome, Person, Run
from reconciler.remotes.letta.attribution import Attribution
from reconciler.remotes.letta.client import Api, Refused
from reconciler.remotes.letta.known import Known
from reconciler.remotes.letta.offers import Offers
from reconciler.remotes.letta.paging import walk
from reconciler.remotes.letta.read import Reader
from reconciler.remotes.letta.reread import Rereader
from reconciler.remotes.letta.wire import Json, handle, moment, text
from reconciler.remotes.letta.write import Writer

T = TypeVar("T")

RUNS_A_PAGE = 1000
SOMEBODY = Actor("api", "", Person("Letta API", "api@letta.invalid"), known=False)


class LettaRemote:
    """Only what carries this workspace's tags is read as ours; nothing else is ever written to."""

    has_turns = True

    def __init__(
        self,
        base_url: str,
        token: str,
        workspace_uuid: str,
        *,
        now: Callable[[], datetime],
        default_actor: Actor = SOMEBODY,
        timeout: float = 60.0,
    ) -> None:
        self.name = "letta"
        self._now = now
        self._api = Api(base_url, token, timeout)
        known, offers = Known(), Offers(self._api, now)
        self._reader = Reader(self._api, workspace_uuid, known, offers, now)
        self._rereader = Rereader(self._api, workspace_uuid, known)
        self._writer = Writer(self._api, workspace_uuid, known, offers, now)
        self._attribution = Attribution(self._api, known, default_actor)

    def close(self) -> None:
        self._api.close()

    def observe(self, scopes: Sequence[Scope] | None, depth: Depth) -> Observation:
        return _answered(lambda: self._reader.observe(scopes, depth))

    def reread(self, lives: Sequence[Live]) -> Mapping[str, Live | Unreadable | None]:
        return _answered(lambda: self._rereader.reread(lives))

    def active_runs(self) -> Sequence[Run]:
        return _answered(self._runs)

    def apply(self, action: Action) -> Outcome:
        return self._writer.apply(action)

    def explain(self, edits: Sequence[Edit], since: datetime | None) -> Sequence[Actor]:
        return _answered(lambda: self._attribution.explain(edits, since))

    def past(self, live: Live) -> Sequence[Fields]:
        """None is asked for: no editor of Letta's sends fields that its user did not touch."""
        return ()

    def _runs(self) -> list[Run]:
        found, _ = walk(self._api.runs, RUNS_A_PAGE, {"active": True})
        return [self._run(row) for row in found]

    def _run(self, row: Json) -> Run:
        """A run without a readable start began just now: too young is the safe side, old runs count as dead."""
        return Run(handle(row), text(row, "agent_id"), moment(row.get("created_at")) or self._now())


def _answered(read: Callable[[], T]) -> T:
    """A refusal while reading is nobody's expected outcome: the address is not Letta's, or its API has changed."""
    try:
        return read()
    except Refused as error:
        raise Terminal(f"{error}; is the configured address a Letta server of a supported version?") from error
