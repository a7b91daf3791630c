"""The people of the simulated Open WebUI: learners in their notes, and admins in the editor of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.snapshot import Ref
from reconciler.core.value import ABSENT, Held, Value, same
from reconciler.embedded.openwebui.markdown import opened
from reconciler.embedded.openwebui.state import Refused, Row
from reconciler.manifest.lens import edit_block
from reconciler.manifest.lenses import COURSE_KEYS
from reconciler.ports import NO_FIELDS
from reconciler.remotes.openwebui.markdown import Sheet, Unfit, compose, parse
from reconciler.remotes.openwebui.marks import mark_of
from reconciler.remotes.openwebui.models import joined, shown_fields
from reconciler.simulation.actors import BROKEN, EDITS, Act, choose
from reconciler.simulation.authors import some_course_edit
from reconciler.simulation.documents import fields_of, is_prose, model_text
from reconciler.simulation.edits import some_edit
from reconciler.simulation.web import is_note, markdown, ref_of_row, scope_of, text_of
from reconciler.simulation.web_side import WebSide
from reconciler.simulation.world import COURSES, World

PROMPTS = "suggestion_prompts"


def web_of(world: World) -> WebSide:
    assert world.web is not None, "these people are only where Open WebUI is"
    return world.web


# ---------------------------------------------------------------------- notes


def some_note(world: World) -> Row | None:
    notes = web_of(world).server.notes()
    return world.rng.choice(notes) if notes else None


def edit_note(world: World) -> None:
    """A learner edits a field, a list or a text in their note; a teacher, that of a shared block."""
    if (row := some_note(world)) is None:
        return
    fields = fields_of(ref_of_row(row), text_of(row))
    if fields is None:
        return mend_note(world, row)
    write_note(world, row, some_edit(world, scope_of(row), fields))


def write_note(world: World, row: Row, changes: Mapping[str, Held]) -> None:
    """Fields of a readable note are set, where they stand."""
    text = edit_block(text_of(row) or "", changes, is_prose(ref_of_row(row)))
    type_in(world, row, _with_text(row, text), f"{changes}")


def open_note(world: World) -> None:
    """Somebody merely looks: the editor rewrites the Markdown, and nobody means anything by it."""
    if row := some_note(world):
        type_in(world, row, opened(markdown(row)), "nothing, by opening it", is_meant=False)


def write_beside_the_box(world: World) -> None:
    """Words around the box are nobody's business but their writer's."""
    if row := some_note(world):
        said = f"* {world.fresh(scope_of(row))}\n\n> *so*  it is"
        md = f"{said}\n\n{markdown(row)}" if world.rng.random() < 0.5 else f"{markdown(row)}\n{said}\n"
        type_in(world, row, md, "words beside the box", is_meant=False)


def half_type_note(world: World) -> None:
    """A text that cannot be read yet, or any more."""
    if (row := some_note(world)) is None:
        return
    sheet = parse(markdown(row))
    if isinstance(sheet, Unfit):
        return mend_note(world, row)
    half = compose(replace(sheet, body=f"{sheet.body}\n{BROKEN.rstrip()}"))
    ways = [sheet.body, f"{markdown(row)}\n```\nmore\n```\n", *([] if is_prose(ref_of_row(row)) else [half, half])]
    type_in(world, row, world.rng.choice(ways), "something unreadable")


def mend_note(world: World, row: Row | None = None) -> None:
    """What was half typed is finished; where the fence is gone, git's text is put into a new one."""
    for note in [row] if row else web_of(world).server.notes():
        is_readable = fields_of(ref_of_row(note), text_of(note)) is not None
        if not is_readable and (md := _mended(world, note)) is not None:
            type_in(world, note, md, "what mends it")


def _mended(world: World, row: Row) -> str | None:
    sheet = parse(markdown(row))
    if isinstance(sheet, Sheet) and BROKEN.rstrip() in sheet.body:
        return compose(replace(sheet, body=sheet.body.replace(BROKEN.rstrip(), "").rstrip("\n")))
    ref = ref_of_row(row)
    place = next((each for each in world.places(scope_of(row)) if each.ref == ref), None)
    if place is None or fields_of(ref, place.text) is None:
        return None
    return compose(Sheet("", "", place.text.rstrip("\n")))


def _with_text(row: Row, text: str) -> str:
    """The note's Markdown with another document in its fence, and everything around it as it was."""
    sheet = parse(markdown(row))
    assert isinstance(sheet, Sheet), "its text was read from there"
    return compose(replace(sheet, body=text.rstrip("\n")))


def type_in(world: World, row: Row, md: str, what: str, *, is_meant: bool = True) -> None:
    """Somebody types in the browser, where the editor may rewrite all of it."""
    web, scope, ref = web_of(world), scope_of(row), ref_of_row(row)
    if world.rng.random() < 0.5:
        md = opened(md)
    try:
        now = web.server.webui.notes.type(web.server.account(web.writer(scope)), row["id"], md)
    except Refused:
        return  # the note is half made, and not theirs yet
    world.say(f"the note {scope} {ref} gets {what}")
    if is_meant:
        web.witness.live_edit(scope, ref, text_of(row), text_of(now), sure=not world.server.turns)


def delete_note(world: World) -> None:
    if row := some_note(world):
        web_of(world).server.webui.state.drop("notes", row["id"])
        _lost(world, row)
        world.say(f"somebody deletes the note {scope_of(row)} {ref_of_row(row)}")


def _lost(world: World, row: Row) -> None:
    for story in web_of(world).witness.of(scope_of(row), ref_of_row(row)):
        story.unsure()


def drift_in_web(world: World) -> None:
    """Somebody changes what only git may say: a note's title, who may read it, a model's switches."""
    server = web_of(world).server
    things = [*server.notes(), *server.models()]
    if not things:
        return
    row = world.rng.choice(things)
    if is_note(row) and not mark_of(row).get("seal"):
        return  # half made, and nobody's yet
    if not is_note(row):
        server.webui.state.amend("models", row, is_active=False)
    elif world.rng.random() < 0.5:
        server.webui.state.amend("notes", row, title=world.fresh(scope_of(row)), updated_at=server.webui.state.now())
    else:
        server.webui.state.amend("notes", row, access_grants=[])
    world.say(f"somebody changes {scope_of(row)} {ref_of_row(row)} in Open WebUI")


# ---------------------------------------------------------------------- models


def open_model(world: World) -> None:
    """An admin opens the editor of a model, and leaves it open."""
    if models := web_of(world).server.models():
        row = world.rng.choice(models)
        web_of(world).pages.append(row)
        world.say(f"an editor of {ref_of_row(row)} is opened")


def save_model(world: World) -> None:
    """An admin changes one thing and saves the form, which holds all other fields too.

    Not upon an old page that no pass has seen: that could take back all but one of its fields, which then look meant.
    """
    if models := [row for row in web_of(world).server.models() if row["id"] not in web_of(world).unseen]:
        page = world.rng.choice(models)
        save(world, page, some_course_edit(world, shown_fields(page)))


def save_old_page(world: World) -> None:
    """The same from a page that was opened before."""
    web = web_of(world)
    if not web.pages:
        return open_model(world)
    page = web.pages.pop(world.rng.randrange(len(web.pages)))
    if web.server.row(page["id"]) is not None and page["id"] not in web.unseen:
        save(world, page, some_course_edit(world, shown_fields(page)))


def save(world: World, page: Row, edits: Mapping[str, Held]) -> None:
    """The form of a page is saved with these edits: every field of it is sent, and one taken out is sent empty."""
    changes = {name: _emptied(name) if value is ABSENT else value for name, value in edits.items()}
    web, ref = web_of(world), ref_of_row(page)
    before, fields = web.server.row(page["id"]), shown_fields(page)
    assert before is not None, "its page would not save"
    now = web.server.webui.models.update(web.server.account(web.server.editor), _form(page, {**fields, **changes}))
    is_old = text_of(page) != text_of(before)
    web.unseen |= {page["id"]} if is_old else set()
    world.say(f"{ref} is saved from {'an old' if is_old else 'a new'} page with {changes}")
    web.witness.written_back(COURSES, ref, text_of(before), text_of(now), is_page=True)
    if is_old and _looks_meant(world, ref, before, now):
        return web.witness.live_edit(COURSES, ref, text_of(before), text_of(now), sure=False)
    meant = model_text({**fields, **changes})
    # What an open page shows can come back, as with a turn.
    is_sure = not is_old and all(each["id"] != page["id"] for each in web.pages)
    if PROMPTS in changes:  # a list edited by hand is meant as a whole: nothing tells what its page had or lacked
        fields[PROMPTS] = _prompts_in_git(world, ref)
    web.witness.live_edit(COURSES, ref, model_text(fields), meant, sure=is_sure)


def _looks_meant(world: World, ref: Ref, before: Row, now: Row) -> bool:
    """Whether one field alone is news to git, which may be one that an old page brought back: nothing tells."""
    old, new = shown_fields(before), shown_fields(now)
    git = {**dict.fromkeys(new, ""), PROMPTS: (), **web_of(world).witness.git.get((COURSES, ref), NO_FIELDS)}
    return sum(not same(new[name], old[name]) and not same(new[name], git[name]) for name in COURSE_KEYS) == 1


def _prompts_in_git(world: World, ref: Ref) -> tuple[Value, ...]:
    return _texts(web_of(world).witness.git.get((COURSES, ref), NO_FIELDS).get(PROMPTS, ()))


def _texts(held: Value) -> tuple[Value, ...]:
    return held if isinstance(held, tuple) else ()


def _emptied(name: str) -> Value:
    return () if name == PROMPTS else ""


def _form(page: Row, fields: Mapping[str, Value]) -> dict[str, object]:
    meta = {
        **page["meta"],
        "description": joined(str(fields["description"]), str(fields["welcome_first"])),
        PROMPTS: [{"title": ["", ""], "content": each} for each in _texts(fields[PROMPTS])],
    }
    params = {**page["params"], "system": fields["system"]}
    named = {"id": page["id"], "base_model_id": page["base_model_id"], "name": fields["name"]}
    return {**named, "meta": meta, "params": params, "commit_message": "as it should be"}


EDITS_BESIDE_WEB: tuple[tuple[Act, int], ...] = (
    *EDITS,
    (edit_note, 20),
    (open_note, 5),
    (write_beside_the_box, 2),
    (half_type_note, 2),
    (mend_note, 3),
    (delete_note, 1),
    (drift_in_web, 2),
    (open_model, 3),
    (save_model, 4),
    (save_old_page, 4),
)
"""Every act where Open WebUI is part of the world, and how often it comes up."""


def act_beside_web(world: World) -> None:
    """Somebody does something, there or elsewhere."""
    choose(world, EDITS_BESIDE_WEB)
