"""The one place where a field is decided: what becomes of git's value ``g`` and the live value ``l``.

First rule that fits (DESIGN 7):

=====  ==========================================  ====================
rule   when                                        then
=====  ==========================================  ====================
1      g = l                                       agreed
2      l is known (settled, or sent since)         push g
3      both edited, and their edits do not touch   merge items or lines
4      g is what we last agreed, all from live     capture l
else                                               conflict
=====  ==========================================  ====================

Why 2 comes before 4: an agent's turn can write an old value back over ours, and an old value is never news.
Why 3 comes before 4: a turn that began before a capture writes its own edit and undoes the captured one.
A field that only the live side touched is captured as it stands, so that a new order survives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from reconciler.core.base import FieldBase, Origin, Unsettled
from reconciler.core.merge import merged, rebased, rebased_text, unique_items
from reconciler.core.snapshot import FieldRule
from reconciler.core.value import ABSENT, Held, same

MOST_REWRITES = 2
"""An old value that comes back once more than this may be meant, so a person decides (DESIGN 7, settle rule 6)."""

SAID_BY_BOTH = "both sides changed it"
CAME_BACK = "the same older value keeps coming back"
NO_COMMON_PAST = "both sides hold a value and their common past is unknown"


@dataclass(frozen=True)
class Agreed:
    """Both sides hold the same, or git says nothing of an owned field: what nobody declared is left as it is."""


@dataclass(frozen=True)
class Push:
    """The live side lacks git's value."""


@dataclass(frozen=True)
class Capture:
    """Git lacks the live value."""


@dataclass(frozen=True)
class Merge:
    """Neither side holds ``value``, the clean merge of both edits; or only git does."""

    value: Held


@dataclass(frozen=True)
class Conflict:
    """A person decides; until then each side keeps its own."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """Git's value is new and breaks its field, so it is not sent: whoever wrote it must mend it."""

    reason: str


Decision: TypeAlias = "Agreed | Push | Capture | Merge | Conflict | Refused"


def decide(rule: FieldRule, base: FieldBase, git: Held, live: Held) -> Decision:
    """Decide one field between git and one remote.

    A declared field that the live side removed goes back to its default: the course says that it exists.
    """
    decision = _decided(rule, base, git, live)
    if isinstance(decision, Capture) and live is ABSENT and rule.default is not ABSENT:
        return Merge(rule.default)
    return decision


def _decided(rule: FieldRule, base: FieldBase, git: Held, live: Held) -> Decision:
    if same(git, live) or (rule.owned and git is ABSENT):
        return Agreed()
    if rule.owned or base.knows(live):
        return _push(rule, base, git)
    if isinstance(base.expected, Unsettled):
        return _first_meeting(rule, base, git, live)
    if (problem := rule.problem(live)) is not None:
        return Conflict(problem)
    return _news(rule, base, git, live)


def _push(rule: FieldRule, base: FieldBase, git: Held) -> Decision:
    if same_settled(base, git):
        return Conflict(CAME_BACK) if base.rewrites >= MOST_REWRITES else Push()
    problem = None if rule.owned else rule.problem(git)
    return Push() if problem is None else Refused(problem)


def same_settled(base: FieldBase, value: Held) -> bool:
    """Whether the value is what the live side should already hold."""
    return not isinstance(base.expected, Unsettled) and same(base.expected, value)


def _first_meeting(rule: FieldRule, base: FieldBase, git: Held, live: Held) -> Decision:
    """The past is unknown: nothing is deleted, a default yields, anything else is a conflict."""
    if live is ABSENT:
        return _push(rule, base, git)
    if (problem := rule.problem(live)) is not None:
        return Conflict(problem)
    if git is ABSENT or same(git, rule.default):
        return Capture()
    return Conflict(NO_COMMON_PAST)


def _news(rule: FieldRule, base: FieldBase, git: Held, live: Held) -> Decision:
    """The live side holds something that git never saw."""
    git_is_old = same_settled(base, git)
    if git_is_old and not base.chain:
        return Capture()
    both = _merged(base, git, live)
    if both is not None:
        return _judged(rule, both, live)
    if git_is_old and not any(link.origin is Origin.GIT for link in base.chain):
        return Capture()
    return Conflict(SAID_BY_BOTH)


def _merged(base: FieldBase, git: Held, live: Held) -> Held | None:
    if isinstance(base.ancestor, Unsettled):
        return None
    start = _start(base.ancestor, base, git)
    if live is ABSENT and base.chain and same_settled(base, git) and unique_items(git) is not None:
        kept = merged(start, git, ())  # a turn that took the list away knew only the items of its start
        return ABSENT if kept == () else kept
    both = merged(start, git, live)
    return None if isinstance(both, str) and _brings_back(base, git, both) else both


def _brings_back(base: FieldBase, git: Held, text: str) -> bool:
    """Whether a line of a merged text is one that git had since the two settled, and gave up again."""
    known = {line for each in (base.ancestor, git) if isinstance(each, str) for line in each.splitlines()}
    since = {line for link in base.chain if isinstance(link.value, str) for line in link.value.splitlines()}
    return not (since - known).isdisjoint(text.splitlines())


def _start(ancestor: Held, base: FieldBase, git: Held) -> Held:
    """What a merge starts from: what both sides settled on, with what git did since the last value sent.

    Of a sent value that is no list, or no text, a live side knows no item, and no line.
    """
    sent = [link.value for link in base.chain]
    first, now = unique_items(() if ancestor is ABSENT else ancestor), unique_items(git)
    if sent and first is not None and now is not None:
        return rebased(first, now, [unique_items(each) or () for each in sent])
    if sent and isinstance(ancestor, str) and isinstance(git, str):
        return rebased_text(ancestor, git, [each if isinstance(each, str) else "" for each in sent])
    return ancestor


def _judged(rule: FieldRule, value: Held, live: Held) -> Decision:
    if (problem := rule.problem(value)) is not None:
        return Conflict(f"the merge of both edits is not valid: {problem}")
    return Capture() if same(value, live) else Merge(value)


def advance(base: FieldBase, decision: Decision, git: Held, live: Held) -> FieldBase:
    """The base once the decision is on record: intents included, before any write is made.

    A merge is recorded as what the live side holds; the push that sends its value there follows in the same pass.
    """
    match decision:
        case Agreed():
            return base if same_settled(base, live) or not same(git, live) else base.joined(live, _agreement(base))
        case Push():
            return _pushed(base, git, live)
        case Capture() | Merge():
            return base.joined(live, Origin.LIVE)
        case Conflict() | Refused():
            return base


def _agreement(base: FieldBase) -> Origin:
    """Whose value an agreement is. Adopted with an unknown past, it is git's: what a turn then brings back is asked."""
    return Origin.GIT if isinstance(base.expected, Unsettled) else Origin.LIVE


def _pushed(base: FieldBase, git: Held, live: Held) -> FieldBase:
    if same_settled(base, git):
        return replace(base, waits=None, round=1, rewrites=base.rewrites + 1)
    if isinstance(base.expected, Unsettled):
        base = base.joined(live, Origin.LIVE)  # should a turn bring it back, it is no news
    return base.joined(git, Origin.GIT)
