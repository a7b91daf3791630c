"""The plan of one scope: fold every remote's news into git's values, then say what each side lacks.

The fold is in memory: nothing here is written anywhere, so a dry run is this function and no more. One target per
field; a remote's captures come first in the order the sides are given, then every side is compared with the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.core.base import NEVER, Base, FieldBase, Origin, Settled
from reconciler.core.decide import Agreed, Capture, Conflict, Decision, Merge, Push, Refused, advance, decide
from reconciler.core.snapshot import MISSING, Ref, Seen, Spec, Unreadable
from reconciler.core.value import ABSENT, Fields, Held, Value, same

FieldKey: TypeAlias = "tuple[Ref, str]"
NO_DOUBT: frozenset[FieldKey] = frozenset()
WENT_BACK = "it went back to a value that git had replaced, together with other changes: saved from an old page?"


@dataclass(frozen=True)
class Side:
    """One remote as observed: what it showed per ref, and the base between it and git. Unseen refs are unknown."""

    name: str
    seen: Mapping[Ref, Seen]
    base: Base


@dataclass(frozen=True)
class Change:
    """One field moving one way. Pending: ``before`` is live's, ``after`` git's. Captured: the other way round."""

    remote: str
    ref: Ref
    name: str
    before: Held
    after: Held
    live: Held


@dataclass(frozen=True)
class Clash:
    """One field of one remote that a person must decide."""

    remote: str
    ref: Ref
    name: str
    base: Settled
    git: Held
    live: Held
    reason: str


@dataclass(frozen=True)
class Blind:
    """A resource of one remote that could not be judged, and the raw text where there was one."""

    remote: str
    ref: Ref
    reason: str
    raw: str | None = None


@dataclass(frozen=True)
class Plan:
    """What one pass would do to one scope. Empty where both sides agree."""

    target: Mapping[Ref, Fields]
    captured: tuple[Change, ...] = ()
    pending: tuple[Change, ...] = ()
    waiting: tuple[Change, ...] = ()
    creates: tuple[tuple[str, Ref], ...] = ()
    clashes: tuple[Clash, ...] = ()
    refused: tuple[Clash, ...] = ()
    blind: tuple[Blind, ...] = ()
    bases: Mapping[str, Base] = field(default_factory=dict[str, Base])

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be written on any side."""
        return not (self.captured or self.pending or self.creates)

    def unsettled(self) -> int:
        """How many fields were sent or agreed and are not believed yet."""
        return sum(
            not field_base.is_settled
            for base in self.bases.values()
            for fields in base.resources.values()
            for field_base in fields.values()
        )


def plan_scope(
    specs: Mapping[Ref, Spec],
    git: Mapping[Ref, Seen],
    sides: Sequence[Side],
    frozen: frozenset[Ref] = frozenset(),
    suspect: frozenset[FieldKey] = NO_DOUBT,
) -> Plan:
    """Plan one scope. ``frozen``: refs whose captures must wait, for example for uncommitted edits.

    suspect: fields whose news may be nobody's wish: a person decides instead of a capture.
    """
    fold = _Fold(specs, git, sides, frozen, suspect)
    for _ in range(len(sides) + 1):
        if not fold.capture_news():
            break
    return fold.compare()


class _Fold:
    """The working state of one planning: git's values as they grow, and each side's bases."""

    def __init__(
        self,
        specs: Mapping[Ref, Spec],
        git: Mapping[Ref, Seen],
        sides: Sequence[Side],
        frozen: frozenset[Ref],
        suspect: frozenset[FieldKey],
    ) -> None:
        self.specs, self.git, self.sides, self.frozen, self.suspect = specs, git, sides, frozen, suspect
        self.target: dict[Ref, dict[str, Value]] = {
            ref: dict(seen) for ref, seen in git.items() if isinstance(seen, Mapping)
        }
        self.bases: dict[str, dict[Ref, dict[str, FieldBase]]] = {
            side.name: {ref: dict(fields) for ref, fields in side.base.resources.items()} for side in sides
        }
        self.captured: list[Change] = []

    def capture_news(self) -> bool:
        """One walk over all sides, taking what is news into the target. Whether anything was."""
        before = len(self.captured)
        for side in self.sides:
            for ref, name, live, decision in self._decisions(side):
                if isinstance(decision, Capture | Merge) and ref not in self.frozen:
                    self._take(side, (ref, name), live, decision)
        return len(self.captured) > before

    def _take(self, side: Side, key: FieldKey, live: Held, decision: Capture | Merge) -> None:
        ref, name = key
        git = self._value(ref, name)
        value = decision.value if isinstance(decision, Merge) else live
        self._advance(side, key, decision, live)
        if same(value, git):
            return
        self.captured.append(Change(side.name, ref, name, git, value, live))
        if value is ABSENT:
            self.target[ref].pop(name, None)
        else:
            self.target[ref][name] = value

    def compare(self) -> Plan:
        """What each side lacks of the target, and what nobody can decide."""
        pending: list[Change] = []
        waiting: list[Change] = []
        clashes: list[Clash] = []
        refused: list[Clash] = []
        for side in self.sides:
            for ref, name, live, decision in list(self._decisions(side)):
                git, base = self._value(ref, name), self._base(side, ref, name)
                match decision:
                    case Push():
                        pending.append(Change(side.name, ref, name, live, git, live))
                    case Conflict(reason=reason):
                        clashes.append(Clash(side.name, ref, name, base.ancestor, git, live, reason))
                    case Refused(reason=reason):
                        refused.append(Clash(side.name, ref, name, base.ancestor, git, live, reason))
                    case Capture() | Merge():
                        waiting.append(Change(side.name, ref, name, git, live, live))
                        self._keep(side, (ref, name), base)
                        continue
                    case Agreed():
                        pass
                self._advance(side, (ref, name), decision, live)
        creates = [(side.name, ref) for side in self.sides for ref in self._to_make(side)]
        return Plan(
            target=self.target,
            captured=tuple(self.captured),
            pending=tuple(pending),
            waiting=tuple(waiting),
            creates=tuple(creates),
            clashes=tuple(clashes),
            refused=tuple(refused),
            blind=tuple(self._blind()),
            bases={side.name: Base(side.base.main, self.bases[side.name]) for side in self.sides},
        )

    def _decisions(self, side: Side) -> Iterable[tuple[Ref, str, Held, Decision]]:
        for ref, spec in self.specs.items():
            seen = side.seen.get(ref)
            if side.name not in spec.remotes or not isinstance(seen, Mapping) or ref not in self.target:
                continue
            for name in self._names(side, ref, seen):
                rule = spec.rule(name)
                if rule is None or not rule.applies_to(side.name):
                    continue
                live = seen.get(name, ABSENT)
                decision = decide(rule, self._base(side, ref, name), self._value(ref, name), live)
                is_doubted = isinstance(decision, Capture | Merge) and (ref, name) in self.suspect
                yield ref, name, live, Conflict(WENT_BACK) if is_doubted else decision

    def _names(self, side: Side, ref: Ref, seen: Fields) -> list[str]:
        known = self.bases[side.name].get(ref, {})
        return list(dict.fromkeys([*self.target[ref], *seen, *known]))

    def _to_make(self, side: Side) -> Iterable[Ref]:
        """Declared resources that the remote is known not to hold.

        A base that exists is kept until the resource is made: should "missing" prove false, it is still the truth. What
        it is made with is known from now on, for the process may die before it can say that it was.
        """
        for ref, spec in self.specs.items():
            if side.name in spec.remotes and spec.make and side.seen.get(ref) is MISSING and ref in self.target:
                known = self.bases[side.name].get(ref)
                fields = made(spec, self.target[ref])
                if known is not None:
                    self.bases[side.name][ref] = {**known, **{name: self._sent(side, ref, name) for name in fields}}
                elif fields:
                    self.bases[side.name][ref] = fields
                yield ref

    def _sent(self, side: Side, ref: Ref, name: str) -> FieldBase:
        return self._base(side, ref, name).joined(self._value(ref, name), Origin.GIT)

    def _blind(self) -> Iterable[Blind]:
        for ref, seen in self.git.items():
            if isinstance(seen, Unreadable):
                yield Blind("git", ref, seen.reason, seen.raw)
        for side in self.sides:
            for ref, spec in self.specs.items():
                seen = side.seen.get(ref)
                if side.name in spec.remotes and isinstance(seen, Unreadable):
                    yield Blind(side.name, ref, seen.reason, seen.raw)

    def _value(self, ref: Ref, name: str) -> Held:
        return self.target[ref].get(name, ABSENT)

    def _base(self, side: Side, ref: Ref, name: str) -> FieldBase:
        known = self.bases[side.name].get(ref, {}).get(name)
        return known or FieldBase(settled=ABSENT if ref in side.base.resources else NEVER)

    def _advance(self, side: Side, key: FieldKey, decision: Decision, live: Held) -> None:
        """Put the decision on record. What both sides hold of an owned field needs none: no turn writes an older
        value back over it, and where it differs again, git's is written whatever the past was."""
        before = self._base(side, *key)
        after = advance(before, decision, self._value(*key), live)
        if isinstance(decision, Agreed) and self.specs[key[0]].owns(key[1]):
            if before.is_settled:
                return
            after = after.settle()
        self._keep(side, key, after)

    def _keep(self, side: Side, key: FieldKey, base: FieldBase) -> None:
        """Keep the base of one field. A resource met for the first time gets an entry for every field met with it:
        a field without one is later read as absent on both sides."""
        ref, name = key
        if base != self._base(side, ref, name) or ref not in side.base.resources:
            self.bases[side.name].setdefault(ref, {})[name] = base


def made(spec: Spec, fields: Fields) -> dict[str, FieldBase]:
    """The base of a resource just made with these fields: nothing older of the merged ones can come back."""
    merged = {name: value for name, value in fields.items() if not spec.owns(name)}
    return {name: FieldBase().joined(value, Origin.MADE) for name, value in merged.items()}
