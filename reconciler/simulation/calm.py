"""After the storm: turns end, nothing fails, and what was promised is looked at."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.outcome import IN_SYNC, Report
from reconciler.core.snapshot import Scope
from reconciler.core.value import ABSENT, Held, Value, same
from reconciler.ports import NO_FIELDS, Depth
from reconciler.simulation.actors import clean_worktree, correct_in_git, decide, edit_in_git, mend_in_git
from reconciler.simulation.authors import mend_course
from reconciler.simulation.courses import SYSTEMS
from reconciler.simulation.documents import WEB, fields_of, ref_of
from reconciler.simulation.story import Story, Unsure
from reconciler.simulation.web import markdown, scope_of
from reconciler.simulation.web_actors import mend_note
from reconciler.simulation.witness import LETTA, Violation, Witness
from reconciler.simulation.world import COURSES, Place, World
from reconciler.store.bases import base_ref
from reconciler.sync.scope import PATIENCE

MOST_PASSES = 12
MOST_ROUNDS = 6
"""How often people answer what a quiet engine asks; an answer may raise another question."""


def calm(world: World, answer: bool) -> Report:
    """Let everything come to rest. answer: people mend what is broken and decide what is asked. The last report."""
    world.server.turns.clear()
    world.say("calm: every turn has ended")
    clean_worktree(world)
    mend_course(world)
    if world.web:  # so that nobody is taken to be still writing
        world.clock.advance(PATIENCE.total_seconds() + 5)
    report = rest(world)
    if world.rng.random() < 0.3:
        report = _raced(world)
    if world.web:
        _glance(world, report)
    for _ in range(MOST_ROUNDS if answer else 0):
        if report.exit_code == IN_SYNC:
            break
        mend_in_git(world)
        correct_in_git(world)
        if world.web:
            mend_note(world)
            world.clock.advance(PATIENCE.total_seconds() + 5)
        for scope in world.scopes():
            for diff in world.diffs(scope):
                decide(world, scope, diff)
        report = rest(world)
    if answer and report.exit_code != IN_SYNC:
        raise Violation(f"not in sync although everything was answered: {_state(report)}")
    return report


def _raced(world: World) -> Report:
    """Once more a pass in which people commit, after everything was in order; then rest."""
    world.say("pass, and people commit in it")
    world.act_inside = lambda: edit_in_git(world)
    world.hazard.begin(world.rng, busy=0.08)
    world.run_pass()
    return rest(world)


def rest(world: World) -> Report:
    """Passes until one has nothing to do; the next must do nothing either."""
    for _ in range(MOST_PASSES):
        before = _refs(world)
        report = _pass(world)
        if report.writes == 0 and report.commits == 0 and _is_still(report, before, _refs(world)):
            return report
    raise Violation(f"{MOST_PASSES} calm passes, and the last one still did something")


def _glance(world: World, rested: Report) -> None:
    """What is at rest stays so, whatever part of it is looked at."""
    before, one = _refs(world), world.scopes()[1:2]
    looks: list[tuple[list[Scope] | None, Depth]] = [(None, "recent"), (None, "values"), (one, "recent")]
    scopes, depth = world.rng.choice(looks)
    report = world.run_pass(scopes=scopes, depth=depth)
    assert report is not None, "nothing dies in the calm"
    if report.writes or report.commits or not _is_still(rested, before, _refs(world)):
        raise Violation(f"all was at rest, and a pass of {scopes or 'everything'} ({depth}) did something")


Refs = dict[Scope, dict[str, str]]


def _is_still(report: Report, before: Refs, after: Refs) -> bool:
    """Whether no ref moved; bases aside where a write cannot be made, for each try is an intent."""
    changed = {name for scope in after for name, at in after[scope].items() if before[scope].get(name) != at}
    return not changed or (bool(report.errors) and changed <= {base_ref(LETTA), base_ref(WEB)})


def _pass(world: World) -> Report:
    world.say("pass")
    world.clock.advance(5)
    report = world.run_pass()
    assert report is not None, "nothing dies in the calm"
    return report


def _refs(world: World) -> Refs:
    return {scope: dict(world.workspace.repo(scope).refs) for scope in world.scopes()}


def _state(report: Report) -> str:
    return (
        f"exit {report.exit_code}, {report.writes} writes, {report.commits} commits, {report.unsettled} unsettled, "
        f"{[str(each) for each in report.actions]} {[str(each) for each in report.conflicts]} "
        f"{[str(each) for each in [*report.errors, *report.unknown, *report.halts]]}"
    )


# ---------------------------------------------------------------------- the promises


def check(world: World, report: Report) -> None:
    """Every promise that is about the end, given what the last pass reported."""
    for scope in world.scopes():
        _check_people(world, scope)
        _check_sides(world, scope, "\n".join(f"{error.where} {error.message}" for error in report.errors))
        _check_privacy(world, scope)
    for scope, ref, text in sorted(world.witness.kept):
        if lost := world.reach(scope).lacks(ref, text):
            raise Violation(f"{scope} {ref}: {lost} was observed, and no ref reaches it")
    if not report.errors:
        _check_agents(world)


def _check_people(world: World, scope: Scope) -> None:
    """No commit of a person is lost."""
    repo, head = world.workspace.repo(scope), world.head(scope)
    on_main = {commit.id for commit in repo.log(head)}
    for where, commit in world.witness.people:
        if where == scope and commit not in on_main:
            raise Violation(f"{scope}: the commit {repo.info(commit).message!r} is no longer on main")


def _check_sides(world: World, scope: Scope, errors: str) -> None:
    """Both sides agree on every field that nobody must decide, and hold what they must.

    What git holds may differ where the engine says that it breaks its field, and so was not sent.
    """
    asked = {(diff.ref, diff.field) for diff in world.diffs(scope)}
    for witness, place, text in _documents(world, scope):
        git, live = fields_of(place.ref, place.text), fields_of(place.ref, text)
        if git is None or (place.ref, None) in asked:
            continue
        if live is None:
            raise Violation(f"{scope} {place.ref}: nothing readable is live, and nobody is asked")
        stories = witness.stories.get((scope, place.ref), {})
        for name in {**git, **live, **stories}:
            if (place.ref, name) not in asked:
                story = stories.get(name) or Story(prose=False)
                is_refused = f"{scope} {place.path} {name}: " in errors
                pair = (git.get(name, ABSENT), git.get(name, ABSENT) if is_refused else live.get(name, ABSENT))
                _check_field(f"{scope} {place.ref} {name} ({witness.remote})", story, pair)


def _documents(world: World, scope: Scope) -> Iterator[tuple[Witness, Place, str | None]]:
    """Every document of ``main`` beside each live side that holds it."""
    for witness in world.witnesses:
        lives = world.lives(scope, witness.remote)
        models = world.models() if scope == COURSES and witness.remote == WEB else []
        for place in [*world.places(scope), *models]:
            yield witness, place, lives.get(place.ref)


def _check_field(where: str, story: Story, pair: tuple[Held, Held]) -> None:
    git, live = pair
    if not same(git, live):
        raise Violation(f"{where}: git holds {git!r} and the live side {live!r}, and nobody is asked")
    if not same(git, story.git):
        raise Violation(f"{where}: git holds {git!r}, last seen there was {story.git!r}")
    if not isinstance(story.expect, Unsure) and not same(story.expect, story.git):
        raise Violation(f"{where}: {story.by} alone set {story.expect!r}, and it came to {story.git!r}")
    if lost := story.missing():
        raise Violation(f"{where}: {lost} were added, seen, never removed, and are not in git")


def _check_privacy(world: World, scope: Scope) -> None:
    """Every value says whose it is; none is in anybody else's repo or block."""
    own = scope.rpartition("/")[2]
    others = [f"{each.rpartition('/')[2]}-" for each in world.scopes() if each != scope]
    repo = world.workspace.repo(scope)
    reachable = {
        (path, blob)
        for tip in repo.refs.values()
        for commit in repo.log(tip)
        for path, blob in repo.files(commit.id).items()
        if ref_of(scope, path)
    }
    texts = [repo.read(blob).decode() for _, blob in reachable]
    texts += [block.text for block in world.server.blocks.values() if block.scope == scope]
    texts += [markdown(row) for row in world.web.server.notes() if scope_of(row) == scope] if world.web else []
    for text in texts:
        for other in others:
            if other in text:
                raise Violation(f"{scope}: {text!r} is partly {other[:-1]}'s and stands with {own}")


def _system(world: World, course: str) -> Value:
    """The system prompt as the course file has it, where it has one."""
    return (fields_of(f"model/{course}", world.text(COURSES, f"{course}/course.toml")) or NO_FIELDS).get("system", "")


def _check_agents(world: World) -> None:
    """There is exactly one agent for every learner and course, and it is as the course says."""
    system = SYSTEMS[world.versions.get("system", 0)]
    if world.web:
        system = _system(world, "c1")
    for agent in world.server.agents.values():
        wanted = system if agent.ref == "agent/c1" else _system(world, "c2")
        if agent.fields["system"] != wanted:
            raise Violation(f"{agent.scope} {agent.ref}: its system prompt is {agent.fields['system']!r}")
        if any(diff.ref == agent.ref for diff in world.diffs(agent.scope)):
            continue  # drift that keeps coming back is asked about, and left as it is meanwhile
        course = agent.ref.partition("/")[2]
        held = {block.ref for block in world.server.held(agent)}
        declared = {
            f"block/{name}" if block.scope == "user" else f"block/{course}/{name}"
            for name, block in world.courses()[course].blocks.items()
        }
        if held != declared:
            raise Violation(f"{agent.scope} {agent.ref}: it holds {sorted(held)}")
    for scope, ref in world.wanted_agents():
        if world.server.agent(scope, ref) is None:
            raise Violation(f"{scope} {ref}: there is no such agent")
