"""The engine with one rule taken out, in as many ways as there are rules that somebody might think superfluous.

Each mutant replaces one function by a plausible, simpler one; the simulation must notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core import decide as decide_module
from reconciler.core import plan as plan_module
from reconciler.core.base import Base, FieldBase, Link, Origin
from reconciler.core.decide import SAID_BY_BOTH, Capture, Conflict, Decision, Push, decide
from reconciler.core.snapshot import Spec
from reconciler.ports import Failed
from reconciler.simulation import faults, remote
from reconciler.store import journal
from reconciler.sync import engine, gather, memory, record, scope, write

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]

# ---------------------------------------------------------------------- git


def no_compare_and_set(patch: Patch) -> None:
    """`main` is moved wherever it stands."""
    move = faults.SimRepo.move

    def forced(self: Any, name: str, old: str | None, new: str) -> bool:
        return move(self, name, self._repo.ref(name) if name == faults.MAIN else old, new)

    patch.setattr(faults.SimRepo, "move", forced)


def overwrite_before_tracking(patch: Patch) -> None:
    """What was observed is recorded after the writes, not before."""
    patch.setattr(record, "track_seen", lambda work, remote, stamp: work.head)


def base_before_main(patch: Patch) -> None:
    """The base is saved, and then `main` is moved."""
    commit_steps, save = record.commit_steps, record.save_bases

    def first(repo: Any, head: str, steps: Any, stamp: Any) -> list[str]:
        made = commit_steps(repo, head, steps, stamp)
        if made:
            work = _of(repo)
            here, work.head = work.head, made[-1]
            save(work, stamp)
            work.head = here
        return made

    def remembering(work: Any, remotes: Any, stamp: Any) -> int:
        _WORKS[id(work.repo)] = work
        return recorded(work, remotes, stamp)

    recorded = record.record
    patch.setattr(record, "commit_steps", first)
    patch.setattr(engine, "record", remembering)


_WORKS: dict[int, Any] = {}


def _of(repo: Any) -> Any:
    return _WORKS[id(repo)]


def no_replay(patch: Patch) -> None:
    """Captures and decisions newer than the base are not put into it."""
    patch.setattr(scope, "replayed", lambda repo, remote, base, head, desired: base.at(head))


def no_intents(patch: Patch) -> None:
    """The base is saved after the writes only."""
    patch.setattr(record, "save_bases", lambda work, stamp: None)


def rejected_is_forgotten(patch: Patch) -> None:
    """A decided value does not join the chain."""
    patch.setattr(journal, "_decided", lambda diff, remote: ())


def skip_what_moved(patch: Patch) -> None:
    """A scope is remembered as in order although somebody committed since it was planned."""
    patch.setattr(memory, "_is_current", lambda work, refs: True)


# ---------------------------------------------------------------------- the live side


def write_without_comparing(patch: Patch) -> None:
    """No write is ever stale."""
    patch.setattr(remote, "_moved", lambda action, before, now: "")


def failed_is_applied(patch: Patch) -> None:
    """A write that failed is believed."""
    account = write._account

    def folded(work: Any, name: str, action: Any, outcome: Any, written: Any) -> None:
        account(work, name, action, outcome, written)
        if isinstance(outcome, Failed) and action.verb == "update":
            base = work.bases[name]
            fields = {key: each.settle() for key, each in base.resources.get(action.ref, {}).items()}
            work.bases[name] = Base(base.main, {**base.resources, action.ref: fields})

    patch.setattr(write, "_account", folded)


def unseen_is_missing(patch: Patch) -> None:
    """What a listing lacks is taken to be gone."""
    read = scope.read_live

    def sure(desired: Any, where: Any, observation: Any) -> Any:
        return read(desired, where, replace(observation, complete=frozenset({"block", "agent"})))

    patch.setattr(scope, "read_live", sure)


def unreadable_is_empty(patch: Patch) -> None:
    """A live text that is not valid looks like an empty block."""
    read = scope.read_live

    def blank(desired: Any, where: Any, observation: Any) -> Any:
        found = read(desired, where, observation)
        return {ref: {} if getattr(seen, "raw", None) is not None else seen for ref, seen in found.items()}

    patch.setattr(scope, "read_live", blank)


# ---------------------------------------------------------------------- settling


def believe_the_200(patch: Patch) -> None:
    """What was written is settled as soon as it is read back."""
    settle = scope.settle
    patch.setattr(scope, "settle", lambda base, live, active: settle(base, live, frozenset()))


def adopt_during_a_turn(patch: Patch) -> None:
    """What was captured or found equal is settled at once."""
    joined = FieldBase.joined

    def at_once(self: FieldBase, value: Any, origin: Origin) -> FieldBase:
        return joined(self, value, origin).settle() if origin is Origin.LIVE else joined(self, value, origin)

    patch.setattr(FieldBase, "joined", at_once)


def no_listing_is_no_runs(patch: Patch) -> None:
    """Where the runs cannot be listed there are none."""
    look = scope.look
    patch.setattr(gather, "look", lambda work, seen, runs, stamp: look(work, seen, {"letta": (), **runs}, stamp))


def no_grace(patch: Patch) -> None:
    """The runs are listed right after the write."""
    patch.setattr(faults.SimClock, "sleep", lambda self, seconds: self.asleep())


def forget_the_chain(patch: Patch) -> None:
    """Only the newest value sent is remembered."""
    joined = FieldBase.joined

    def newest(self: FieldBase, value: Any, origin: Origin) -> FieldBase:
        return replace(joined(self, value, origin), chain=(Link(value, origin),))

    patch.setattr(FieldBase, "joined", newest)


def one_round(patch: Patch) -> None:
    """Runs that began while the first were waited for are not waited for."""
    settle = scope.settle
    patch.setattr(scope, "settle", lambda base, live, active: settle(replace(base, round=2), live, active))


# ---------------------------------------------------------------------- deciding


def whole_resources(patch: Patch) -> None:
    """One field that moves settles the whole block: every field is expected to be git's."""
    keep = plan_module._Fold._keep

    def all_of_it(self: Any, side: Any, key: tuple[str, str], base: FieldBase) -> None:
        keep(self, side, key, base)
        for name, value in self.target[key[0]].items():
            if name != key[1] and base.chain and key[0].startswith("block/"):
                keep(self, side, (key[0], name), FieldBase(settled=value))

    patch.setattr(plan_module._Fold, "_keep", all_of_it)


def git_wins(patch: Patch) -> None:
    """No conflicts: git's value is written over the live one."""
    patch.setattr(plan_module, "decide", _instead_of_conflicts(Push()))


def live_wins(patch: Patch) -> None:
    """No conflicts: the live value is captured over git's."""
    patch.setattr(plan_module, "decide", _instead_of_conflicts(Capture()))


def _instead_of_conflicts(winner: Decision) -> Callable[..., Decision]:
    def decided(rule: Any, base: Any, git: Any, live: Any) -> Decision:
        decision = decide(rule, base, git, live)
        return winner if decision == Conflict(SAID_BY_BOTH) else decision

    return decided


def merge_from_the_newest(patch: Patch) -> None:
    """Merges start from the newest value sent, not from the settled one."""
    patch.setattr(decide_module, "_start", lambda ancestor, base, git: base.expected)


def put_back_is_as_settled(patch: Patch) -> None:
    """A line that git put back before its removal had settled is merged as if live had held it all along."""
    patch.setattr(decide_module, "rebased_text", lambda base, git, sent: base)


def no_merge(patch: Patch) -> None:
    """A list or a text that both sides edited is taken as the live side has it."""
    patch.setattr(decide_module, "_merged", lambda base, git, live: live)


def old_values_are_news(patch: Patch) -> None:
    """Only the settled value is known; a value sent since, or overwritten, is taken for an edit."""
    patch.setattr(FieldBase, "knows", lambda self, value: False)


def undeclared_is_nobodys(patch: Patch) -> None:
    """Keys that no course declares are not synced."""
    patch.setattr(Spec, "rule", lambda self, name: self.rules.get(name))


MUTANTS: Mapping[str, Mutant] = {
    each.__name__: each
    for each in (
        no_compare_and_set,
        overwrite_before_tracking,
        base_before_main,
        no_replay,
        no_intents,
        rejected_is_forgotten,
        skip_what_moved,
        write_without_comparing,
        failed_is_applied,
        unseen_is_missing,
        unreadable_is_empty,
        believe_the_200,
        adopt_during_a_turn,
        no_listing_is_no_runs,
        no_grace,
        forget_the_chain,
        one_round,
        whole_resources,
        git_wins,
        live_wins,
        merge_from_the_newest,
        put_back_is_as_settled,
        no_merge,
        old_values_are_news,
        undeclared_is_nobodys,
    )
}
