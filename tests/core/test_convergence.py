"""Git and the live systems, edited at random with passes in between: they end alike, and no list item is lost.

Every item added is new and never added again, so at the end exactly those must stand that nobody removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.base import Base, FieldBase
from reconciler.core.plan import Plan, Side, plan_scope
from reconciler.core.snapshot import MISSING, Seen, Spec, Unreadable
from reconciler.core.value import Held
from tests.strategies import EVERY_REMOTE, REMOTES, Start, applied, believed, shown

REF, NAME = "block/c/one", "f"
SPECS = {REF: Spec(REF, {}, EVERY_REMOTE)}
START = ("a", "b", "c")
BROKEN = Unreadable("timed out")


@dataclass
class World:
    """Git and some remotes, holding one list each."""

    remotes: tuple[str, ...]
    git: tuple[str, ...] = START
    live: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    bases: dict[str, Base] = field(default_factory=dict[str, Base])
    added: set[str] = field(default_factory=lambda: set(START))
    removed: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        for remote in self.remotes:
            self.live[remote] = START
            self.bases[remote] = Base("main", {REF: {NAME: FieldBase(START)}})

    def add(self, side: str, at: int) -> str:
        item = f"{side} {len(self.added)}"
        held = self.held(side)
        self.hold(side, (*held[:at], item, *held[at:]))
        self.added.add(item)
        return item

    def remove(self, side: str, at: int) -> None:
        held = self.held(side)
        if held:
            gone = held[at % len(held)]
            self.hold(side, tuple(item for item in held if item != gone))
            self.removed.add(gone)

    def held(self, side: str) -> tuple[str, ...]:
        return self.git if side == "git" else self.live[side]

    def hold(self, side: str, items: tuple[str, ...]) -> None:
        if side == "git":
            self.git = items
        else:
            self.live[side] = items

    def plan(self, hidden: Iterable[str] = ()) -> tuple[Plan, Start]:
        seen: dict[str, Seen] = {
            remote: BROKEN if remote in hidden else {NAME: self.live[remote]} for remote in self.remotes
        }
        sides = [Side(remote, {REF: seen[remote]}, self.bases[remote]) for remote in self.remotes]
        start = Start(SPECS, {REF: {NAME: self.git}}, sides)
        return plan_scope(start.specs, start.git, start.sides), start

    def sync(self, hidden: Iterable[str] = (), lost: Iterable[str] = (), active: frozenset[str] = frozenset()) -> Plan:
        """One pass. hidden: remotes that cannot be read. lost: remotes that writes do not reach."""
        plan, start = self.plan(hidden)
        assert plan.clashes == ()
        self.git = items_of(shown(plan.target[REF], NAME))
        for side in start.sides:
            for change in plan.pending:
                if change.remote == side.name and side.name not in lost:
                    self.live[side.name] = items_of(change.after)
            held: Seen = BROKEN if side.name in hidden else {NAME: self.live[side.name]}
            after = believed(Side(side.name, {REF: held}, plan.bases[side.name]), active)
            self.bases[side.name] = unsent(after.base) if side.name in lost else after.base
        return plan

    def calm(self) -> None:
        for _ in range(4):
            self.sync()


def items_of(value: Held) -> tuple[str, ...]:
    assert isinstance(value, tuple)
    return tuple(str(item) for item in value)


def unsent(base: Base) -> Base:
    return replace(base, resources={REF: {name: each.unsent() for name, each in base.resources[REF].items()}})


SIDES = st.sampled_from(["git", *REMOTES])
EDITS = st.tuples(st.sampled_from(["add", "remove"]), SIDES, st.integers(0, 4))
PASSES = st.tuples(st.just("pass"), st.sets(st.sampled_from(REMOTES)), st.sets(st.sampled_from(REMOTES)))


@settings(max_examples=200)
@given(st.lists(EDITS | PASSES, max_size=25), st.integers(1, 2))
def test_all_sides_end_with_exactly_what_nobody_removed(steps: list[tuple[str, object, object]], count: int) -> None:
    world = World(REMOTES[:count])
    for what, one, other in steps:
        if what == "pass":
            world.sync(hidden=one, lost=())  # type: ignore[arg-type]
        elif one in ("git", *world.remotes):
            (world.add if what == "add" else world.remove)(str(one), int(str(other)))
    world.calm()

    assert set(world.git) == world.added - world.removed
    assert all(world.live[remote] == world.git for remote in world.remotes)
    assert world.plan()[0].is_empty


@settings(max_examples=200)
@given(st.lists(EDITS | PASSES, max_size=25))
def test_lost_writes_lose_no_item(steps: list[tuple[str, object, object]]) -> None:
    """A removal may come back when it falls between a write and its settlement; an item never goes by itself."""
    world = World(REMOTES)
    for what, one, other in steps:
        if what == "pass":
            world.sync(hidden=one, lost=other)  # type: ignore[arg-type]
        else:
            (world.add if what == "add" else world.remove)(str(one), int(str(other)))
    world.calm()

    assert set(world.git) >= world.added - world.removed
    assert all(world.live[remote] == world.git for remote in world.remotes)
    assert world.plan()[0].is_empty


TURNS = st.tuples(st.sampled_from(["begin", "end"]), st.sampled_from(["t1", "t2"]), st.booleans())
EDITS_OF_ONE = st.tuples(st.sampled_from(["add", "remove"]), st.sampled_from(["git", "letta"]), st.integers(0, 4))


@settings(max_examples=300)
@given(st.lists(EDITS_OF_ONE | TURNS | st.tuples(st.just("pass"), st.none(), st.none()), max_size=30))
def test_turns_that_write_back_what_they_began_with_lose_no_item(steps: list[tuple[str, object, object]]) -> None:
    """The trap: a turn that ends in a memory tool writes the list as it was when the turn began, and its own item.

    What people do to the live list while a turn runs may be undone by it before it was ever seen, so here they edit
    git meanwhile; every item added in git, by a turn, or live between turns must stand unless somebody removed it.
    """
    world, turns, began = World(("letta",)), dict[str, tuple[str, ...]](), 0
    for what, one, other in steps:
        running = frozenset(turns)
        if what == "pass":
            world.sync(active=running)
        elif what == "begin" and not turns:
            began += 1
            turns[f"{one} {began}"] = world.live["letta"]
        elif what == "end" and turns:
            _, snapshot = turns.popitem()
            if other:
                world.hold("letta", snapshot)
                world.add("letta", len(snapshot))
        elif what in ("add", "remove") and (one == "git" or not turns):
            (world.add if what == "add" else world.remove)(str(one), int(str(other)))
    world.calm()

    assert set(world.git) >= world.added - world.removed
    assert world.live["letta"] == world.git
    assert world.plan()[0].is_empty


@given(st.integers(0, 3), st.integers(1, 12))
def test_a_remote_that_refuses_writes_for_long_gets_them_in_the_end(hidden: int, passes: int) -> None:
    world = World(("letta",))
    world.add("git", hidden)
    for _ in range(passes):
        world.sync(lost=["letta"])
    world.calm()

    assert world.live["letta"] == world.git


def test_a_remote_that_lost_the_resource_gets_it_again_and_takes_nothing_from_git() -> None:
    world = World(("letta",))
    side = Side("letta", {REF: MISSING}, world.bases["letta"])
    plan = plan_scope(SPECS, {REF: {NAME: START}}, [side])
    after = applied(plan, Start(SPECS, {REF: {NAME: START}}, [side]))

    assert plan.creates == (("letta", REF),)
    assert plan_scope(SPECS, after.git, after.sides).is_empty
