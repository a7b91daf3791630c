"""Whether a bulk observation looks like an accident, before any scope is touched: a wiped or restored server.

Judged per kind of resource, over the whole remote: one learner's lost block is healed, a hundred are a halt
(DESIGN 7, "Guard"). What could not be read is neither lost nor there, so it counts nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from reconciler.core.outcome import Halt
from reconciler.core.snapshot import Ref, Scope

EVERY_SCOPE: Scope = "*"
MOST_EXAMPLES = 3
WAYS_ON = "`--recreate` rebuilds it from git, `--accept-loss` takes the live state as it is"


class Thresholds(Protocol):
    """More than this share, or more than this many, of one kind is an accident; fewer than the floor never is."""

    @property
    def share(self) -> float: ...
    @property
    def count(self) -> int: ...
    @property
    def floor(self) -> int: ...


@dataclass(frozen=True)
class Expected:
    """One resource that the base says the remote held. had_values: whether any field of it was not blank."""

    kind: str
    scope: Scope
    ref: Ref
    had_values: bool = True


class Found(StrEnum):
    """What the observation showed of an expected resource.

    OLDER: an earlier tracked value, and neither the settled one nor one still in the air. While a write is unsettled a
    turn may bring the settled value back; that is healed field by field and says nothing of the server.
    """

    PRESENT = "present"
    BLANK = "blank"
    MISSING = "missing"
    OLDER = "back at an earlier value"
    UNKNOWN = "unknown"


LOST = (Found.MISSING, Found.BLANK, Found.OLDER)
"""In the order a sentence names them."""


def judge(remote: str, pairs: Iterable[tuple[Expected, Found]], limits: Thresholds) -> list[Halt]:
    """The halts of one remote, one per kind that looks like an accident; none where all is well."""
    kinds: dict[str, list[tuple[Expected, Found]]] = {}
    for expected, found in pairs:
        if found is not Found.UNKNOWN:
            kinds.setdefault(expected.kind, []).append((expected, found))
    return [
        Halt(EVERY_SCOPE, remote, _sentence(remote, kind, known, lost))
        for kind, known in sorted(kinds.items())
        if _is_accident(lost := [pair for pair in known if _is_loss(*pair)], known, limits)
    ]


def _is_loss(expected: Expected, found: Found) -> bool:
    return found in LOST and (found is not Found.BLANK or expected.had_values)


def _is_accident(lost: Sequence[object], known: Sequence[object], limits: Thresholds) -> bool:
    """All losses of a kind count together: a half-wiped, half-restored server is one accident."""
    many = len(lost) > limits.count or len(lost) > limits.share * len(known)
    return many and len(lost) >= max(limits.floor, 1)


def _sentence(
    remote: str, kind: str, known: Sequence[tuple[Expected, Found]], lost: Sequence[tuple[Expected, Found]]
) -> str:
    """For example: of 30 agents that letta held, 12 are missing (agent/essay of user/ada, …); …."""
    seen = [
        f"{len(refs)} {'is' if len(refs) == 1 else 'are'} {found} ({_examples(refs)})"
        for found in LOST
        if (refs := [expected for expected, what in lost if what is found])
    ]
    return f"of {_counted(len(known), kind)} that {remote} held, {', '.join(seen)}; nothing was written: {WAYS_ON}"


def _counted(count: int, kind: str) -> str:
    return f"{count} {kind}" if count == 1 else f"{count} {kind}s"


def _examples(found: Sequence[Expected]) -> str:
    named = [f"{expected.ref} of {expected.scope}" for expected in found[:MOST_EXAMPLES]]
    return ", ".join(named if len(found) <= MOST_EXAMPLES else [*named, "…"])
