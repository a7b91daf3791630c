"""The authors of courses: where Open WebUI is part of the world, admins edit what people see of a course, too."""

from __future__ import annotations

from reconciler.core.value import ABSENT, Fields, Held
from reconciler.manifest.lenses import COURSE, EMPTY
from reconciler.simulation.courses import COURSE_SWITCHES, MOODS, SYSTEMS, first_course
from reconciler.simulation.documents import fields_of
from reconciler.simulation.world import COURSES, World


def change_course(world: World) -> None:
    """The author changes one thing of the first course, or leaves it broken."""
    if world.web:
        return edit_course(world)
    rng, told = world.rng, world.versions
    what = rng.choice(["system", "about", "moods", "extra", "broken"])
    if what == "broken":
        world.commit(COURSES, {"c1/course.toml": b"[agent\n"}, "break the course c1", "author")
        return
    told[what] = {
        "system": rng.randrange(len(SYSTEMS)),
        "about": rng.randrange(2),
        "moods": rng.choice([2, 3]),
        "extra": rng.randrange(2),
    }[what]
    mend_course(world, f"change {what} of the course c1")


def mend_course(world: World, what: str = "mend the course c1") -> None:
    if world.web:
        return restore_course(world)
    told = world.versions
    wanted = first_course(
        told.get("system", 0), told.get("about", 0), told.get("moods", len(MOODS)), bool(told.get("extra", 0))
    )
    if world.text(COURSES, "c1/course.toml") != wanted.decode():
        world.commit(COURSES, {"c1/course.toml": wanted}, what, "author")


def edit_course(world: World) -> None:
    """The author edits a course file that admins edit too: one field of it, or the course around it; or breaks it."""
    place = world.rng.choice(world.models())
    if (fields := fields_of(place.ref, place.text)) is None:
        return restore_course(world)
    if world.rng.random() < 0.1:
        return world.commit(COURSES, {place.path: b"[agent\n"}, f"break {place.path}", "author")
    if world.rng.random() < 0.6:
        changes = some_course_edit(world, fields)
        text, what = COURSE.edit(place.text, changes), f"set {changes} of {place.path}"
    else:
        one, other = world.rng.choice(COURSE_SWITCHES)
        text = place.text.replace(one, other) if one in place.text else place.text.replace(other, one)
        what = f"switch between {one!r} and {other!r} in {place.path}"
    if text != place.text:
        world.commit(COURSES, {place.path: text.encode()}, what, "author")


def some_course_edit(world: World, fields: Fields) -> dict[str, Held]:
    """A change that somebody might make to what people see of a course: mostly of one field."""
    names = ["name", "description", "system", "welcome_first", "suggestion_prompts"]
    chosen = world.rng.sample(names, world.rng.choice([1, 1, 1, 2]))
    return {name: _edited_course(world, name, fields) for name in chosen}


def _edited_course(world: World, name: str, fields: Fields) -> Held:
    held = fields.get(name, ())
    if name != "name" and held not in EMPTY and world.rng.random() < 0.15:
        return ABSENT
    if name != "suggestion_prompts" or not isinstance(held, tuple):
        return world.fresh(COURSES)
    items = list(held)
    if items and world.rng.random() < 0.3:
        del items[world.rng.randrange(len(items))]
    else:
        items.insert(world.rng.randint(0, len(items)), world.fresh(COURSES))
    return tuple(items)


def restore_course(world: World) -> None:
    """The author puts the last readable version of a broken course back."""
    for place in world.models():
        if fields_of(place.ref, place.text) is None:
            older = [text for text in world.older_texts(place) if fields_of(place.ref, text) is not None]
            world.commit(COURSES, {place.path: older[-1].encode()}, f"mend {place.path}", "author")
