"""What lets the next pass skip a scope: nothing of it moved since a pass found nothing to do there.

Kept in memory only, and only after an empty plan with nothing unsettled, unknown, refused or waiting; a fresh process
looks at everything once. Being a cache of comparisons and not of values, it can never be believed over the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.core.guard import Expected, Found
from reconciler.core.outcome import Notice
from reconciler.core.snapshot import Ref, Scope
from reconciler.ports import Observation, Repo
from reconciler.store.bases import base_ref
from reconciler.store.journal import MAIN, tracking_ref
from reconciler.sync.scope import ScopeWork, Shown, is_unsettled

Refs: TypeAlias = "Mapping[str, str | None]"


@dataclass(frozen=True)
class Setting:
    """What every plan depends on besides its own scope: the courses' commit, the tools each remote offers, and the
    groups of Open WebUI (None: not met)."""

    courses: str
    offers: tuple[tuple[str, frozenset[str]], ...]
    groups: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True)
class View:
    """What one remote showed of a scope, and the kinds of that."""

    shown: Shown
    kinds: frozenset[str]

    def holds(self, now: Shown, complete: frozenset[str]) -> bool:
        """Whether what is shown now was shown before, and what no longer is, is of a kind that was not listed whole.

        An adapter that knows that something has not moved shows the same object again, which makes this cheap.
        """
        if self.shown == now:
            return True
        if any(self.shown.get(ref) != live for ref, live in now.items()):
            return False
        return self.kinds.isdisjoint(complete) or all(ref in now or _kind(ref) not in complete for ref in self.shown)


NOTHING = View({}, frozenset())


@dataclass(frozen=True)
class Known:
    """A scope in order: where its refs stood, in which setting, and what every remote showed of it."""

    refs: Refs
    setting: Setting
    views: Mapping[str, View]
    present: tuple[tuple[Expected, Found], ...]
    warnings: tuple[Notice, ...]


class Memory:
    """The scopes known to be in order."""

    def __init__(self, remotes: list[str]) -> None:
        self._remotes = remotes
        self._refs = [MAIN, *(name for remote in remotes for name in (base_ref(remote), tracking_ref(remote)))]
        self._known: dict[Scope, Known] = {}

    def holds(self, scope: Scope, head: str | None, repo: Repo, *, whole: bool) -> bool:
        """Whether the scope was in order when its refs stood where they stand now, ``main`` at ``head``.

        Not ``whole``: the others are not read. Only commands of ours move them, mostly with ``main``; what is planned
        by a base that moved alone is refused, and the next whole look sees the rest.
        """
        known = self._known.get(scope)
        if known is None or known.refs[MAIN] != head:
            return False
        return not whole or known.refs == self._standing(repo)

    def bases(self, scope: Scope) -> Mapping[str, str | None] | None:
        """Where the bases of a known scope stood, by remote."""
        known = self._known.get(scope)
        return known and {name: known.refs[base_ref(name)] for name in self._remotes}

    def unchanged(self, scope: Scope, setting: Setting, observations: Mapping[str, Observation]) -> Known | None:
        """The scope as known, where it holds and nothing that was observed differs."""
        known = self._known[scope]
        if known.setting != setting:
            return None
        for name, seen in observations.items():
            if not known.views.get(name, NOTHING).holds(seen.seen.get(scope, NOTHING.shown), seen.complete):
                return None
        return known

    def keep(self, work: ScopeWork, setting: Setting) -> None:
        """Remember the scope if it is in order, forget it if not. ``setting``: what it was planned in.

        What somebody committed since the plan was never looked at, so then nothing is remembered.
        """
        self.drop(work.scope)
        refs = self._standing(work.repo)
        if _is_in_order(work) and _is_current(work, refs):
            self._known[work.scope] = Known(
                refs=refs,
                setting=setting,
                views={name: View(shown, frozenset(map(_kind, shown))) for name, shown in work.shown.items()},
                present=tuple(_present(work)),
                warnings=work.desired.warnings,
            )

    def drop(self, scope: Scope) -> None:
        """Forget one scope."""
        self._known.pop(scope, None)

    def forget(self) -> None:
        """Forget everything: the next pass looks at all of it."""
        self._known.clear()

    def _standing(self, repo: Repo) -> Refs:
        return {name: repo.ref(name) for name in self._refs}


def _is_in_order(work: ScopeWork) -> bool:
    plan = work.plan
    trouble = plan.clashes or plan.refused or plan.blind or plan.waiting or work.git.births or work.repo.odd(work.head)
    is_settled = not any(is_unsettled(base) for base in work.bases.values())
    return plan.is_empty and not trouble and is_settled and _is_all_seen(work)


def _is_all_seen(work: ScopeWork) -> bool:
    """Whether every resource was shown, or shown to be missing: what was not could go without a difference."""
    return all(
        ref in seen
        for remote, seen in work.seen.items()
        for ref, spec in work.desired.specs.items()
        if remote in spec.remotes
    )


def _is_current(work: ScopeWork, refs: Refs) -> bool:
    """Whether ``main`` and the bases are still where this pass read or left them."""
    bases = all(refs[base_ref(remote)] == stored.commit for remote, stored in work.stored.items())
    return bases and refs[MAIN] == work.head


def _present(work: ScopeWork) -> list[tuple[Expected, Found]]:
    refs = dict.fromkeys(ref for base in work.bases.values() for ref in base.resources)
    return [(Expected(_kind(ref), work.scope, ref), Found.PRESENT) for ref in refs if ref in work.desired.specs]


def _kind(ref: Ref) -> str:
    return ref.split("/", 1)[0]
