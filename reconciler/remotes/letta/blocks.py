"""A memory block: its JSON as a `Live`, and what a write of it sends."""

from __future__ import annotations

from reconciler.core.snapshot import Ref, Unreadable
from reconciler.core.value import Fields, Value
from reconciler.desired import NAMED
from reconciler.ports import Action, Live
from reconciler.remotes.letta.marks import Identity, is_mark, marks_of
from reconciler.remotes.letta.wire import Json, handle, number, table, text, texts, thawed

MAX_BYTES = 1_000_000
_FIELDS = {"@label": "label", "@description": "description", "@limit": "limit", "@read_only": "read_only"}


def too_large(value: str) -> bool:
    """Whether a document is more than this engine reads or writes. Counting bytes is left to where it can matter."""
    return len(value) > MAX_BYTES // 4 and len(value.encode("utf-8", "replace")) > MAX_BYTES


def live_block(row: Json, ref: Ref, holders: frozenset[str] | None) -> Live | Unreadable:
    """As the server shows it; `Unreadable` where the entry is damaged, which must not look like an empty block."""
    value = row.get("value")
    if not isinstance(value, str) or not handle(row):
        return Unreadable("Letta shows this block without an id or without a text value")
    if too_large(value):
        return Unreadable(f"too large: {len(value):,} characters; at most {MAX_BYTES:,} bytes are read")
    fields: dict[str, Value] = {
        "@label": text(row, "label"),
        "@description": text(row, "description"),
        "@limit": number(row, "limit"),
        "@read_only": row.get("read_only") is True,
        NAMED: ref,
    }
    return Live(ref, handle(row), value, fields, holders)


def new_block(workspace: str, action: Action) -> dict[str, object]:
    """The body of a create. Tags and metadata are kept only by the blocks route, not inside an agent's create."""
    it = Identity(action.scope, action.ref)
    name = action.ref.rpartition("/")[2]
    return {
        "label": name,
        **_named(action.fields),
        "value": action.text or "",
        "tags": marks_of(workspace, it),
        "metadata": {"scope": it.scope, "ref": it.ref},
    }


def block_changes(workspace: str, action: Action, now: Json) -> dict[str, object]:
    """The body of a PATCH. Marks that somebody took off are put back, beside whatever else is there."""
    body = _named(action.fields)
    if action.text is not None:
        body["value"] = action.text
    tags, marks = texts(now.get("tags")), marks_of(workspace, Identity(action.scope, action.ref))
    if NAMED in action.fields:
        body["metadata"] = {**table(now.get("metadata")), "scope": action.scope, "ref": action.ref}
        tags = [tag for tag in tags if not is_mark(tag)]
    missing = set(marks) - set(tags)
    return body | ({"tags": [*tags, *sorted(missing)]} if missing else {})


def _named(fields: Fields) -> dict[str, object]:
    unknown = fields.keys() - _FIELDS.keys() - {NAMED}
    if unknown:
        raise ValueError(f"a block has no {', '.join(sorted(unknown))}")
    return {_FIELDS[name]: thawed(value) for name, value in fields.items() if name != NAMED}
