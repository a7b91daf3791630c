"""The story of one field as nobody inside the engine knows it: who meant what, and when.

It is told by those who act in the simulation, so it can say of a change whether anybody wanted it. Every number is a
moment on one counter.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from reconciler.core.snapshot import Ref, Scope
from reconciler.core.value import ABSENT, Held, same

NEVER_YET = -1


class Unsure:
    """Nobody can say what this field must hold in the end."""

    def __repr__(self) -> str:
        return "UNSURE"


UNSURE: Final = Unsure()
FieldKey: TypeAlias = "tuple[Scope, Ref, str]"


def key_of(value: Held) -> str:
    """A value as a key: equal only for values of the same type."""
    return repr(value)


def parts_of(value: Held, prose: bool) -> tuple[str, ...] | None:
    """What merges one by one: the items of a list, the lines of a prose text; None for everything else."""
    if isinstance(value, tuple):
        return tuple(key_of(each) for each in value)
    if prose and isinstance(value, str):
        return tuple(value.splitlines())
    return None


@dataclass
class Story:
    """touched: who edited the field since both sides last agreed on a settled value: ``git``, ``live``; ``air`` where
    a value was on its way. decided: values of questions that were answered since: whoever sets one again is not heard
    until both sides agree.

    expect: what it must hold in the end, as far as one side alone decided it. meant: when each value was last meant
    live. left: when git last gave each value up. added, removed: the parts that somebody put in or took out live.
    gained: the parts that a person put into git. lost: those git gave up. gone: parts that anybody ever removed.
    wanted: parts that were seen live by a pass that ended well. disputed: parts that stood in a conflict. given: when
    each value was last sent to the live side, or known to be there. taken_at: when git took its value. captured_at:
    when it last took one from the live side.
    """

    prose: bool
    git: Held = ABSENT
    touched: set[str] = field(default_factory=set[str])
    decided: set[str] = field(default_factory=set[str])
    expect: Held | Unsure = UNSURE
    by: str = ""
    meant: dict[str, int] = field(default_factory=dict[str, int])
    news: set[str] = field(default_factory=set[str])
    agreed: Held = ABSENT
    recent: set[str] = field(default_factory=set[str])
    left: dict[str, int] = field(default_factory=dict[str, int])
    added: dict[str, int] = field(default_factory=dict[str, int])
    removed: dict[str, int] = field(default_factory=dict[str, int])
    gained: dict[str, int] = field(default_factory=dict[str, int])
    lost: dict[str, int] = field(default_factory=dict[str, int])
    gone: set[str] = field(default_factory=set[str])
    wanted: set[str] = field(default_factory=set[str])
    disputed: set[str] = field(default_factory=set[str])
    given: dict[str, int] = field(default_factory=dict[str, int])
    taken_at: int = NEVER_YET
    captured_at: int = NEVER_YET

    # ------------------------------------------------------------------ what people and agents mean

    def mean_live(self, before: Held, after: Held, at: int, sure: bool) -> None:
        """Somebody changed the live value. sure: no running turn can undo it before it is seen."""
        known = key_of(after) in self.meant or key_of(after) in self.left or same(after, self.git)
        is_free = sure and not known and self.touched <= {"live"}
        self.expect, self.by = (after, "live") if is_free else (UNSURE, "")
        self.touched.add("live")
        self.meant[key_of(after)] = at
        self.news.add(key_of(after))
        old, new = self._parts(before), self._parts(after)
        self.added.update((part, at) for part in new if part not in old)
        self.news.update(f"+{part}" for part in new if part not in old)
        self.removed.update((part, at) for part in old if part not in new)
        self.gone.update(part for part in old if part not in new)

    def leave_out(self, after: Held, at: int) -> None:
        """Somebody wrote the whole anew: none of what git ever gave the live side is meant that they left out."""
        held = self._parts(after)
        self.removed.update((part, at) for part in self.lost if part not in held)

    def come_back(self, before: Held, live: Held, at: int) -> None:
        """A turn wrote a value of its memory. One that git held lately is old; any other is news, and anybody's: with
        it somebody's removals come back, which no pass may have seen."""
        if key_of(live) not in self.recent and not same(live, self.git) and not same(live, self.agreed):
            self.expect, self.by = UNSURE, ""
            self.touched.add("live")
            held = self._parts(live)
            self.removed.update((part, at) for part in self._parts(before) if part in self.removed and part not in held)

    def is_asked(self, live: Held) -> None:
        """Somebody saved a value of it that they did not mean: it may end as what is decided."""
        self.meant.pop(key_of(live), None)
        self.news.discard(key_of(live))
        self.expect, self.by = UNSURE, ""
        self.touched.add("live")

    def mean_git(self, after: Held, at: int) -> None:
        """A person committed a change of it."""
        self.expect, self.by = (UNSURE, "") if "live" in self.touched else (after, "git")
        self.touched.add("git")
        old, new = self._parts(self.git), self._parts(after)
        self.gained.update((part, at) for part in new if part not in old)
        self.gone.update(part for part in old if part not in new)
        self.wanted.update(part for part in new if part not in old)
        self.now_in_git(after, at)

    def decide(self, values: Sequence[Held], chosen: Held) -> None:
        """A person chose one of the values in conflict."""
        self.unsure()
        held = {part for value in values for part in self._parts(value)}
        self.decided.update(key_of(value) for value in values)
        self.news -= {key_of(value) for value in values} | {f"+{part}" for part in held}
        self.gone |= held - set(self._parts(chosen))

    def unsure(self) -> None:
        """Something happened to the whole resource: this field may end as anything."""
        self.expect, self.by = UNSURE, ""
        self.touched |= {"git", "live", "air"}

    def reject_all(self) -> None:
        """A person chose git's text over a live one that nobody could read."""
        self.unsure()
        self.news.clear()
        self.disputed |= self.wanted - set(self._parts(self.git))

    # ------------------------------------------------------------------ what the engine did

    def now_in_git(self, after: Held, at: int) -> None:
        """Git holds another value."""
        if same(after, self.git):
            return
        self.left[key_of(self.git)] = at
        self.recent.add(key_of(self.git))
        old, new = self._parts(self.git), self._parts(after)
        self.lost.update((part, at) for part in old if part not in new)
        self.git, self.taken_at = after, at

    def born(self, after: Held, at: int) -> None:
        """Git took the course's default."""
        self.touched.add("air")
        self.now_in_git(after, at)

    def captured(self, after: Held, at: int) -> None:
        """Git took a value from the live side."""
        self.news -= {key_of(after), *(f"+{part}" for part in self._parts(after))}
        self.touched.add("air")
        self.give(after, at)
        self.captured_at = at
        if self.by == "live" and not isinstance(self.expect, Unsure) and not same(self.expect, after):
            self.expect, self.by = UNSURE, ""  # edited again since it was read
        self.now_in_git(after, at)

    def unwanted(self, after: Held, shown: int, always: Container[str]) -> str:
        """Why git may not take this value from the live side; empty where it may. shown: when the engine saw it.
        always: the parts of every value that the live side can have started from."""
        old, new = parts_of(self.git, self.prose), parts_of(after, self.prose)
        if old is None and new is None and self._is_persons():
            return "a person had just committed another"
        if old is None and new is None:
            meant = self.meant.get(key_of(after), NEVER_YET)
            left = self.left.get(key_of(after), NEVER_YET)
            if meant == NEVER_YET:
                return "nobody ever meant it live"
            # What only git held, between two passes, is no old value of the live side: it cannot be from there.
            is_newer = meant > left or key_of(after) in self.news or key_of(after) not in self.given
            return "" if is_newer else "it is an old value that nobody meant live since git gave it up"
        return self._unwanted_parts(old or (), new or (), shown, always)

    def _is_persons(self) -> bool:
        """Whether git's value is a person's edit that the live side was never given."""
        is_given = self.given.get(key_of(self.git), NEVER_YET) > self.taken_at
        return "git" in self.touched and "air" not in self.touched and not is_given and not same(self.git, self.agreed)

    def is_news(self, live: Held) -> bool:
        """Whether this live value is somebody's edit that git never held, and no question ever held either."""
        key = key_of(live)
        is_old = key in self.left or key in self.decided
        return parts_of(live, self.prose) is None and key in self.news and not is_old

    def _unwanted_parts(self, old: Sequence[str], new: Sequence[str], shown: int, always: Container[str]) -> str:
        for part in new:
            is_newer = self.added.get(part, NEVER_YET) > self.lost.get(part, NEVER_YET) or f"+{part}" in self.news
            came_back = (
                self.prose and "air" in self.touched and part in self.added
            )  # lines are merged from what settled
            if part not in old and not is_newer and not came_back:
                return f"nobody added {part} live since git gave it up"
        is_new = not same(self.git, self.agreed)
        for part in old:
            added = self.added.get(part, NEVER_YET)
            is_unseen = added > shown  # put back after the engine looked, which is for the next pass to hear of
            # Taken out and put back between two looks, it was there all along.
            is_back = part in always or (part in self._parts(self.agreed) and "air" not in self.touched)
            gained = self.gained.get(part, NEVER_YET) if is_new and not is_back else NEVER_YET
            since = gained if is_unseen else max(gained, added)
            if part not in new and self.removed.get(part, NEVER_YET) <= since:
                return f"nobody removed {part} live"
        return ""

    def give(self, value: Held, at: int) -> None:
        """The live side was sent this value, or held it itself."""
        self.given[key_of(value)] = at

    def agree(self) -> None:
        """Both sides hold one settled value."""
        self.touched.clear()
        self.decided.clear()
        self.news.clear()
        self.settle()

    def settle(self) -> None:
        """What git holds was seen live, and nothing older can come back; the live side may have moved on since."""
        self.agreed = self.git
        self.recent.clear()
        self.touched -= {"git", "air"}

    def missing(self) -> list[str]:
        """Parts that must be in git and are not."""
        held = self._parts(self.git)
        return sorted(part for part in self.wanted - self.gone - self.disputed if part not in held)

    def _parts(self, value: Held) -> tuple[str, ...]:
        return parts_of(value, self.prose) or ()
