"""What the author of an unknown key may have meant: a near spelling, or a key of another table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from reconciler.manifest.keys import Table
from reconciler.manifest.tables import COURSE_FILE, MODULE_FILE


def hint(name: str, table: Table) -> str:
    """The rest of a sentence about the unknown key `name` of `table`."""
    known = [spelling for key in table.keys for spelling in key.spellings]
    if near := nearest(name, known):
        return f"did you mean {near}?"
    if homes := [each.heading for each in _all_tables() if any(key.name == name for key in each.keys)]:
        return f"it belongs in {' or '.join(homes[:2])}"
    return f"known keys are: {', '.join(key.name for key in table.keys if not key.legacy)}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like this one, if any is like it at all."""
    found = get_close_matches(name, list(known), n=1)
    return found[0] if found else None


def _all_tables() -> Iterator[Table]:
    return tables_below(COURSE_FILE, MODULE_FILE)


def tables_below(*roots: Table) -> Iterator[Table]:
    """The tables themselves and all tables inside them, each once, in the order one reads about them."""
    seen: dict[str, Table] = {}
    for root in roots:
        _collect(root, seen)
    yield from seen.values()


def _collect(table: Table, seen: dict[str, Table]) -> None:
    if table.name in seen:
        return
    seen[table.name] = table
    for key in table.keys:
        if key.table is not None:
            _collect(key.table, seen)
