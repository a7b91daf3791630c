"""What a replica holds of each resource, as far as we could read it.

``Unreadable`` is its own kind: what could not be read is neither present nor absent, so it can never
look like a deletion (DESIGN 7, "Unknown").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.core.value import ABSENT, Fields, Held, Value

Scope: TypeAlias = str
"""``courses`` or ``user/<id>``."""
Ref: TypeAlias = str
"""``kind/path``, for example ``block/college-essay/student``."""


SETTING = "@"
"""First character of the names of a resource's settings, which are not in its document."""


@dataclass(frozen=True)
class Unreadable:
    """A resource that exists, and whose content cannot be known: why, and the raw text where there is one.

    handle: the system's own id of it, where a text that nobody could read may be written over.
    """

    reason: str
    raw: str | None = None
    handle: str = ""


class Missing:
    """The resource is known not to be there."""

    _only: Missing | None = None

    def __new__(cls) -> Missing:
        cls._only = cls._only or super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()

Seen: TypeAlias = "Fields | Unreadable | Missing"


def accept_any(_: Held) -> str | None:
    """The judgement on a field that nobody declared: anything is fine."""
    return None


@dataclass(frozen=True)
class FieldRule:
    """How one field is reconciled.

    owned: git decides; a difference is drift, recorded and undone. Otherwise both sides are merged.
    default: what the course declares; ABSENT where it declares nothing.
    problem: says why a value breaks the field's type, options or max; None where it does not.
    remotes: the remotes that have the field; None: all that have the resource.
    empty: what is sent for ABSENT, where a remote keeps the field beside a document and cannot leave it out.
    """

    owned: bool = False
    default: Held = ABSENT
    problem: Callable[[Held], str | None] = accept_any
    remotes: frozenset[str] | None = None
    empty: Value = ""

    def applies_to(self, remote: str) -> bool:
        """Whether this remote has the field at all."""
        return self.remotes is None or remote in self.remotes


UNDECLARED = FieldRule()


@dataclass(frozen=True)
class Spec:
    """What is reconciled of one resource: a rule per declared field, and what holds for the rest.

    remotes: the names of the remotes that hold this resource.
    open: whether fields nobody declared are merged too (blocks), or left alone (agents). Settings always are.
    make: whether a remote that lacks the resource is given it.
    """

    ref: Ref
    rules: Mapping[str, FieldRule] = field(default_factory=dict[str, FieldRule])
    remotes: frozenset[str] = frozenset()
    open: bool = True
    make: bool = True

    def rule(self, name: str) -> FieldRule | None:
        """The rule of a field; None where the field is nobody's business here."""
        is_merged = self.open and not name.startswith(SETTING)
        return self.rules.get(name, UNDECLARED if is_merged else None)

    def applies(self, name: str, remote: str) -> bool:
        """Whether the field is reconciled with this remote."""
        rule = self.rule(name)
        return rule is not None and rule.applies_to(remote)

    def owns(self, name: str) -> bool:
        """Whether git decides the field."""
        rule = self.rule(name)
        return rule is not None and rule.owned
