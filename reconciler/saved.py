"""A plan kept in a file, and whether the world is still the one it was made for.

Kept is, per scope, where ``main`` stood and a digest of every thing the plan would do or ask. To apply it is to plan
anew and to refuse unless the new plan is the same: a saved plan is a promise about what happens, not a script.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias, cast

from reconciler.core.base import Settled
from reconciler.core.outcome import PlannedAction, PlannedConflict, Report
from reconciler.core.snapshot import Scope
from reconciler.errors import Terminal
from reconciler.policy import Ways
from reconciler.report_json import as_dict
from reconciler.visible import value_text

KIND, VERSION = "reconciler plan", 1
_LARGEST_BYTES = 256_000_000

Things: TypeAlias = "dict[str, str]"
"""What the plan says of one scope: a line that names each thing, and its digest."""


@dataclass(frozen=True)
class Seen:
    """What a plan was made from: per scope its things, and where ``main`` stood."""

    workspace: str
    ways: Ways
    heads: Mapping[Scope, str | None]
    things: Mapping[Scope, Things] = field(default_factory=dict[Scope, "Things"])


def seen(report: Report, workspace: str, ways: Ways, heads: Mapping[Scope, str | None]) -> Seen:
    """What this plan stands on. Of scopes that it leaves alone nothing is kept but the courses'."""
    things: dict[Scope, Things] = defaultdict(dict)
    for scope, name, digest in _things(report):
        things[scope][name] = digest
    kept = {scope: heads.get(scope) for scope in ("courses", *things)}
    return Seen(workspace, ways, kept, dict(things))


def save(path: Path, kept: Seen, report: Report, now: datetime) -> None:
    """Write the plan where only its owner can read it: it holds what learners wrote."""
    document = {
        "kind": KIND,
        "version": VERSION,
        "made_at": now.isoformat(),
        "seen": asdict(kept),
        "plan": as_dict(report),
    }
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        handle = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1, allow_nan=False)
        fresh.replace(path)
    except OSError as error:
        raise Terminal(f"the plan cannot be saved to {path}: {error.strerror}") from error


def load(path: Path) -> Seen:
    """What a saved plan stands on; Terminal where the file is none of ours."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise Terminal(f"{path} is larger than any plan of ours")
        document = cast("dict[str, Any]", json.loads(path.read_bytes()))
        if document["kind"] != KIND or document["version"] != VERSION:
            raise Terminal(
                f"{path} is not a plan that this version saved; make one with `reconciler --once --plan-out`"
            )
        kept = document["seen"]
        return Seen(kept["workspace"], Ways(**kept["ways"]), dict(kept["heads"]), _checked(kept["things"]))
    except OSError as error:
        raise Terminal(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Terminal(f"{path} is not a saved plan; make one with `reconciler --once --plan-out FILE`") from error


def moved(saved: Seen, fresh: Seen) -> list[str]:
    """What is not as the saved plan saw it, one sentence each; empty where it may be carried out."""
    if saved.workspace != fresh.workspace:
        return [f"the plan is of another workspace ({saved.workspace}; this one is {fresh.workspace})"]
    return [line for scope in _scopes(saved, fresh) for line in _moved_scope(scope, saved, fresh)]


def _moved_scope(scope: Scope, saved: Seen, fresh: Seen) -> Iterator[str]:
    before, now = saved.heads.get(scope), fresh.heads.get(scope)
    if scope in saved.heads and scope in fresh.heads and before != now:
        yield f"{scope}: main moved from {_short(before)} to {_short(now)}"
    old, new = saved.things.get(scope, {}), fresh.things.get(scope, {})
    for thing in sorted(old.keys() | new.keys()):
        if thing not in new:
            yield f"{scope}: {thing}: no longer to be done"
        elif thing not in old:
            yield f"{scope}: {thing}: not in the saved plan"
        elif old[thing] != new[thing]:
            yield f"{scope}: {thing}: its values are not the same any more"


def _scopes(saved: Seen, fresh: Seen) -> list[Scope]:
    return sorted({*saved.heads, *saved.things, *fresh.things})


def _things(report: Report) -> Iterator[tuple[Scope, str, str]]:
    for action in report.actions:
        yield action.scope, f"{action.flow} {action.remote} {action.ref}", _digest(_action_parts(action))
    for conflict in report.conflicts:
        yield conflict.scope, f"conflict {conflict.remote} {conflict.ref}", _digest(_conflict_parts(conflict))
    for halt in report.halts:
        yield halt.scope, f"halt {halt.remote}", _digest([halt.reason])


def _action_parts(action: PlannedAction) -> list[str]:
    changes = [[change.name, _canonical(change.before), _canonical(change.after)] for change in action.fields]
    return [action.verb, *(part for change in sorted(changes) for part in change)]


def _conflict_parts(conflict: PlannedConflict) -> list[str]:
    clashes = [[each.name, *map(_canonical, (each.base, each.git, each.live))] for each in conflict.fields]
    return [part for clash in sorted(clashes) for part in clash]


def _canonical(value: Settled) -> str:
    """Text that two values share exactly where they are the same: type, value, and no order of keys."""
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{name!r}:{_canonical(held)}' for name, held in sorted(value.items()))}}}"
    if isinstance(value, tuple):
        return f"[{','.join(map(_canonical, value))}]"
    return f"{type(value).__name__} {value_text(value)}"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()


def _checked(things: Any) -> dict[Scope, Things]:
    return {scope: dict(cast("Mapping[str, str]", held)) for scope, held in things.items()}


def _short(commit: str | None) -> str:
    return commit[:10] if commit else "nothing"
