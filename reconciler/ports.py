"""Every seam on one page: what the engine needs of git, of the live systems and of time.

Two implementations each at least: the real one, and the one that tests and the simulation use; both pass the same
contract suite. Remotes translate and never decide; repos store and never decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, Protocol, TypeAlias

from reconciler.core.snapshot import Ref, Scope, Unreadable
from reconciler.core.value import Fields

NO_FIELDS: Fields = MappingProxyType({})
NO_OFFERS: Mapping[str, frozenset[str]] = MappingProxyType({})
NO_HELD: Mapping[Scope, frozenset[Ref]] = MappingProxyType({})

# ---------------------------------------------------------------------------- git


@dataclass(frozen=True)
class Person:
    """A git identity: name and e-mail, one line each, free of ``<``, ``>`` and control characters."""

    name: str
    email: str


@dataclass(frozen=True)
class Commit:
    """One commit as read back. ``when`` is the author's date, aware, UTC."""

    id: str
    parents: tuple[str, ...]
    author: Person
    when: datetime
    message: str


@dataclass(frozen=True)
class Draft:
    """A commit to be made: the tree of ``onto`` (empty where None) with ``changes`` applied (None deletes)."""

    onto: str | None
    parents: tuple[str, ...]
    changes: Mapping[str, bytes | None]
    author: Person
    message: str
    when: datetime


class Repo(Protocol):
    """One git repository, or one folder of a larger one: paths are relative to that folder, ``/``-separated.

    Every method raises Terminal on damage and Transient where a lock is held.
    """

    def ref(self, name: str) -> str | None:
        """The commit a full ref name (``refs/heads/main``) points at; None where there is none."""
        ...

    def move(self, name: str, old: str | None, new: str) -> bool:
        """Compare-and-set: point the ref at ``new`` only while it is at ``old`` (None: not there). False if it moved.

        Where the ref is the checked-out branch, index and work tree follow for clean paths; a path with
        uncommitted edits keeps them.
        """
        ...

    def files(self, commit: str) -> Mapping[str, str]:
        """Blob id per path of every regular file. Links and submodules are left out (``odd`` names them)."""
        ...

    def odd(self, commit: str) -> Sequence[str]:
        """Paths that are not regular files: symbolic links, submodules. Never followed."""
        ...

    def read(self, blob: str) -> bytes:
        """The content of a blob."""
        ...

    def commit(self, draft: Draft) -> str:
        """Write the commit and return its id. No ref moves: until one does, nobody sees it. We are its committer."""
        ...

    def info(self, commit: str) -> Commit: ...

    def log(self, new: str, old: str | None = None, limit: int = 10_000) -> Sequence[Commit]:
        """Commits reachable from ``new`` and not from ``old``, oldest first."""
        ...

    def is_ancestor(self, old: str, new: str) -> bool: ...

    def dirty(self) -> frozenset[str]:
        """Paths of the checked-out work tree with uncommitted or staged edits; empty for a repo without one."""
        ...


class Workspace(Protocol):
    """The repos of one workspace."""

    uuid: str

    def users(self) -> Sequence[str]:
        """User ids, sorted."""
        ...

    def repo(self, scope: Scope) -> Repo: ...

    def add_user(self, user: str, files: Mapping[str, bytes], author: Person, when: datetime) -> Repo:
        """A new user's repo with these files as its first commit; Terminal where there is one already."""
        ...


# ---------------------------------------------------------------------------- live systems


@dataclass(frozen=True)
class Live:
    """One resource as a live system shows it.

    handle: the system's own id. text: the document, for what has one (blocks). fields: what is not in a document
    (an agent's configuration; a block's settings, named ``@description``, ``@limit``, …).
    changed_at: when the system says it last changed, where it says so; aware, UTC.
    holders: ids of the agents a running turn of which could write an older value back; None: not known.
    """

    ref: Ref
    handle: str
    text: str | None = None
    fields: Fields = field(default_factory=lambda: NO_FIELDS)
    holders: frozenset[str] | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Observation:
    """What one bulk read showed.

    seen: per scope and ref. complete: the kinds of ref of which what is not in ``seen`` is known not to exist,
    within the scopes asked for; of other kinds it is unknown.
    offers: what the system has to offer that git can only ask for, for example ``{"tools": {"send_message", …}}``.
    unmanaged: how many resources without our mark, or of other workspaces, were left alone.
    held: present, but not to be looked at yet: neither read nor missing (somebody is still typing).
    """

    seen: Mapping[Scope, Mapping[Ref, Live | Unreadable]]
    complete: frozenset[str]
    offers: Mapping[str, frozenset[str]] = field(default_factory=lambda: NO_OFFERS)
    unmanaged: int = 0
    warnings: tuple[str, ...] = ()
    held: Mapping[Scope, frozenset[Ref]] = field(default_factory=lambda: NO_HELD)


@dataclass(frozen=True)
class Run:
    """One agent run that the live system says is active. ``started``: aware, UTC."""

    id: str
    agent: str
    started: datetime


Verb: TypeAlias = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class Action:
    """One write to one resource of one remote.

    before: what was observed and must still hold (None: create). text: the whole document to write, None where it
    stays. fields: the other fields to write, and only those.
    """

    scope: Scope
    ref: Ref
    verb: Verb
    before: Live | None
    text: str | None
    fields: Fields = field(default_factory=lambda: NO_FIELDS)


@dataclass(frozen=True)
class Applied:
    """Written; what the reply showed."""

    live: Live | None


@dataclass(frozen=True)
class Stale:
    """Not written: the resource no longer held what was observed."""

    found: str


@dataclass(frozen=True)
class Failed:
    """Perhaps written: the next pass looks. ``transient``: worth another try by itself."""

    reason: str
    transient: bool


Outcome: TypeAlias = "Applied | Stale | Failed"

Depth: TypeAlias = Literal["recent", "values", "full"]
"""How much a bulk read covers: what moved lately; every document; everything."""


@dataclass(frozen=True)
class Edit:
    """A live value of one field to be explained: who made it?

    ``before`` and ``after`` are whole document texts that differ in field ``name`` and in nothing else. Of a resource
    without a document, ``after`` is the value where that is a text, else empty.
    """

    scope: Scope
    live: Live
    before: str | None
    after: str
    name: str = ""


@dataclass(frozen=True)
class Actor:
    """Who made an edit: ``kind`` is agent, person, api or unknown; ``known`` where evidence explains the very value.

    subject: what they themselves said of the change, one line; empty where they said nothing.
    """

    kind: Literal["agent", "person", "api", "unknown"]
    id: str
    person: Person
    known: bool
    subject: str = ""


class Remote(Protocol):
    """One live system. Errors while reading raise Transient or Terminal; errors while writing are outcomes."""

    name: str
    has_turns: bool
    """Whether agents run there whose turns can write older values back."""

    def observe(self, scopes: Sequence[Scope] | None, depth: Depth) -> Observation:
        """Read in bulk. ``scopes``: only these are needed (None: all); more may be returned."""
        ...

    def reread(self, lives: Sequence[Live]) -> Mapping[str, Live | Unreadable | None]:
        """The same resources again, by handle; None where a handle is known to be gone."""
        ...

    def active_runs(self) -> Sequence[Run]:
        """Runs that may still write back what they read at their start. Empty for a system without such runs."""
        ...

    def apply(self, action: Action) -> Outcome:
        """Compare, then write. Creating first looks for a thing already made, by its marks."""
        ...

    def explain(self, edits: Sequence[Edit], since: datetime | None) -> Sequence[Actor]:
        """Who made each edit, as far as evidence goes; one actor per edit, in order."""
        ...

    def past(self, live: Live) -> Sequence[Fields]:
        """What it held lately by the system's own record, the present first; empty where the system keeps none."""
        ...


@dataclass(frozen=True)
class WebUser:
    """One account of the chat system. ``role``: admin, user or pending."""

    id: str
    name: str
    email: str
    role: str


class People(Protocol):
    """Who has an account where people chat and edit."""

    def users(self) -> Sequence[WebUser]: ...

    def groups(self) -> Sequence[WebGroup]: ...


@dataclass(frozen=True)
class WebGroup:
    """A group of accounts. ``members``: account ids."""

    id: str
    name: str
    members: frozenset[str]


@dataclass(frozen=True)
class WebThread:
    """What is known of a chat without its messages; empty or None where a listing is silent.

    user: its owner. reader: whom it is shared with, of a background agent's run.
    """

    id: str
    title: str
    updated_at: datetime
    created_at: datetime | None = None
    model: str = ""
    user: str = ""
    reader: str = ""


@dataclass(frozen=True)
class WebMessage:
    """One message of a thread. ``role``: user or assistant."""

    role: str
    content: str


class Threads(Protocol):
    """The chats that people have with a model, and the runs of background agents."""

    def threads_with(self, model: str, since: datetime | None = None) -> Sequence[WebThread]:
        """Every thread that holds an answer of the model, since then where a time is given."""
        ...

    def thread(self, chat: str) -> WebThread | None:
        """One thread with all that is known of it; None where there is none any more."""
        ...

    def transcript(self, chat: str) -> Sequence[WebMessage]:
        """What was said on the branch that is shown, in order."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def sleep(self, seconds: float) -> None: ...
