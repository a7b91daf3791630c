"""The work trees of a running loop: what is saved there is committed, and what is not valid is said once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reconciler.bootstrap import App
from reconciler.commands.who import who_commits
from reconciler.core.snapshot import Scope
from reconciler.errors import ReconcilerError
from reconciler.ports import Depth
from reconciler.store.autocommit import COURSES, commit_saved


class Desks:
    """The courses are looked at with every pass; learners where they are named, and with every deeper look."""

    def __init__(self, app: App, warn: Callable[[str], None]) -> None:
        self._app, self._warn = app, warn
        self._said: dict[Scope, str] = {}

    def commit(self, scopes: Sequence[Scope] | None, depth: Depth) -> None:
        """Before a pass, so that the pass already knows it."""
        users = [f"user/{user}" for user in self._app.workspace.users()] if depth != "recent" else []
        for scope in dict.fromkeys([COURSES, *(scopes if scopes is not None else users)]):
            try:
                repo = self._app.workspace.repo(scope)
                saved = commit_saved(repo, scope, lambda repo=repo: who_commits(repo.path), self._app.clock.now())
            except ReconcilerError:
                continue  # the pass meets the same trouble, and tells it
            self._tell(scope, "\n".join(f"{each.where}: {each.message}" for each in saved.refused))

    def _tell(self, scope: Scope, said: str) -> None:
        if said and self._said.get(scope) != said:
            self._warn(said)
        self._said[scope] = said
