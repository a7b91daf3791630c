"""Every learner's file, remembered by the commit of their ``main``: each pass asks for all, and few ever move."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.core.snapshot import Scope
from reconciler.manifest.user import User


class Learners:
    """One per engine. A cache: what it holds is named by a commit, so nothing in it is ever stale."""

    def __init__(self) -> None:
        self._known: dict[Scope, tuple[str, User]] = {}

    def at(self, scope: Scope, head: str, read: Callable[[], User]) -> User:
        """The learner at that commit; ``read`` is only called for another one than the last time."""
        known = self._known.get(scope)
        if known is None or known[0] != head:
            known = self._known[scope] = (head, read())
        return known[1]
