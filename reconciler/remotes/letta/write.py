"""One write to one resource: compare with what was observed, then act, then say what the reply showed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from reconciler.core.snapshot import Ref, Unreadable
from reconciler.core.value import ABSENT, Value, same
from reconciler.desired import NAMED
from reconciler.errors import Terminal, Transient
from reconciler.ports import Action, Applied, Failed, Live, Outcome, Stale
from reconciler.remotes.letta.agent_write import AgentWriter
from reconciler.remotes.letta.blocks import block_changes, new_block, too_large
from reconciler.remotes.letta.client import LONGEST_SENTENCE, Api, Refused
from reconciler.remotes.letta.find import Finder
from reconciler.remotes.letta.known import Known
from reconciler.remotes.letta.marks import Identity, Kind, identity
from reconciler.remotes.letta.offers import Offers
from reconciler.remotes.letta.reread import Rereader
from reconciler.remotes.letta.wire import Json, handle, texts

# Anything else is answered with a 500, which would be tried again for ever (letta 0.16.8).
_AGENT_NAME = re.compile(r"[\w\s'-]+")


class Writer:
    """Every expected trouble comes out as an `Outcome`; only bugs are raised."""

    def __init__(self, api: Api, workspace: str, known: Known, offers: Offers, now: Callable[[], datetime]) -> None:
        self._api = api
        self._workspace = workspace
        self._known = known
        self._now = now
        self._offers = offers
        self._again = Rereader(api, workspace, known)
        self._find = Finder(api, workspace, known, self._again, now)
        self._agents = AgentWriter(api, known, self._find, offers)

    def apply(self, action: Action) -> Outcome:
        try:
            check_writable(action)
            return {"create": self._create, "update": self._update, "delete": self._delete}[action.verb](action)
        except Transient as error:
            return Failed(_short(error), transient=True)
        except Refused as error:
            self._offers.forget()  # A server restored from elsewhere has other ids for the same tools.
            return Failed(_short(error), transient=error.is_transient)
        except (Terminal, ValueError) as error:
            return Failed(_short(error), transient=False)

    def _create(self, action: Action) -> Outcome:
        it = Identity(action.scope, action.ref)
        if found := self._find.existing(it):
            return Stale(f"{action.ref} of {action.scope} is already there: {found}")
        self._known.note_attempt(it)
        if _kind(action) == "agent":
            row = self._agents.create(action)
        else:
            row = self._api.create_block(new_block(self._workspace, action))
        self._known.learn(handle(row), it)
        return self._shown(row, it)

    def _update(self, action: Action) -> Outcome:
        before = _before(action)
        row = self._again.row(_kind(action), before.handle)
        if row is None:
            return Stale(f"{action.ref} of {action.scope} is gone: {before.handle}")
        it, then = Identity(action.scope, action.ref), Identity(action.scope, _marked(before))
        if self._again.is_somebody_elses(_kind(action), row, then.ref, action.scope):
            return Stale(f"{before.handle} is no longer {then.ref} of {action.scope}: its tags say otherwise")
        self._known.learn(before.handle, then)
        moved = _moved(action, before, self._again.live(row, then))
        if moved:
            return Stale(f"{action.ref} of {action.scope} has changed since it was read: {moved}")
        written = self._written(action, row)
        self._known.learn(before.handle, it)
        return self._shown(written, it)

    def _written(self, action: Action, row: Json) -> Json:
        if _kind(action) == "agent":
            return self._agents.update(action, row)
        body = block_changes(self._workspace, action, row)
        return self._api.update_block(handle(row), body) if body else row

    def _delete(self, action: Action) -> Outcome:
        """By its id, and only while it has our marks: whoever took them off has made it theirs."""
        before, it = _before(action), Identity(action.scope, action.ref)
        row = self._again.row(_kind(action), before.handle)
        if row is None:
            return Applied(None)
        if identity(self._workspace, _kind(action), texts(row.get("tags"))) != it:
            return Stale(f"{before.handle} no longer has the tags of {action.ref} of {action.scope}; it is left alone")
        live = self._again.live(row, it)
        if isinstance(live, Live) and before.text is not None and live.text != before.text:
            return Stale(f"{action.ref} of {action.scope} has changed since it was read: its text")
        delete = self._api.delete_agent if _kind(action) == "agent" else self._api.delete_block
        try:
            delete(before.handle)
        except Refused as error:
            if error.status != 404:
                raise
        self._known.forget(before.handle)
        return Applied(None)

    def _shown(self, row: Json, it: Identity) -> Outcome:
        live = self._again.live(row, it)
        if isinstance(live, Unreadable):
            return Failed(
                f"{it.ref} of {it.scope} was written; the reply cannot be read: {live.reason}", transient=True
            )
        return Applied(live)


def check_writable(action: Action) -> None:
    """Refuse what Letta would not hold as it is: it strips NUL bytes, and half a surrogate pair is no text."""
    for name, value in (("text", action.text or ""), *action.fields.items()):
        for each in _strings(value):
            if "\0" in each or any("\ud800" <= char <= "\udfff" for char in each):
                raise ValueError(f"{action.ref} of {action.scope}: {name} holds a character Letta cannot hold")
    name = action.fields.get("name", "name")
    if _kind(action) == "agent" and not (isinstance(name, str) and _AGENT_NAME.fullmatch(name)):
        raise ValueError(f"Letta takes only letters, digits, blanks, - _ and ' in an agent's name, not {name!r}")
    if action.text is not None and too_large(action.text):
        raise ValueError(f"{action.ref} of {action.scope}: the text is too large, {len(action.text):,} characters")


def _strings(value: Value) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [found for each in value for found in _strings(each)]
    return []


def _moved(action: Action, before: Live, now: Live | Unreadable) -> str:
    """What of the things to be written no longer is what was observed; empty where all of it is."""
    if isinstance(now, Unreadable):
        return now.reason
    texts_differ = action.text is not None and now.text != before.text
    differing = (
        name for name in action.fields if not same(before.fields.get(name, ABSENT), now.fields.get(name, ABSENT))
    )
    return ", ".join([*(["its text"] if texts_differ else []), *differing])


def _before(action: Action) -> Live:
    if action.before is None:
        raise ValueError(f"{action.verb} of {action.ref}: what was observed is missing")
    return action.before


def _marked(live: Live) -> Ref:
    """The ref in its marks: of a block that is being renamed, still the former one."""
    return str(live.fields.get(NAMED, live.ref))


def _kind(action: Action) -> Kind:
    return "agent" if action.ref.startswith("agent/") else "block"


def _short(error: Exception) -> str:
    return str(error)[: LONGEST_SENTENCE + 100]
