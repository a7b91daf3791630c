"""A report as JSON for programs: the exact shape of version 1, which only ever gains keys."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import TypeAlias

from reconciler.core.base import Settled, Unsettled
from reconciler.core.outcome import Notice, PlannedAction, PlannedConflict, Report
from reconciler.core.value import Absent

VERSION = 1

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def as_json(report: Report) -> str:
    """The report, indented, in ASCII: no byte of it can act upon a terminal."""
    return json.dumps(as_dict(report), indent=2, allow_nan=False).replace("\x7f", "\\u007f")


def as_dict(report: Report) -> dict[str, Json]:
    """The report as plain values, keys in the order of the documentation."""
    return {
        "version": VERSION,
        "in_sync": report.is_in_sync,
        "counts": counts(report),
        "actions": [action_dict(action) for action in report.actions],
        "conflicts": [conflict_dict(conflict) for conflict in report.conflicts],
        "unknown": [
            {"scope": each.scope, "remote": each.remote, "ref": each.ref, "reason": each.reason}
            for each in report.unknown
        ],
        "halts": [{"scope": each.scope, "remote": each.remote, "reason": each.reason} for each in report.halts],
        "warnings": [_notice(each) for each in report.warnings],
        "errors": [_notice(each) for each in report.errors],
    }


def counts(report: Report) -> dict[str, Json]:
    """How many things of each sort; fields only where a thing cannot be half of it (unsettled)."""
    return {
        "pending": sum(action.flow == "pending" for action in report.actions),
        "captured": sum(action.flow == "captured" for action in report.actions),
        "conflicts": len(report.conflicts),
        "unsettled": report.unsettled,
        "unknown": len(report.unknown),
        "unmanaged": report.unmanaged,
        "halts": len(report.halts),
        "warnings": len(report.warnings),
    }


def action_dict(action: PlannedAction) -> dict[str, Json]:
    return {
        "flow": action.flow,
        "scope": action.scope,
        "remote": action.remote,
        "ref": action.ref,
        "verb": action.verb,
        "fields": [
            {"name": change.name, "before": plain(change.before), "after": plain(change.after)}
            for change in action.fields
        ],
    }


def conflict_dict(conflict: PlannedConflict) -> dict[str, Json]:
    return {
        "scope": conflict.scope,
        "remote": conflict.remote,
        "ref": conflict.ref,
        "fields": [
            {"name": each.name, "base": plain(each.base), "git": plain(each.git), "live": plain(each.live)}
            for each in conflict.fields
        ],
    }


def plain(value: Settled) -> Json:
    """A value as JSON can say it: dates and infinities as text, what is not there (or not known) as null."""
    match value:
        case Absent() | Unsettled():
            return None
        case float() if not math.isfinite(value):
            return str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case tuple():
            return [plain(held) for held in value]
        case Mapping():
            return {key: plain(held) for key, held in value.items()}
        case _:
            return value


def _notice(notice: Notice) -> Json:
    return {"where": notice.where, "message": notice.message}
