"""Histories told by hand: what random ones would take long to come upon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from reconciler.simulation.actors import end_turn, remember
from reconciler.simulation.calm import calm, check
from reconciler.simulation.remote import Turn
from reconciler.simulation.witness import Violation
from reconciler.simulation.world import World

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


Story = Callable[[World], None]
STORIES: Mapping[str, Story] = {
    each.__name__: each
    for each in (
        an_old_value_survives_in_a_turn_that_began_later,
        a_git_edit_within_a_turn,
        two_git_edits_within_a_turn,
    )
}


def broken_by(story: Story) -> str:
    """The promise that is broken in a story; empty where none is."""
    world = World(Random(0))
    world.found({"ada": ("c1",)})
    try:
        world.run_pass()
        story(world)
        check(world, calm(world, answer=True))
    except Violation as violation:
        return str(violation)
    return ""
