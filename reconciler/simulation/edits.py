"""What an edit of a document may be: mostly of one field, seldom wrong."""

from __future__ import annotations

from reconciler.core.snapshot import Scope
from reconciler.core.value import ABSENT, Fields, Held, Value
from reconciler.manifest.lens import TEXT
from reconciler.simulation.courses import MOODS
from reconciler.simulation.world import World

NOTE = "note"
"""A key that no course declares."""


def some_edit(world: World, scope: Scope, fields: Fields) -> dict[str, Held]:
    """A change that somebody might make to a document: mostly of one field."""
    if TEXT in fields:
        return {TEXT: _edited_prose(world, scope, str(fields[TEXT]))}
    names = [name for name in fields if not isinstance(fields[name], dict)] or [NOTE]
    chosen = world.rng.sample(names, min(len(names), world.rng.choice([1, 1, 1, 2])))
    changes = {name: _edited(world, scope, name, fields.get(name, ABSENT)) for name in chosen}
    if world.rng.random() < 0.08:
        changes[NOTE] = ABSENT if NOTE in fields and world.rng.random() < 0.5 else world.fresh(scope)
    if world.rng.random() < 0.03:
        changes[world.rng.choice(names)] = ABSENT
    return changes


def _edited(world: World, scope: Scope, name: str, value: Held) -> Held:
    rng = world.rng
    if name == "mood":
        return rng.choice([*MOODS, "odd"]) if rng.random() < 0.3 else rng.choice(MOODS)
    if rng.random() < 0.02:
        return world.number() if isinstance(value, str) else world.fresh(scope)
    if isinstance(value, tuple):
        return _edited_list(world, scope, value)
    return world.number() if isinstance(value, int) else world.fresh(scope)


def _edited_list(world: World, scope: Scope, items: tuple[Value, ...]) -> tuple[Value, ...]:
    rng, held = world.rng, list(items)
    what = rng.choice(["add", "add", "add", "remove", "swap", "replace"]) if held else "add"
    if what in ("remove", "replace"):
        del held[rng.randrange(len(held))]
    if what in ("add", "replace"):
        held.insert(rng.randint(0, len(held)), world.fresh(scope))
    if what == "swap":
        held.append(held.pop(0))
    return tuple(held)


def _edited_prose(world: World, scope: Scope, text: str) -> str:
    rng, lines = world.rng, text.splitlines()
    what = rng.choice(["append", "append", "insert", "replace", "remove"]) if lines else "append"
    place = len(lines) if what == "append" else rng.randrange(len(lines))
    if what in ("replace", "remove"):
        del lines[place]
    if what != "remove":
        lines.insert(place, world.fresh(scope))
    return "".join(f"{line}\n" for line in lines)
