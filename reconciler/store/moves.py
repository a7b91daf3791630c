"""Moving a ref: compare-and-set under git's own locks, in steps that a killed process may leave anywhere.

The order is git's own for a push into a checked-out branch: lock the ref, compare, bring index and work tree along,
and only then move the ref. Until the end the old commit is the truth, and the lock keeps people from committing on top
of a half-changed index. ``reconciler-move`` in the repository says what is under way, and the lock files are links to
it. Whoever finds it, and can become the sole writer, finds the work of a process that died, and finishes it: finishing
never writes an old version over anything, as undoing would have to.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from reconciler.errors import Transient
from reconciler.ports import Person
from reconciler.store.locks import MARK, is_own, release, sole_writer, take
from reconciler.store.place import damage, desks, object_id, open_repository
from reconciler.store.refs import Refs
from reconciler.store.worktree import Delta, Desk, deltas

_ZERO = "0" * 40


@dataclass(frozen=True)
class Move:
    """One ref on its way."""

    name: str
    old: str | None
    new: str
    why: str
    when: int


@dataclass(frozen=True)
class _Work:
    """A move, the work trees that come along, what changes in them, and the locks: the ref's first."""

    move: Move
    desks: Sequence[Desk]
    changes: Sequence[Delta]
    locks: Sequence[Path]


class Mover:
    """Moves the refs of one repository."""

    def __init__(self, common: Path, refs: Refs, identity: Person) -> None:
        self._common, self._refs, self._identity = common, refs, identity
        self._notice = common / "reconciler-move"

    def move(self, move: Move) -> bool:
        """Make the move; False where the ref is not at its old place."""
        with sole_writer(self._common):
            self._finish()
            if self._refs.read(move.name) != move.old:
                return False
            work = self._work(move)
            for desk in work.desks:
                desk.check(work.changes)
            self._announce(move)
            try:
                take(work.locks, self._notice)
            except Transient:
                self._notice.unlink()
                raise
            return self._carry_out(work)

    def heal(self) -> bool:
        """Finish what a process that died left half done; True where there was something."""
        if not self._notice.exists():
            return False
        with sole_writer(self._common):
            return self._finish()

    def interrupted(self, name: str) -> Sequence[Delta]:
        """What a move of this ref that was cut off, or is under way right now, does to the work tree."""
        move = self._announced()
        return self._changes(move) if move and move.name == name and self._is_under_way(move) else ()

    def desks(self, name: str) -> list[Desk]:
        """The work trees that show a branch."""
        return [Desk(repo) for repo in desks(self._common, name)]

    def _work(self, move: Move) -> _Work:
        found = self.desks(move.name)
        locks = (self._refs.lock_path(move.name), *(desk.index_lock for desk in found))
        return _Work(move, found, self._changes(move) if found else (), locks)

    def _finish(self) -> bool:
        move = self._announced()
        if move is None:
            return False
        work = self._work(move)
        if self._is_under_way(move):
            take(work.locks[1:], self._notice)
            self._carry_out(work)
        release([lock for lock in work.locks if is_own(lock)])
        self._notice.unlink(missing_ok=True)
        return True

    def _is_under_way(self, move: Move) -> bool:
        """Whether the move began and did not reach its end.

        It began with the lock. Where a person took that away and went on, the ref is theirs, wherever it is.
        """
        locked = is_own(self._refs.lock_path(move.name))
        return locked and self._refs.read(move.name) == move.old and self._exists(move.new)

    def _carry_out(self, work: _Work) -> bool:
        """The steps from the locks to the end. What fails here (a full disk) leaves all as a killed process would."""
        move = work.move
        still = self._refs.read(move.name) == move.old
        if still:
            for desk in work.desks:
                desk.follow(work.changes)
            self._log(work)
            self._refs.write(move.name, move.new)
        release(work.locks)
        self._notice.unlink()
        return still

    def _log(self, work: _Work) -> None:
        move, who = work.move, self._identity
        line = f"{move.old or _ZERO} {move.new} {who.name} <{who.email}> {move.when} +0000\t{move.why}\n"
        logs = [self._refs.log_path(move.name)] if move.name.startswith("refs/heads/") else []
        for log in [*logs, *(desk.head_log for desk in work.desks)]:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("a", encoding="utf-8") as file:
                file.write(line)

    def _changes(self, move: Move) -> Sequence[Delta]:
        with damage(self._common):
            return deltas(open_repository(self._common), move.old, move.new)

    def _exists(self, commit: str) -> bool:
        with damage(self._common):
            return commit in open_repository(self._common)

    def _announce(self, move: Move) -> None:
        spare = self._common / "reconciler-notice"
        spare.write_bytes(MARK + json.dumps(asdict(move)).encode() + b"\n")
        spare.replace(self._notice)

    def _announced(self) -> Move | None:
        """The move under way; a notice that says none is left over from a disk failure, and says nothing."""
        with suppress(FileNotFoundError, ValueError, TypeError):
            move = Move(**json.loads(self._notice.read_bytes().removeprefix(MARK)))
            return move if object_id(move.new) else None
        return None
