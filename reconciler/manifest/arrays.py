"""Changing a list written over several lines so that only the changed items' lines change.

People keep comments beside and above their items; an item that stays keeps them, and a comment that
stands on a line of its own stays even when the item below it goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from reconciler.core.value import Value
from reconciler.manifest.spans import Span, entries, skip_space
from reconciler.manifest.spans import comments as comments_of
from reconciler.manifest.spelling import INDENT, spell

_TAIL = re.compile(r"[ \t]*#[^\n]*")
_INDENTED = re.compile(r"\n([ \t]*)$")
_OWN_LINE = re.compile(r"\n[ \t]*#[^\n]*")


@dataclass(frozen=True, slots=True)
class _Piece:
    """One item as written: what stands before it, itself, what stands up to its comma, its line's comment."""

    before: str
    raw: str
    after: str = ""
    tail: str = ""
    comma: bool = True

    def written(self, is_last: bool) -> str:
        comma = "," if self.raw and (self.comma or not is_last) else ""
        return f"{self.before}{self.raw}{comma}{self.after}{self.tail}"


def edited_list(raw: str, old: Sequence[Value], new: Sequence[Value]) -> str:
    """The list `raw`, which reads as `old`, made to read as `new`."""
    kept, closing = _pieces(raw)
    indent = _indent(kept)
    pieces = list(_changed(kept, old, new, indent))
    last = max((number for number, piece in enumerate(pieces) if piece.raw), default=-1)
    written = ""
    for number, piece in enumerate(pieces):
        if _ends_in_comment(written) and not _starts_line(piece.before):
            written += f"\n{indent}"
        written += piece.written(number >= last)
    if not _starts_line(closing) and (_ends_in_comment(written) or (pieces and pieces[-1] not in kept)):
        closing = "\n"
    return f"[{written}{closing}]"


def _changed(kept: list[_Piece], old: Sequence[Value], new: Sequence[Value], indent: str) -> Iterator[_Piece]:
    matcher = SequenceMatcher(None, [*map(_identity, old)], [*map(_identity, new)], autojunk=False)
    for verb, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if verb == "equal":
            yield from kept[old_start:old_end]
            continue
        for gone in kept[old_start:old_end]:
            if comments := "".join(_OWN_LINE.findall(gone.before)):
                yield _Piece(comments, "")
        for value in new[new_start:new_end]:
            yield _Piece(f"\n{indent}", spell(value))


def _identity(value: Value) -> tuple[str, str]:
    """Hashable, and different where type or value differ: `True` is not `1`."""
    return type(value).__name__, spell(value)


def _pieces(raw: str) -> tuple[list[_Piece], str]:
    """The items of the list, and what stands before its closing bracket."""
    pieces: list[_Piece] = []
    position = 1
    for entry in entries(raw, Span(0, len(raw))):
        end = entry.whole.end
        comma = skip_space(raw, end)
        has_comma = raw[comma] == ","
        after = raw[end:comma] if has_comma else ""
        end = comma + 1 if has_comma else end
        tail = _TAIL.match(raw, end)
        before = raw[position : entry.whole.start]
        pieces.append(_Piece(before, entry.value.of(raw), after, tail[0] if tail else "", has_comma))
        position = tail.end() if tail else end
    return pieces, raw[position:-1]


def _indent(pieces: list[_Piece]) -> str:
    """How the list indents its items."""
    found = (_INDENTED.search(piece.before) for piece in pieces)
    return next((match[1] for match in found if match), INDENT)


def _starts_line(text: str) -> bool:
    return text.lstrip(" \t").startswith("\n")


def _ends_in_comment(written: str) -> bool:
    """Whether anything put behind would become part of a comment."""
    return bool(found := comments_of(written)) and written.endswith(found[-1])
