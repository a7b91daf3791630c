"""A remote in memory that holds what was written to it and shows the very same objects again, at no cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.core.snapshot import Ref, Scope, Unreadable
from reconciler.core.value import Fields, Value
from reconciler.desired import Context, desired_of_user
from reconciler.manifest.user import load_user
from reconciler.policy import Policy
from reconciler.ports import Action, Actor, Applied, Depth, Edit, Live, Observation, Outcome, Run
from reconciler.store.courses import CourseReader
from reconciler.store.gitio import MAIN, GitRepo
from reconciler.store.workspace import GitWorkspace

_TOOLS = frozenset({"send_message", "memory_insert", "memory_replace", "conversation_search"})


class StillRemote:
    """What it costs is the engine's alone."""

    name = "letta"
    has_turns = False

    def __init__(self, seen: dict[Scope, dict[Ref, Live | Unreadable]]) -> None:
        self.seen = seen

    def observe(self, scopes: Sequence[Scope] | None, depth: Depth) -> Observation:
        return Observation(self.seen, frozenset({"agent", "block"}), {"tools": _TOOLS})

    def reread(self, lives: Sequence[Live]) -> Mapping[str, Live | Unreadable | None]:
        return {live.handle: live for live in lives}

    def active_runs(self) -> Sequence[Run]:
        return ()

    def apply(self, action: Action) -> Outcome:
        assert action.verb == "create", "nothing else happens here"
        kind = action.ref.partition("/")[0]
        made = Live(action.ref, f"{kind}-{action.scope}-{action.ref}", action.text, action.fields, frozenset())
        self.seen.setdefault(action.scope, {})[action.ref] = made
        return Applied(made)

    def explain(self, edits: Sequence[Edit], since: datetime | None) -> Sequence[Actor]:
        raise NotImplementedError("nobody edits anything here")

    def past(self, live: Live) -> Sequence[Fields]:
        return ()


def still_learners(workspace: GitWorkspace) -> dict[Scope, dict[Ref, Live | Unreadable]]:
    """What a remote in order shows of all learners. They differ in their names alone, so only one repo is read."""
    users = workspace.users()
    first = _shown(workspace, users[0])
    return {f"user/{user}": {ref: _renamed(live, users[0], user) for ref, live in first.items()} for user in users}


def _shown(workspace: GitWorkspace, user: str) -> dict[Ref, Live]:
    courses, repo = workspace.repo("courses"), workspace.repo(f"user/{user}")
    files = repo.files(_main(repo))
    known = CourseReader().read(courses, _main(courses)).courses
    context = Context(workspace.uuid, Policy(), {"tools": _TOOLS})
    desired = desired_of_user(load_user(repo.read(files["user.toml"]), "user.toml"), known, files, context)
    return {
        ref: Live(
            ref,
            f"{ref.partition('/')[0]}-{user}-{ref}",
            repo.read(files[desired.documents[ref].path]).decode() if ref in desired.documents else None,
            fields,
            frozenset(),
        )
        for ref, fields in desired.owned.items()
    }


def _main(repo: GitRepo) -> str:
    main = repo.ref(MAIN)
    assert main is not None
    return main


def _renamed(live: Live, old: str, new: str) -> Live:
    fields = {name: _replaced(value, old, new) for name, value in live.fields.items()}
    return replace(live, handle=live.handle.replace(old, new), fields=fields)


def _replaced(value: Value, old: str, new: str) -> Value:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, tuple):
        return tuple(_replaced(each, old, new) for each in value)
    if isinstance(value, Mapping):
        return {key: _replaced(each, old, new) for key, each in value.items()}
    return value
