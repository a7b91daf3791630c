"""The exit code of a pass: an error before a person's turn, that before changes, those before nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from reconciler.core.outcome import (
    CHANGES,
    ERROR,
    IN_SYNC,
    NEEDS_A_PERSON,
    Halt,
    Notice,
    PlannedAction,
    PlannedConflict,
    Report,
    Unknown,
)

ACTION = PlannedAction("pending", "user/ada", "letta", "block/c/one", "update", ())
CLEAN = Report()
PLANNED = Report(actions=[ACTION])
DONE = Report(actions=[ACTION], applied=True, writes=1)
IN_THE_AIR = Report(unsettled=1, applied=True)
CLASHING = Report(conflicts=[PlannedConflict("user/ada", "letta", "block/c/one", ())])
HALTED = Report(halts=[Halt("*", "letta", "wiped")])
BLIND = Report(unknown=[Unknown("user/ada", "letta", "block/c/one", "timed out")])
FAILED = Report(errors=[Notice("user/ada", "refused")])
WARNED = Report(warnings=[Notice("courses/c", "no such tool")], unmanaged=3)

CODES = [
    (CLEAN, IN_SYNC),
    (WARNED, IN_SYNC),
    (DONE, IN_SYNC),
    (PLANNED, CHANGES),
    (IN_THE_AIR, CHANGES),
    (CLASHING, NEEDS_A_PERSON),
    (HALTED, NEEDS_A_PERSON),
    (BLIND, ERROR),
    (FAILED, ERROR),
]
UNAPPLIED = [(report, code) for report, code in CODES if report is not DONE]
RANK = [IN_SYNC, CHANGES, NEEDS_A_PERSON, ERROR]


@pytest.mark.parametrize(("report", "code"), CODES)
def test_exit_codes(report: Report, code: int) -> None:
    assert report.exit_code == code
    assert report.is_in_sync is (code == IN_SYNC)


@pytest.mark.parametrize(("one", "other"), list(product(UNAPPLIED, UNAPPLIED)))
def test_of_two_findings_the_graver_one_counts(one: tuple[Report, int], other: tuple[Report, int]) -> None:
    (first, code), (second, also) = one, other
    both = replace(
        first,
        **{
            name: [*getattr(first, name), *getattr(second, name)]
            for name in ("actions", "conflicts", "unknown", "halts", "warnings", "errors")
        },
        unsettled=first.unsettled + second.unsettled,
        applied=False,
    )

    assert both.exit_code == RANK[max(RANK.index(code), RANK.index(also))]
