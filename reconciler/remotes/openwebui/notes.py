"""A block as a note: its JSON as a `Live`, and the bodies of the requests that write it.

What was written last is kept in the mark beside the note, so that the editor's rewriting of the words around the fence
does not look like a change, and our own writing does not look like typing.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.core.snapshot import Ref, Unreadable
from reconciler.core.value import Fields, Value
from reconciler.desired import NAMED
from reconciler.ports import Action, Live
from reconciler.remotes.openwebui.grants import access_sent, access_shown
from reconciler.remotes.openwebui.markdown import Sheet, Unfit, compose, parse, words
from reconciler.remotes.openwebui.marks import MARK, Identity, mark_of, seal
from reconciler.remotes.openwebui.wire import Json, handle, is_holdable, number, table, text

MAX_BYTES = 1_000_000
FIELDS = frozenset({"@title", "@help", "@message", "@access", "@fence", NAMED})
FENCES = ("toml", "text")
_MOST_LINE_ENDS = 100


def markdown_of(row: Json) -> str:
    return text(table(table(row.get("data")).get("content")), "md")


def too_large(value: str) -> bool:
    """Counting bytes is left to where it can matter."""
    return len(value) > MAX_BYTES // 4 and len(value.encode("utf-8", "replace")) > MAX_BYTES


def live_note(row: Json, ref: Ref) -> Live | Unreadable:
    markdown = markdown_of(row)
    if too_large(markdown):
        return Unreadable(f"the note is too large: {len(markdown):,} characters; at most {MAX_BYTES:,} bytes are read")
    if not is_holdable(markdown):
        return Unreadable("the note holds a character that is no text")
    sheet = parse(markdown)
    if isinstance(sheet, Unfit):
        return Unreadable(sheet.reason, markdown, handle(row))
    return Live(
        ref, handle(row), _text(sheet, mark_of(row)), _fields(row, sheet) | {NAMED: ref}, changed_at=_edited_at(row)
    )


def _edited_at(row: Json) -> datetime | None:
    """When somebody else last wrote; None where the note is as we left it."""
    return None if is_as_written(row) else moment(row)


def moment(row: Json) -> datetime:
    return datetime.fromtimestamp(number(row, "updated_at") / 1e9, UTC)


def is_as_written(row: Json) -> bool:
    """Whether the note holds just what we wrote last: then nobody is typing, however young it is."""
    return text(mark_of(row), "wrote") == _digest(markdown_of(row))


def new_note(workspace: str, action: Action) -> dict[str, object]:
    """The body of a create. Its id is not known yet, so its mark has no seal, and nobody else may see it."""
    sheet, mark = _written(Sheet("", "", ""), {}, action)
    markdown = compose(sheet)
    return {
        "title": action.fields.get("@title", action.ref.rpartition("/")[2]),
        "data": {"content": {"md": markdown}},
        "meta": {MARK: _named(workspace, action) | mark | {"wrote": _digest(markdown)}},
        "access_grants": access_sent(()),
    }


def sealed(secret: str, workspace: str, it: Identity, row: Json) -> dict[str, object]:
    """The body that completes the mark of a note which only we have written."""
    return {"meta": {MARK: dict(mark_of(row)) | {"seal": seal(secret, workspace, it, handle(row))}}}


def note_changes(workspace: str, secret: str, action: Action, now: Json) -> dict[str, object]:
    """The body of an update: only what changes. A mark that somebody has tampered with is put right with it."""
    before = parse(markdown_of(now))
    sheet = Sheet("", "", "") if isinstance(before, Unfit) else replace(before, info=_fence(mark_of(now)))
    shown = {} if isinstance(before, Unfit) else dict(_fields(now, before))
    body: dict[str, object] = {"title": action.fields["@title"]} if "@title" in action.fields else {}
    if action.text is None and not action.fields.keys() & {"@help", "@message", "@fence", NAMED}:
        return body
    sheet, mark = _written(sheet, shown | {"@text": _text(sheet, mark_of(now))}, action)
    markdown = compose(sheet)
    named = _named(workspace, action)
    its_seal = seal(secret, workspace, Identity(action.scope, action.ref), handle(now))
    marked = named | mark | {"wrote": _digest(markdown), "seal": its_seal}
    return body | {"data": {"content": {"md": markdown}}, "meta": {MARK: marked}}


def _written(sheet: Sheet, shown: Fields, action: Action) -> tuple[Sheet, dict[str, object]]:
    """The new sheet, and what the mark keeps of it."""
    wanted = {**shown, **action.fields}
    document = str(shown.get("@text", "")) if action.text is None else action.text
    body = document.rstrip("\n")
    fence = str(wanted.get("@fence", FENCES[0]))
    told = {"help": str(wanted.get("@help", "")), "message": str(wanted.get("@message", ""))}
    new = replace(sheet, help=told["help"], message=told["message"], body=body, info=fence)
    exact = {"exact": body} if _folded(body) != body else {}
    was_empty = {"empty": True} if not body else {}
    return new, {**told, **exact, **was_empty, "fence": fence, "tail": len(document) - len(body)}


def _named(workspace: str, action: Action) -> dict[str, object]:
    return {"workspace": workspace, "scope": action.scope, "ref": action.ref}


def _text(sheet: Sheet, mark: Json) -> str:
    """The document. How many line ends it closes with, no fence can say and the editor does not keep: the mark does.

    What somebody writes into an empty one ends as texts do, with one.
    """
    is_first = mark.get("empty") is True and bool(sheet.body.rstrip("\n"))
    tail = number(mark, "tail") if "tail" in mark and not is_first else 1
    body, exact = sheet.body.rstrip("\n"), text(mark, "exact")
    same = exact and _folded(body) == _folded(exact)
    return (exact if same else body) + "\n" * min(max(tail, 0), _MOST_LINE_ENDS)


def _folded(body: str) -> str:
    """As the editor leaves it: a no-break space becomes a space, and so do other line ends."""
    return body.replace("\N{NO-BREAK SPACE}", " ").replace("\r\n", "\n")


def _fields(row: Json, sheet: Sheet) -> dict[str, Value]:
    mark = mark_of(row)
    return {
        "@title": text(row, "title"),
        "@help": _same_words(sheet.help, text(mark, "help")),
        "@message": _same_words(sheet.message, text(mark, "message")),
        "@access": access_shown(row),
        "@fence": _fence(mark),
    }


def _same_words(shown: str, written: str) -> str:
    return written if words(shown) == words(written) else shown


def _fence(mark: Json) -> str:
    found = text(mark, "fence")
    return found if found in FENCES else FENCES[0]


def _digest(markdown: str) -> str:
    return hashlib.sha256(markdown.encode("utf-8", "surrogatepass")).hexdigest()[:32]
