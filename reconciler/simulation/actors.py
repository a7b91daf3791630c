"""The people, agents and programs of the simulated world, each act a function of the world.

They act on what they see: a person on ``main``, an agent on its snapshot, a program on the live block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from reconciler.core.snapshot import Scope
from reconciler.core.value import ABSENT, Held, Value
from reconciler.errors import Terminal, Transient
from reconciler.manifest.lens import edit_block, problem_with
from reconciler.ports import Person
from reconciler.simulation.authors import change_course, mend_course
from reconciler.simulation.documents import fields_of, is_prose
from reconciler.simulation.edits import some_edit
from reconciler.simulation.remote import Block, Turn
from reconciler.simulation.world import AGENT, API, COURSES, Place, World
from reconciler.store.journal import trailers_of
from reconciler.store.pending import GIT, PendingDiff
from reconciler.sync.review import Verdict, review

BROKEN = 'name = "half a string\n'

Act = Callable[[World], None]


# ---------------------------------------------------------------------- people, in git


def some_place(world: World) -> Place | None:
    places = [place for scope in world.scopes() for place in world.places(scope)]
    return world.rng.choice(places) if places else None


def edit_in_git(world: World) -> None:
    place = some_place(world)
    if place is None or (fields := fields_of(place.ref, place.text)) is None:
        return mend_in_git(world, place)
    changes = some_edit(world, place.scope, fields)
    _commit(world, place, edit_block(place.text, changes, is_prose(place.ref)), f"set {changes}")


def edit_in_git_twice(world: World) -> None:
    edit_in_git(world)
    edit_in_git(world)


def _commit(world: World, place: Place, text: str | None, what: str) -> None:
    who = place.scope.rpartition("/")[2] if place.scope != COURSES else "teacher"
    content = None if text is None else text.encode()
    world.commit(place.scope, {place.path: content}, f"{place.path}: {what}", who)


def mend_in_git(world: World, place: Place | None = None) -> None:
    """Somebody puts the last readable version of a broken file back."""
    for broken in [place] if place else [each for scope in world.scopes() for each in world.places(scope)]:
        if fields_of(broken.ref, broken.text) is None:
            older = [text for text in world.older_texts(broken) if fields_of(broken.ref, text) is not None]
            _commit(world, broken, older[-1] if older else None, "mend it")


def break_in_git(world: World) -> None:
    place = some_place(world)
    if place is not None and not is_prose(place.ref):
        _commit(world, place, place.text + BROKEN, "break it")


def delete_in_git(world: World) -> None:
    place = some_place(world)
    if place is not None:
        _commit(world, place, None, "delete it")


def revert_in_git(world: World) -> None:
    """One field back to a value it had before."""
    place = some_place(world)
    if place is None or (fields := fields_of(place.ref, place.text)) is None:
        return
    older = fields_of(place.ref, world.rng.choice(world.older_texts(place)))
    names = [name for name in older or {} if (older or {})[name] != fields.get(name)]
    if older and names:
        name = world.rng.choice(names)
        _commit(world, place, edit_block(place.text, {name: older[name]}, is_prose(place.ref)), f"revert {name}")


def revert_a_capture(world: World) -> None:
    """`git revert` of a commit that the engine made."""
    scope = world.rng.choice(world.scopes())
    repo = world.workspace.repo(scope)
    made = [commit for commit in repo.log(world.head(scope)) if "Remote" in trailers_of(commit)]
    if not made:
        return
    commit = world.rng.choice(made[-3:])
    before, after = repo.files(commit.parents[0]), repo.files(commit.id)
    path = next(path for path in after if before.get(path) != after[path])
    place = next((each for each in world.places(scope) if each.path == path), None)
    if place is None or path not in before or (now := fields_of(place.ref, place.text)) is None:
        return
    old, new = (fields_of(place.ref, repo.read(blob).decode()) or {} for blob in (before[path], after[path]))
    undone: dict[str, Held] = {
        name: old.get(name, ABSENT)
        for name in {**old, **new}
        if old.get(name) != new.get(name) and now.get(name) == new.get(name)
    }
    if undone:
        _commit(world, place, edit_block(place.text, undone, is_prose(place.ref)), f"git revert of {list(undone)}")


def save_in_worktree(world: World) -> None:
    """Somebody saves a file and does not commit it."""
    place = some_place(world)
    if place is not None and (fields := fields_of(place.ref, place.text)) is not None:
        text = edit_block(place.text, some_edit(world, place.scope, fields), is_prose(place.ref))
        world.save(place, text)


def clean_worktree(world: World) -> None:
    """Whoever saved without committing throws it away."""
    for scope in world.scopes():
        repo = world.workspace.repo(scope)
        for path in sorted(repo.dirty()):
            text = world.text(scope, path)
            repo.edit(path, None if text is None else text.encode())
            world.say(f"{scope}: the edit of {path} is thrown away")
        assert not repo.dirty()


# ---------------------------------------------------------------------- agents


def begin_turn(world: World) -> None:
    if world.server.agents and len(world.server.turns) < 4:
        agent = world.rng.choice(list(world.server.agents.values()))
        turn = world.server.begin_turn(agent)
        world.say(f"{turn.id} of {agent.scope} {agent.ref} begins")


def tool_call(world: World) -> None:
    """An agent edits one of its blocks, as it remembers it; Letta writes all of them back."""
    if not world.server.turns:
        return begin_turn(world)
    turn = world.rng.choice(list(world.server.turns.values()))
    agent = world.server.agents.get(turn.agent)
    blocks = [block for block in world.server.held(agent) if block.handle in turn.snapshot] if agent else []
    if not blocks:
        return end_turn(world)
    block = world.rng.choice(blocks)
    if (fields := fields_of(block.ref, turn.snapshot[block.handle])) is None:
        return end_turn(world)
    remember(world, turn, block, some_edit(world, block.scope, fields))
    if world.rng.random() < 0.4:
        end_turn(world, turn)


def remember(world: World, turn: Turn, block: Block, changes: dict[str, Held]) -> None:
    """One successful memory tool of a turn."""
    remembered = turn.snapshot[block.handle]
    text = edit_block(remembered, changes, is_prose(block.ref))
    is_sure = len(world.server.turns) == 1 and block.text == remembered
    before = {each.handle: each.text for each in world.server.blocks.values()}
    world.server.memory_edit(turn, block.handle, text)
    for each in world.server.blocks.values():
        world.witness.written_back(each.scope, each.ref, before[each.handle], each.text)
    world.live_edit(block, remembered, text, AGENT, sure=is_sure)
    world.say(f"{turn.id} sets {block.scope} {block.ref} {changes} and writes its snapshot back")


def end_turn(world: World, turn: Turn | None = None) -> None:
    if world.server.turns:
        turn = turn or world.rng.choice(list(world.server.turns.values()))
        world.server.end_turn(turn)
        world.say(f"{turn.id} ends")


# ---------------------------------------------------------------------- programs and people, straight on Letta


def some_block(world: World) -> Block | None:
    return world.rng.choice(list(world.server.blocks.values())) if world.server.blocks else None


def edit_live(world: World) -> None:
    block = some_block(world)
    if block is None:
        return
    if (fields := fields_of(block.ref, block.text)) is None:
        return mend_live(world, block)
    changes = some_edit(world, block.scope, fields)
    put(world, block, edit_block(block.text, changes, is_prose(block.ref)), f"{changes}")


def put(world: World, block: Block, text: str, what: str) -> None:
    """A program writes a whole text."""
    before, block.text = block.text, text
    world.live_edit(block, before, text, API, sure=not world.server.turns)
    world.say(f"{block.scope} {block.ref} is set by the API: {what}")


def mend_live(world: World, block: Block) -> None:
    place = next((each for each in world.places(block.scope) if each.ref == block.ref), None)
    if place and fields_of(place.ref, place.text) is not None:
        put(world, block, place.text, "git's text, to mend it")


def break_live(world: World) -> None:
    block = some_block(world)
    if block is not None and not is_prose(block.ref):
        text = world.rng.choice(["", block.text + BROKEN, f"just words {world.fresh(block.scope)}"])
        put(world, block, text, "nothing readable")


def drift(world: World) -> None:
    """Somebody changes what only the course may say.

    Blocks are taken from idle agents only: one that is detached and attached again within a turn is written back by
    it, and nothing tells that it is held by that turn.
    """
    block = some_block(world)
    if world.server.agents and world.rng.random() < 0.6:
        agent = world.rng.choice(list(world.server.agents.values()))
        is_idle = all(turn.agent != agent.handle for turn in world.server.turns.values())
        if world.rng.random() < 0.4 and agent.blocks and is_idle:
            agent.blocks = agent.blocks[1:]
        else:
            agent.fields[world.rng.choice(["system", "model", "name"])] = world.fresh(agent.scope)
        world.say(f"somebody changes {agent.scope} {agent.ref}")
    elif block is not None:
        block.settings["@description"] = world.fresh(block.scope)
        world.say(f"somebody describes {block.scope} {block.ref} anew")


def delete_live(world: World) -> None:
    block = some_block(world)
    if world.server.agents and world.rng.random() < 0.5:
        agent = world.rng.choice(list(world.server.agents.values()))
        world.server.delete_agent(agent.handle)
        world.say(f"somebody deletes {agent.scope} {agent.ref}")
    elif block is not None:
        world.server.delete_block(block.handle)
        for story in world.witness.of(block.scope, block.ref):
            story.unsure()
        world.say(f"somebody deletes {block.scope} {block.ref}")


# ---------------------------------------------------------------------- people, deciding


def decide_something(world: World) -> None:
    open_diffs = [(scope, diff) for scope in world.scopes() for diff in world.diffs(scope)]
    if open_diffs:
        decide(world, *world.rng.choice(open_diffs))


def decide(world: World, scope: Scope, diff: PendingDiff) -> None:
    """Approve or reject one diff, as the command does."""
    name = scope.rpartition("/")[2] if scope != COURSES else "teacher"
    verdict: Verdict = "rejected" if world.rng.random() < 0.5 or _is_wrong(world, diff) else "approved"
    world.say(f"{scope}: {diff.ref} {diff.field} {dict(diff.values)} is {verdict} by {name}")
    try:
        take = world.rng.choice(diff.remotes) if len(diff.remotes) > 1 and verdict == "approved" else None
        review(world.other_engine(), diff.id, verdict, take, Person(name, f"{name}@example.org"))
    except (Terminal, Transient) as refusal:
        world.say(f"  {refusal}")


def _is_wrong(world: World, diff: PendingDiff) -> bool:
    """Whether the live value breaks its field, or is none that a course may hold."""
    if diff.field is None or diff.ref.startswith("agent/"):
        return True
    name = diff.ref.rpartition("/")[2]
    blocks = [course.blocks[name] for course in world.courses().values() if name in course.blocks]
    declared = [block.fields[diff.field] for block in blocks if diff.field in block.fields]
    values = [value for side, value in diff.values.items() if side != GIT and value is not ABSENT]
    return any(problem_with(each, value) is not None for each in declared for value in values)


def correct_in_git(world: World) -> None:
    """Every value on ``main`` that breaks its field is put right."""
    for scope in world.scopes():
        for place in world.places(scope):
            fields = fields_of(place.ref, place.text) or {}
            wrong = {name: right for name, value in fields.items() if (right := _right(world, place, name, value))}
            if wrong:
                text = edit_block(place.text, {name: right[0] for name, right in wrong.items()}, is_prose(place.ref))
                _commit(world, place, text, f"correct {list(wrong)}")


def _right(world: World, place: Place, name: str, value: Value) -> list[Value]:
    """A value that fits where this one does not; nothing where it does."""
    block_name = place.ref.rpartition("/")[2]
    for course in world.courses().values():
        block = course.blocks.get(block_name)
        declared = block.fields.get(name) if block else None
        if declared is not None and problem_with(replace(declared, default=None), value) is not None:
            return [_first_three(value) if declared.type == "list" else cast("Value", declared.default)]
    return []


def _first_three(value: Value) -> Value:
    return value[:3] if isinstance(value, tuple) else ()


EDITS: tuple[tuple[Act, int], ...] = (
    (edit_in_git, 16),
    (edit_in_git_twice, 2),
    (revert_in_git, 4),
    (revert_a_capture, 2),
    (break_in_git, 1),
    (mend_in_git, 2),
    (delete_in_git, 1),
    (save_in_worktree, 1),
    (clean_worktree, 1),
    (change_course, 4),
    (mend_course, 1),
    (begin_turn, 9),
    (tool_call, 16),
    (end_turn, 5),
    (edit_live, 12),
    (break_live, 1),
    (drift, 2),
    (delete_live, 1),
    (decide_something, 4),
)
"""Every act, and how often it comes up."""


def act(world: World) -> None:
    """Somebody does something."""
    choose(world, EDITS)


def choose(world: World, acts: Sequence[tuple[Act, int]]) -> None:
    """One of these acts, each as often as it says."""
    found, weights = zip(*acts, strict=True)
    world.rng.choices(found, weights)[0](world)
