"""A renamed block is one block: what still goes by its former name, live or in a base, is read under the new one.

A course says so with ``was``. The live block then gets the new name by an ordinary write, of the field `NAMED`, and
keeps its id and all that anybody has put into it meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.snapshot import Ref, Scope, Unreadable
from reconciler.ports import Live, Observation
from reconciler.store.bases import StoredBase

Renames = Mapping[Ref, Ref]


def carried(seen: Observation, scope: Scope, renames: Renames) -> Observation:
    """The observation with one scope's renamed blocks under their new refs. One that is there under both stays two."""
    if not renames:
        return seen
    shown, held = seen.seen.get(scope, {}), seen.held.get(scope, frozenset[Ref]())
    there = shown.keys() | held
    free = {old: new for old, new in renames.items() if new not in there}
    found = {free.get(ref, ref): _renamed(live, free, renames) for ref, live in shown.items()}
    waiting = frozenset(free.get(ref, ref) for ref in held)
    return replace(seen, seen={**seen.seen, scope: found}, held={**seen.held, scope: waiting})


def _renamed(live: Live | Unreadable, free: Renames, renames: Renames) -> Live | Unreadable:
    if isinstance(live, Unreadable):
        return live
    blocks = live.fields.get("blocks")
    if not live.ref.startswith("agent/") or not isinstance(blocks, tuple):
        return replace(live, ref=free.get(live.ref, live.ref))
    now = tuple(sorted({renames.get(str(ref), str(ref)) for ref in blocks}))
    return replace(live, fields={**live.fields, "blocks": now})


def carried_base(base: StoredBase, renames: Renames) -> StoredBase:
    """The base with the entries of renamed blocks under their new refs, unless these have entries of their own."""
    if not renames.keys() & base.resources.keys():
        return base
    free = {old: new for old, new in renames.items() if new not in base.resources}
    return replace(base, resources={free.get(ref, ref): fields for ref, fields in base.resources.items()})
