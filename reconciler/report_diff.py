"""How one value became another, for people: line by line for long text, item by item for lists and tables.

A line is (mark, text): ``-`` for what goes, ``+`` for what comes, a blank for what is there to find one's place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, TypeAlias, cast

from reconciler.core.base import Settled
from reconciler.core.value import Value, is_scalar
from reconciler.visible import SHORT, brief, counted, shortened, visible

DiffLine: TypeAlias = "tuple[str, str]"
Items: TypeAlias = "tuple[Value, ...]"

MOST_LINES = 60
"""Of one field. The rest is counted, and whole in the JSON."""
_CONTEXT = 1
_WORDS_AROUND = 4


def is_long(value: Settled) -> bool:
    """Whether the value is text that does not fit one line."""
    return isinstance(value, str) and ("\n" in value.rstrip("\n") or len(value) > SHORT)


def diff_lines(before: Settled, after: Settled) -> list[DiffLine] | None:
    """The difference, line by line; None where both values fit one line and say it better."""
    lines: Iterable[DiffLine] = ()
    match before, after:
        case str(), str() if is_long(before) or is_long(after):
            lines = _text_lines(before, after)
        case tuple(), tuple() if all(map(is_scalar, before + after)):
            lines = _item_lines(before, after)
        case (tuple(), tuple()) | (Mapping(), Mapping()):
            lines = _nested_lines(before, after)
        case _:
            return None
    return _capped(list(lines)) or None


def _capped(lines: list[DiffLine]) -> list[DiffLine]:
    more = len(lines) - MOST_LINES
    return lines if more <= 0 else [*lines[:MOST_LINES], (" ", f"… {counted(more, 'more line')}; -o json has them all")]


def _text_lines(before: str, after: str) -> Iterator[DiffLine]:
    """A diff with little context. Of a long line that became another, only the words that differ."""
    old, new = before.splitlines(), after.splitlines()
    if old == new:
        yield " ", "only the line breaks differ"
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        yield "@", f"line {group[0][1] + 1}"
        for tag, a, b, c, d in group:
            if tag == "equal":
                yield from ((" ", shortened(visible(line), 2 * SHORT)) for line in old[a:b])
            else:
                yield from _replaced(old[a:b], new[c:d])


def _replaced(old: list[str], new: list[str]) -> Iterable[DiffLine]:
    if len(old) == len(new) == 1 and max(len(old[0]), len(new[0])) > SHORT:
        return _words_apart(old[0], new[0])
    gone = [("-", shortened(visible(line), 2 * SHORT)) for line in old]
    return [*gone, *(("+", shortened(visible(line), 2 * SHORT)) for line in new)]


def _words_apart(old: str, new: str) -> Iterator[DiffLine]:
    """Two versions of one long line: each place where they differ, with a few words around it."""
    words = re.findall(r"\S+\s*|\s+", old), re.findall(r"\S+\s*|\s+", new)
    for group in SequenceMatcher(None, *words, autojunk=False).get_grouped_opcodes(_WORDS_AROUND):
        (_, a, _, c, _), (_, _, b, _, d) = group[0], group[-1]
        yield "-", _excerpt(words[0], a, b)
        yield "+", _excerpt(words[1], c, d)


def _excerpt(words: list[str], first: int, last: int) -> str:
    middle = shortened(visible("".join(words[first:last]).rstrip()), 3 * SHORT)
    return f"{'…' if first else ''}{middle}{'…' if last < len(words) else ''}"


def _item_lines(before: Items, after: Items) -> Iterator[DiffLine]:
    """A list of plain values: the items that went and came."""
    old, new = [brief(held, 2 * SHORT) for held in before], [brief(held, 2 * SHORT) for held in after]
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield from (("-", item) for item in old[a:b])
            yield from (("+", item) for item in new[c:d])


def _nested_lines(before: Value, after: Value) -> Iterator[DiffLine]:
    """What moved inside a list or a table, by deepdiff; order counts."""
    from deepdiff import DeepDiff  # slow to import, and needed only where somebody reads a diff

    tree = cast("dict[str, Iterable[Any]]", DeepDiff(_thawed(before), _thawed(after), view="tree"))
    found = [(each.path(output_format="list"), kind, each) for kind, every in tree.items() for each in every]
    for path, kind, each in sorted(found, key=lambda one: str(one[0])):
        where = _where(path)
        if not kind.endswith("_added"):
            yield "-", where + brief(_frozen(each.t1), 2 * SHORT)
        if not kind.endswith("_removed"):
            yield "+", where + brief(_frozen(each.t2), 2 * SHORT)


def _where(path: list[str | int]) -> str:
    """The place inside the value: names by dots, items by number from 1; nothing for an item of a plain list."""
    names = [visible(str(part)) if isinstance(part, str) else f"item {part + 1}" for part in path]
    return "" if len(path) == 1 and isinstance(path[0], int) else f"{'.'.join(names)}: "


def _thawed(value: Value) -> Any:
    """The value in the types that deepdiff knows its way around in."""
    if isinstance(value, tuple):
        return [_thawed(held) for held in value]
    if isinstance(value, Mapping):
        return {key: _thawed(held) for key, held in value.items()}
    return value


def _frozen(value: Any) -> Value:
    if isinstance(value, list):
        return tuple(_frozen(held) for held in cast("list[Any]", value))
    return cast("Value", value)
