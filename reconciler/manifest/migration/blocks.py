"""`[blocks.x]` with its `[blocks.x.fields]` as `[block.x]` with `field.y = {...}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.core.value import Value
from reconciler.manifest.migration.rows import (
    Draft,
    Row,
    expanded,
    inline,
    remarks,
    renamed,
    strings,
    without_heading,
)
from reconciler.manifest.spans import Path
from reconciler.manifest.spelling import spell_inline, spell_key

_FIELDS = ("fields", "field")
_INSIDE = 2
"""How deep a row of a block stands: behind `blocks` and the block's name."""


def section(name: str, rows: Sequence[Row], block: Mapping[str, Value]) -> str:
    """The `[block.x]` section made of all rows of that block."""
    draft, behind = Draft(), Draft()
    draft.heading(f"[{spell_key('block', name)}]", rows[0])
    flat = _flat([without_heading(rows[0]), *rows[1:]])
    says_shared = not block.keys().isdisjoint({"shared", "scope"})
    for row in flat:
        inner = row.path[_INSIDE:]
        if inner[:1] and inner[0] in _FIELDS:
            _field(draft, row, flat, block)
        elif len(row.section) > _INSIDE:
            text = renamed(row, "block", name, *strings(inner)) if row.is_header else row.text
            behind.line(text.removesuffix("\n"), row.lead)
        elif row.is_header:
            draft.keep(row)
        else:
            draft.pair(row, *strings(inner))
        if inner == ("label",) and not says_shared:
            draft.line("shared = false")
    return draft.text() + behind.text()


def _flat(rows: Sequence[Row]) -> list[Row]:
    """The rows with `x = {...}` and `fields = {...}` as their entries."""
    return [leaf for row in rows for leaf in _leaves(row)]


def _leaves(row: Row) -> list[Row]:
    inner = row.path[_INSIDE:]
    if not row.raw.startswith("{") or (inner and inner not in (("fields",), ("field",))):
        return [row]
    return [leaf for entry in expanded(row) for leaf in ([entry] if inner else _leaves(entry))]


def _field(draft: Draft, row: Row, flat: Sequence[Row], block: Mapping[str, Value]) -> None:
    """A field, at the first of its rows; the others, and the header above them all, leave their comments."""
    path = row.path[: _INSIDE + 2]
    if len(path) < _INSIDE + 2:
        draft.keep(row)
    elif row.path == path and not row.is_header:
        draft.pair(row, "field", *strings(path[-1:]))
    elif row is (own := [each for each in flat if each.path[: len(path)] == path])[0]:
        draft.note([remark for each in own for remark in remarks(each)])
        draft.line(f"{spell_key('field', *strings(path[-1:]))} = {_table(own, path, block)}")


def _table(own: Sequence[Row], path: Path, block: Mapping[str, Value]) -> str:
    """The field's table from its rows as written, or from its value where arrays of tables are among them."""
    pairs = [(each.path[len(path) :], each.raw) for each in own if not each.is_header]
    has_header_inside = any(each.is_header and each.path != path for each in own)
    if not has_header_inside:
        return inline(pairs)
    fields = block[str(path[_INSIDE])]
    assert isinstance(fields, Mapping)
    return spell_inline(fields[str(path[-1])])
