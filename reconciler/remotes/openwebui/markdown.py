"""A note's Markdown: a line of help, perhaps a message, and the block in one fence; taken apart and put together.

Open WebUI's editor rewrites Markdown when a note is merely opened, but leaves a fence alone (0.12.4). So the text in
the fence is exact, and everything around it is compared by its words.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

SIGN = "⚠ "
"""What a message to the student begins with."""
NOTHING = "# nothing here yet"
"""First line of a fence that would be blank: the editor takes a blank one out of the note."""
_WORD = re.compile(r"[^\W_]+")
_FENCE = re.compile(r" {0,3}(?P<ticks>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*?)[ \t\r]*$")
_TICKS = re.compile(r"`{3,}")


@dataclass(frozen=True)
class Sheet:
    """A note's text: ``body`` is inside the fence, without its last line end; ``after`` is whatever follows it."""

    help: str
    message: str
    body: str
    info: str = "toml"
    after: str = ""


@dataclass(frozen=True)
class Unfit:
    """Why the block cannot be found in the note, in words for the one who wrote it."""

    reason: str


NO_FENCE = Unfit("the grey box with your entries is missing: put it between a line ```toml and a line ```")
OPEN_FENCE = Unfit("the grey box with your entries has no end: put a line ``` after the last entry")
TWO_FENCES = Unfit("there is more than one grey box: keep all entries in one, and delete the others")


def words(markdown: str) -> list[str]:
    """The words alone: marks, escapes and blanks are the editor's to change."""
    return _WORD.findall(html.unescape(markdown))


def parse(markdown: str) -> Sheet | Unfit:
    lines = markdown.split("\n")
    fences = _fences(lines)
    if not fences:
        return NO_FENCE
    if len(fences) > 1:
        return TWO_FENCES
    start, end, info = fences[0]
    if end is None:
        return OPEN_FENCE
    before, message = _parted(lines[:start])
    after = "\n".join(lines[end + 1 :]).strip()
    inside = lines[start + 1 : end]
    body = "\n".join(inside[1:] if inside[:1] == [NOTHING] else inside)
    return Sheet(before, message, body, info, after)


def compose(sheet: Sheet) -> str:
    """The fence is longer than any run of backticks in the text."""
    body = _never_blank(sheet.body)
    ticks = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(sheet.body)), default=0))
    parts = [
        sheet.help.strip(),
        SIGN + " ".join(sheet.message.split()) if sheet.message else "",
        f"{ticks}{sheet.info}\n{body}\n{ticks}",
        sheet.after,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _never_blank(body: str) -> str:
    """Also before a text that begins with that very line, which would be taken for ours."""
    is_like_ours = body == NOTHING or body.startswith(NOTHING + "\n")
    if body.strip() and not is_like_ours:
        return body
    return f"{NOTHING}\n{body}" if body else NOTHING


def _fences(lines: list[str]) -> list[tuple[int, int | None, str]]:
    """First line, last line (None: never closed) and language of every fence."""
    found: list[tuple[int, int | None, str]] = []
    opened: tuple[int, str, str] | None = None
    for at, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark is None:
            continue
        if opened is None:
            opened = (at, mark["ticks"], mark["info"])
        elif not mark["info"] and mark["ticks"].startswith(opened[1]):
            found.append((opened[0], at, opened[2]))
            opened = None
    return [*found, (opened[0], None, opened[2])] if opened else found


def _parted(lines: list[str]) -> tuple[str, str]:
    """The help, and the last line that begins with the sign."""
    at = next((at for at in reversed(range(len(lines))) if lines[at].lstrip().startswith(SIGN.strip())), None)
    if at is None:
        return "\n".join(lines).strip(), ""
    rest = [*lines[:at], *lines[at + 1 :]]
    return "\n".join(rest).strip(), lines[at].lstrip().removeprefix(SIGN.strip()).strip()
