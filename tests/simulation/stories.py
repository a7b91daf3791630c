"""Histories told by hand: what random ones would take long to come upon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from reconciler.embedded.openwebui.state import Row
from reconciler.manifest.lens import edit_block
from reconciler.manifest.lenses import COURSE
from reconciler.simulation.actors import decide, end_turn, put, remember
from reconciler.simulation.calm import calm, check
from reconciler.simulation.remote import Turn
from reconciler.simulation.web import text_of
from reconciler.simulation.web_actors import PROMPTS, save, type_in, web_of, write_note
from reconciler.simulation.witness import Violation
from reconciler.simulation.world import COURSES, World

SCOPE = "user/ada"


def begin(world: World) -> Turn:
    agent = world.server.agent(SCOPE, "agent/c1")
    assert agent is not None
    turn = world.server.begin_turn(agent)
    world.clock.advance(1)
    return turn


def note(world: World, turn: Turn) -> None:
    """The turn writes in its diary, and so puts back everything else that it remembers."""
    diary = world.server.block(SCOPE, "block/c1/diary")
    assert diary is not None
    remember(world, turn, diary, {"text": f"{world.fresh(SCOPE)}\n"})


def name(world: World, value: str) -> None:
    path = "blocks/c1/student.toml"
    text = (world.text(SCOPE, path) or "").splitlines(keepends=True)
    world.commit(SCOPE, {path: "".join([f'name = "{value}"\n', *text[1:]]).encode()}, f"name {value}", "ada")


def an_old_value_survives_in_a_turn_that_began_later(world: World) -> None:
    """The first turn puts the old name back for a moment; a turn that begins in that moment keeps it."""
    first = begin(world)
    name(world, "ada-new")
    world.run_pass()
    second = begin(world)
    note(world, first)
    third = begin(world)
    note(world, second)
    end_turn(world, first)
    world.run_pass()
    note(world, third)


def a_git_edit_within_a_turn(world: World) -> None:
    """The trap itself: the turn puts back what it read before the edit."""
    turn = begin(world)
    name(world, "ada-new")
    world.run_pass()
    note(world, turn)
    end_turn(world, turn)


def two_git_edits_within_a_turn(world: World) -> None:
    turn = begin(world)
    name(world, "ada-new")
    world.run_pass()
    name(world, "ada-newer")
    world.run_pass()
    note(world, turn)
    world.run_pass()
    name(world, "nobody")


def write_diary(world: World, text: str) -> None:
    world.commit(SCOPE, {"blocks/c1/diary.md": text.encode()}, "write the diary", "ada")


def a_line_is_put_back_before_its_removal_settles(world: World) -> None:
    """While a turn runs; and somebody writes below, where the line is not yet again."""
    whole = "ada-1\nada-2\nada-3\nada-4\n"
    write_diary(world, whole)
    world.run_pass()
    begin(world)
    write_diary(world, whole.replace("ada-2\n", ""))
    world.run_pass()
    diary = world.server.block(SCOPE, "block/c1/diary")
    assert diary is not None
    put(world, diary, f"{diary.text}ada-5\n", "from the agent")
    write_diary(world, whole)


# ---------------------------------------------------------------------- beside Open WebUI


def row(world: World, ref: str, scope: str = SCOPE) -> Row:
    found = web_of(world).server.of(scope, ref)
    assert found is not None
    return found


def page(world: World) -> Row:
    return row(world, "model/c1", COURSES)


def author_sets(world: World, **fields: str) -> None:
    """The course's author, in git; and a pass that carries it over."""
    text = COURSE.edit(world.text(COURSES, "c1/course.toml") or "", fields)
    world.commit(COURSES, {"c1/course.toml": text.encode()}, f"set {fields}", "author")
    world.run_pass()


def edits_in_three_places(world: World) -> None:
    """Different fields, and items of one list."""
    name(world, "ada-git")
    block = world.server.block(SCOPE, "block/c1/student")
    assert block is not None
    put(world, block, edit_block(block.text, {"level": 7, "goals": ("start", "ada-letta")}), "from the agent")
    write_note(world, row(world, "block/c1/student"), {"mood": "keen", "goals": ("ada-note", "start")})


def one_field_in_three_places(world: World) -> None:
    name(world, "ada-git")
    block = world.server.block(SCOPE, "block/c1/student")
    assert block is not None
    put(world, block, edit_block(block.text, {"name": "ada-letta"}), "from the agent")
    write_note(world, row(world, "block/c1/student"), {"name": "ada-note"})


def an_old_page_is_saved(world: World) -> None:
    """Its prompt is older than git's: it is asked about, however often the accounts cannot be listed meanwhile."""
    old = page(world)
    author_sets(world, system="courses-new")
    save(world, old, {"name": "courses-name"})
    world.run_pass()
    world.hazard.begin(world.rng, fault=1.0)
    world.run_pass()
    world.run_pass()


def an_old_page_lacks_what_was_merged(world: World) -> None:
    """The list it was opened with was never git's: two edits were merged into what is."""
    author_sets(world, suggestion_prompts=("courses-git",))
    save(world, page(world), {PROMPTS: ("courses-git", "courses-web")})
    text = COURSE.edit(world.text(COURSES, "c1/course.toml") or "", {PROMPTS: ("courses-git", "courses-more")})
    world.commit(COURSES, {"c1/course.toml": text.encode()}, "set prompts", "author")
    old = page(world)
    world.run_pass()
    save(world, old, {"name": "courses-name"})
    world.run_pass()


def an_old_page_shows_what_no_pass_saw(world: World) -> None:
    """It was opened between two saves of others, and between two passes."""
    save(world, page(world), {"system": "courses-half", PROMPTS: ("courses-first",)})
    old = page(world)
    save(world, old, {"system": "courses-whole", PROMPTS: ("courses-first", "courses-second")})
    world.run_pass()
    save(world, old, {"name": "courses-name"})
    world.run_pass()


def a_note_without_its_box_is_rejected(world: World) -> None:
    """Then git's text is written there again."""
    type_in(world, row(world, "block/c1/student"), "all gone", "no box")
    world.clock.advance(30)
    world.run_pass()
    (diff,) = world.diffs(SCOPE)
    decide(world, SCOPE, diff)
    world.run_pass()
    if text_of(row(world, "block/c1/student")) is None:
        raise Violation("a person decided for git's text, and it was not written")


Story = Callable[[World], None]
STORIES: Mapping[str, Story] = {
    each.__name__: each
    for each in (
        an_old_value_survives_in_a_turn_that_began_later,
        a_line_is_put_back_before_its_removal_settles,
        a_git_edit_within_a_turn,
        two_git_edits_within_a_turn,
    )
}


STORIES_BESIDE_WEB: Mapping[str, Story] = {
    each.__name__: each
    for each in (
        edits_in_three_places,
        one_field_in_three_places,
        an_old_page_is_saved,
        an_old_page_lacks_what_was_merged,
        an_old_page_shows_what_no_pass_saw,
        a_note_without_its_box_is_rejected,
    )
}
"""Told where Open WebUI is part of the world."""


def broken_by(story: Story) -> str:
    """The promise that is broken in a story; empty where none is."""
    world = World(Random(0), has_web=story in STORIES_BESIDE_WEB.values())
    world.found({"ada": ("c1",)})
    try:
        world.run_pass()
        story(world)
        check(world, calm(world, answer=True))
    except Violation as violation:
        return str(violation)
    return ""
