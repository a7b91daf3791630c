"""What one pass found and did, as values: the plan people read, the JSON programs read, and the exit code.

Nothing here is text for people; ``report.py`` renders it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reconciler.core.base import Settled
from reconciler.core.snapshot import Ref, Scope
from reconciler.core.value import Held

Flow: TypeAlias = Literal["pending", "captured"]
Verb: TypeAlias = Literal["create", "update", "delete"]

IN_SYNC, ERROR, CHANGES, NEEDS_A_PERSON = 0, 1, 2, 3
"""Exit codes (DESIGN 9)."""


@dataclass(frozen=True)
class FieldChange:
    """One field of one planned change; ABSENT where there is none."""

    name: str
    before: Held
    after: Held


@dataclass(frozen=True)
class PlannedAction:
    """One resource moving one way. ``remote`` is ``git`` where git itself gains what the course declares."""

    flow: Flow
    scope: Scope
    remote: str
    ref: Ref
    verb: Verb
    fields: tuple[FieldChange, ...]
    author: str = ""


@dataclass(frozen=True)
class ClashField:
    """One field that a person must decide; ``diff`` is the id of its pending diff."""

    name: str
    base: Settled
    git: Held
    live: Held
    reason: str
    diff: str = ""


@dataclass(frozen=True)
class PlannedConflict:
    """One resource of one remote whose fields a person must decide."""

    scope: Scope
    remote: str
    ref: Ref
    fields: tuple[ClashField, ...]

    @property
    def diff(self) -> str:
        """The id of the first field's pending diff."""
        return self.fields[0].diff if self.fields else ""


@dataclass(frozen=True)
class Unknown:
    """What could not be read, and why: never in sync, never touched."""

    scope: Scope
    remote: str
    ref: Ref
    reason: str


@dataclass(frozen=True)
class Halt:
    """Something that looks like an accident: nothing was written. ``reason`` says what was seen and the way on."""

    scope: Scope
    remote: str
    reason: str


@dataclass(frozen=True)
class Notice:
    """A warning or an error: where, and one sentence."""

    where: str
    message: str


@dataclass(frozen=True)
class Report:
    """One pass. ``applied``: whether it was allowed to write. ``writes`` and ``commits``: what it really did.

    held_scopes: where somebody was still typing, so that something was not looked at yet.
    """

    actions: Sequence[PlannedAction] = ()
    conflicts: Sequence[PlannedConflict] = ()
    unknown: Sequence[Unknown] = ()
    halts: Sequence[Halt] = ()
    warnings: Sequence[Notice] = ()
    errors: Sequence[Notice] = ()
    unsettled: int = 0
    unmanaged: int = 0
    scopes: int = 0
    applied: bool = False
    writes: int = 0
    commits: int = 0
    unsettled_scopes: Sequence[Scope] = ()
    held_scopes: Sequence[Scope] = ()

    @property
    def is_in_sync(self) -> bool:
        """Whether there is nothing to do, nothing unknown and nobody to ask."""
        return self.exit_code == IN_SYNC

    @property
    def exit_code(self) -> int:
        """1 before 3 before 2 before 0. After an apply, actions were done: only what is unsettled is left to do."""
        if self.errors or self.unknown:
            return ERROR
        if self.conflicts or self.halts:
            return NEEDS_A_PERSON
        if self.unsettled or (self.actions and not self.applied):
            return CHANGES
        return IN_SYNC
