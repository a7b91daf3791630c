"""What both sides of one pair are known to hold, and what was sent or agreed since.

Per field: the settled value ``b``; a chain ``C`` of later values whose fate is not yet known; and the runs
that must end before the newest of them can be believed (DESIGN 7, "Base" and "Settle").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, TypeAlias

from reconciler.core.value import ABSENT, Held, same


class Origin(StrEnum):
    """Where a value of the chain came from."""

    GIT = "git"
    LIVE = "live"
    MADE = "made"
    """Git's value, given to a resource we created: no older value of it can come back."""


class Unsettled:
    """No value was ever settled: the past is unknown."""

    _only: Unsettled | None = None

    def __new__(cls) -> Unsettled:
        cls._only = cls._only or super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "NEVER"


NEVER: Final = Unsettled()
Settled: TypeAlias = "Held | Unsettled"


@dataclass(frozen=True)
class Link:
    """One value sent or agreed, and where it came from."""

    value: Held
    origin: Origin


@dataclass(frozen=True)
class FieldBase:
    """One field of one resource, between git and one remote.

    waits: ids of runs that were active after the newest link and may still write an older value back;
    None until the runs have been listed. round: 1 while waiting for the first such set, 2 for the second.
    rewrites: how often git's value was written again over the same older value.
    """

    settled: Settled = NEVER
    chain: tuple[Link, ...] = ()
    waits: frozenset[str] | None = frozenset()
    round: int = 1
    rewrites: int = 0

    @property
    def expected(self) -> Settled:
        """What the live side should hold, had nobody touched it."""
        return self.chain[-1].value if self.chain else self.settled

    @property
    def ancestor(self) -> Settled:
        """What merges start from: the settled value, or what we made the resource with."""
        made = [link.value for link in self.chain if link.origin is Origin.MADE]
        return made[0] if isinstance(self.settled, Unsettled) and made else self.settled

    def knows(self, value: Held) -> bool:
        """Whether the value is one that both sides have held before: the settled one, or any of the chain."""
        if not isinstance(self.settled, Unsettled) and same(self.settled, value):
            return True
        return any(same(link.value, value) for link in self.chain)

    def joined(self, value: Held, origin: Origin) -> FieldBase:
        """This base after one more value was sent or agreed: waiting again, from the next listing of runs.

        Rewrites are counted per value, so another value than the expected one starts at none.
        """
        chain, expected = self.chain, self.expected
        is_other = isinstance(expected, Unsettled) or not same(expected, value)
        if is_other or not chain or chain[-1].origin is not origin:
            chain = (*chain, Link(value, origin))
        return replace(self, chain=chain, waits=None, round=1, rewrites=0 if is_other else self.rewrites)

    def unsent(self) -> FieldBase:
        """This base after a write that is known not to have happened: it was no rewrite."""
        return replace(self, rewrites=max(self.rewrites - 1, 0))

    def settle(self) -> FieldBase:
        """This base once the newest value is believed."""
        if not self.chain:
            return replace(self, waits=frozenset(), round=1)
        return FieldBase(settled=self.chain[-1].value, rewrites=self.rewrites)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is in the air."""
        return not self.chain


FieldBases: TypeAlias = "Mapping[str, FieldBase]"


@dataclass(frozen=True)
class Base:
    """The base of one (scope, remote): per resource its fields, and the ``main`` commit it was made at."""

    main: str | None = None
    resources: Mapping[str, FieldBases] = field(default_factory=dict[str, FieldBases])

    def of(self, ref: str, name: str) -> FieldBase:
        """The base of one field. A field not among a known resource's was absent on both sides when last settled."""
        fields = self.resources.get(ref)
        if fields is None:
            return FieldBase()
        return fields.get(name) or FieldBase(settled=ABSENT)

    def at(self, main: str) -> Base:
        """The same base, as of another commit of ``main``."""
        return Base(main, self.resources)
