"""Three-way merges that need no person: items of a list, lines of a prose text.

Both start from the ancestor ``b``, keep what git has, and add what the live side did. Neither ever writes a conflict
marker: a merge that is not clean gives None and the field becomes a pending diff.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from reconciler.core.value import ABSENT, Held, Value, is_scalar

Items = tuple[Value, ...]
Hunk = tuple[int, int, list[str]]
"""Lines ``[start, end)`` of the ancestor, and what stands there instead."""


def unique_items(value: Held) -> Items | None:
    """The value as a list that merges item by item: unique scalars; None where it is not one."""
    if not isinstance(value, tuple) or not all(map(is_scalar, value)):
        return None
    keys = [_key(item) for item in value]
    return value if len(set(keys)) == len(keys) else None


def merge_items(base: Items, git: Items, live: Items) -> Items:
    """Git's list, less what live removed from the base, plus what live added after its left neighbour.

    All three hold unique scalars. Of additions at one place, git's come first.
    """
    in_base, in_live = _keys(base), _keys(live)
    merged = [item for item in git if _key(item) in in_live or _key(item) not in in_base]
    held = _keys(tuple(merged))
    for position, item in enumerate(live):
        if _key(item) in in_base or _key(item) in held:
            continue
        merged.insert(_place(merged, live[:position], in_base | in_live), item)
        held.add(_key(item))
    return tuple(merged)


def rebased(base: Items, git: Items, sent: Sequence[Items]) -> Items:
    """The base of a merge while the values ``sent`` are not settled: the live side may know any of them, and no other.

    An item that git took out again is no addition of a live side that still has it; one that git put back is no
    removal of a live side that has not got it yet.
    """
    now, old = _keys(git), _keys(base)
    always = now.intersection(*map(_keys, sent))
    kept = [item for item in base if _key(item) not in now or _key(item) in always]
    taken = {_key(item): item for each in sent for item in each if _key(item) not in now | old}
    return (*kept, *taken.values())


def _place(merged: list[Value], left: Items, not_of_git: set[object]) -> int:
    """Where an added item goes: after its nearest left neighbour still here, and after git's additions there."""
    keys = [_key(item) for item in merged]
    known = [keys.index(_key(item)) for item in left if _key(item) in keys]
    place = known[-1] + 1 if known else 0
    while place < len(keys) and keys[place] not in not_of_git:
        place += 1
    return place


def _key(item: Value) -> object:
    return (type(item), item, getattr(item, "tzinfo", None) and str(item))


def _keys(items: Items) -> set[object]:
    return {_key(item) for item in items}


def merge_text(base: str, git: str, live: str) -> str | None:
    """The three-way merge by line; None where both sides touched the same or neighbouring lines differently."""
    lines = base.splitlines(keepends=True)
    hunks = _union(_hunks(lines, git), _hunks(lines, live))
    return None if hunks is None else _applied(lines, hunks)


def rebased_text(base: str, git: str, sent: Sequence[str]) -> str:
    """The base of a merge of texts while the values ``sent`` are not settled: a line that git put back is none of it,
    for a live side that has not got it yet did not remove it."""
    lines = base.splitlines(keepends=True)
    unsure = _kept(lines, git) - set[int].intersection(*(_kept(lines, each) for each in sent))
    return "".join(line for at, line in enumerate(lines) if at not in unsure)


def _kept(lines: list[str], text: str) -> set[int]:
    """Which lines still stand in a text."""
    changed = {at for start, end, _ in _hunks(lines, text) for at in range(start, end)}
    return {*range(len(lines))} - changed


def _hunks(lines: list[str], text: str) -> list[Hunk]:
    other = text.splitlines(keepends=True)
    matcher = SequenceMatcher(None, lines, other, autojunk=False)
    return [(i, j, other[k:n]) for tag, i, j, k, n in matcher.get_opcodes() if tag != "equal"]


def _union(ours: list[Hunk], theirs: list[Hunk]) -> list[Hunk] | None:
    """Both sides' hunks in order; one where they are the same; None where two differ and touch."""
    hunks = sorted([*ours, *theirs], key=lambda hunk: (hunk[0], hunk[1]))
    union: list[Hunk] = []
    for hunk in hunks:
        if union and hunk == union[-1]:
            continue
        if union and hunk[0] <= union[-1][1]:
            return None
        union.append(hunk)
    return union


def _applied(lines: list[str], hunks: list[Hunk]) -> str:
    merged: list[str] = []
    done = 0
    for start, end, instead in hunks:
        merged += [*lines[done:start], *instead]
        done = end
    return "".join([*merged, *lines[done:]])


def merged(base: Held, git: Held, live: Held) -> Held | None:
    """The clean merge of two edits of one field; None where there is none, or where the type admits none."""
    if isinstance(base, str) and isinstance(git, str) and isinstance(live, str):
        return merge_text(base, git, live)
    lists = unique_items(() if base is ABSENT else base), unique_items(git), unique_items(live)
    if lists[0] is None or lists[1] is None or lists[2] is None:
        return None
    return merge_items(lists[0], lists[1], lists[2])
