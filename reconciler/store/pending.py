"""Pending diffs: proposals and conflicts that await a person, one JSON file each under ``pending_diffs/``.

A conflict's id is a hash of what is in conflict, so a pass that meets it again writes nothing new. Statuses only move
on from ``pending``; the file stays, as the record of what was decided.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast

from reconciler.core.base import NEVER, Settled
from reconciler.core.snapshot import Ref, Scope
from reconciler.core.value import Held
from reconciler.errors import Terminal
from reconciler.ports import Repo
from reconciler.store.values import Json, from_json, held_from_json, to_json

FOLDER = "pending_diffs"
Kind: TypeAlias = Literal["conflict", "proposal", "invalid"]
Status: TypeAlias = Literal["pending", "approved", "rejected", "superseded", "expired"]
GIT = "git"


@dataclass(frozen=True)
class PendingDiff:
    """One matter to decide. ``values``: what each side holds, by side; for an invalid text, the raw text.

    field: None where the whole document is meant. base: the last value both sides agreed on. base_commit: the commit
    of ``main`` it was opened at. actors: who wrote each side's value, as far as known.
    """

    id: str
    kind: Kind
    ref: str
    field: str | None
    base: Settled
    values: Mapping[str, Held]
    reason: str
    created_at: str
    base_commit: str
    status: Status = "pending"
    actors: Mapping[str, str] | None = None
    reviewed_at: str | None = None
    chosen: str | None = None

    @property
    def path(self) -> str:
        return f"{FOLDER}/{self.id}.json"

    @property
    def remotes(self) -> tuple[str, ...]:
        """The live sides of it."""
        return tuple(side for side in self.values if side != GIT)

    def closed(self, status: Status, when: str, chosen: str | None = None) -> PendingDiff:
        return replace(self, status=status, reviewed_at=when, chosen=chosen)


def diff_id(place: tuple[Scope, Ref, str | None], base: Settled, values: Mapping[str, Held]) -> str:
    """The id of a matter: the same for the same matter, whenever it is met; another in another repo.

    place: the scope, the ref and the field; no field where the whole document is meant.
    """
    matter = [*place, to_json(base), {side: to_json(value) for side, value in sorted(values.items())}]
    return hashlib.sha256(json.dumps(matter, sort_keys=True).encode()).hexdigest()[:16]


def render(diff: PendingDiff) -> bytes:
    """The file of a diff: the fields people know from the documents first, then ours."""
    live = [side for side in diff.values if side != GIT]
    found: dict[str, Json] = {
        "id": diff.id,
        "kind": diff.kind,
        "status": diff.status,
        "agent_id": (diff.actors or {}).get(live[0], "") if live else "",
        "block_label": diff.ref,
        "field": diff.field,
        "operation": "replace",
        "current_value": to_json(diff.values[GIT]) if GIT in diff.values else None,
        "proposed_value": to_json(diff.values[live[0]]) if live else None,
        "reasoning": diff.reason,
        "confidence": None,
        "source_query": None,
        "created_at": diff.created_at,
        "reviewed_at": diff.reviewed_at,
        "applied_commit": None,
        "base": to_json(diff.base),
        "base_commit": diff.base_commit,
        "values": {side: to_json(value) for side, value in diff.values.items()},
        "actors": dict(diff.actors or {}),
        "chosen": diff.chosen,
    }
    return (json.dumps(found, indent=2, ensure_ascii=False) + "\n").encode()


def parse(text: bytes, path: str) -> PendingDiff:
    """The diff of a file; Terminal where it is damaged."""
    try:
        found = cast("dict[str, Json]", json.loads(text))
        values = cast("dict[str, Json]", found["values"])
        return PendingDiff(
            id=str(found["id"]),
            kind=cast("Kind", found["kind"]),
            ref=str(found["block_label"]),
            field=cast("str | None", found["field"]),
            base=from_json(found.get("base")) if found.get("base") is not None else NEVER,
            values={side: held_from_json(value) for side, value in values.items()},
            reason=str(found.get("reasoning") or ""),
            created_at=str(found["created_at"]),
            base_commit=str(found.get("base_commit") or ""),
            status=cast("Status", found["status"]),
            actors=cast("dict[str, str]", found.get("actors") or {}),
            reviewed_at=cast("str | None", found.get("reviewed_at")),
            chosen=cast("str | None", found.get("chosen")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Terminal(f"{path} is damaged ({error}); restore it from history or delete it") from error


def read_diffs(repo: Repo, files: Mapping[str, str]) -> dict[str, PendingDiff]:
    """Every diff of a commit's files, by id."""
    paths = [path for path in files if path.startswith(f"{FOLDER}/") and path.endswith(".json")]
    diffs = [parse(repo.read(files[path]), path) for path in paths]
    return {diff.id: diff for diff in diffs}
