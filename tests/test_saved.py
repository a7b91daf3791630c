"""A saved plan: the same world gives the same plan, and whatever moved is named."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from reconciler import saved
from reconciler.core.outcome import ClashField, FieldChange, Halt, PlannedAction, PlannedConflict, Report
from reconciler.core.value import Held
from reconciler.errors import Terminal
from reconciler.policy import Ways
from reconciler.saved import Seen, moved, seen

ANN, REF = "user/ann", "block/c/b"
HEADS = {"courses": "a" * 40, ANN: "b" * 40}


def report(after: Held = "new") -> Report:
    return Report(actions=[PlannedAction("pending", ANN, "letta", REF, "update", (FieldChange("f", "old", after),))])


def made(plan: Report, **changes: object) -> Seen:
    return replace(seen(plan, "w", Ways(), HEADS), **changes)  # type: ignore[arg-type]


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    kept = seen(report(), "w", Ways(prune=True), HEADS)
    saved.save(file, kept, report(), datetime(2026, 1, 2, tzinfo=UTC))

    assert saved.load(file) == kept
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_the_same_plan_may_be_carried_out() -> None:
    assert moved(made(report()), made(report())) == []


@pytest.mark.parametrize(
    ("fresh", "line"),
    [
        (made(report("other")), "user/ann: pending letta block/c/b: its values are not the same any more"),
        (made(Report()), "user/ann: pending letta block/c/b: no longer to be done"),
        (made(report(), heads={**HEADS, ANN: "c" * 40}), "user/ann: main moved from bbbbbbbbbb to cccccccccc"),
        (made(report(), heads={**HEADS, "courses": None}), "courses: main moved from aaaaaaaaaa to nothing"),
        (made(report(), workspace="x"), "the plan is of another workspace (w; this one is x)"),
        (
            made(replace(report(), conflicts=[PlannedConflict(ANN, "letta", REF, (ClashField("g", 1, 2, 3, ""),))])),
            "user/ann: conflict letta block/c/b: not in the saved plan",
        ),
        (
            made(replace(report(), halts=[Halt("courses", "letta", "gone")])),
            "courses: halt letta: not in the saved plan",
        ),
    ],
)
def test_whatever_moved_is_named(fresh: Seen, line: str) -> None:
    assert moved(made(report()), fresh) == [line]


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, True), ("1", 1), ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC).date()), (("a",), "a")],
)
def test_values_of_another_type_are_other_values(one: Held, other: Held) -> None:
    assert moved(made(report(one)), made(report(other)))


def test_the_order_of_keys_says_nothing() -> None:
    one, other = MappingProxyType({"a": 1, "b": 2}), MappingProxyType({"b": 2, "a": 1})

    assert moved(made(report(one)), made(report(other))) == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"kind": "x"}', '{"kind": "reconciler plan", "version": 1}', "[" * 9**5]
)
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text)

    with pytest.raises(Terminal, match="plan"):
        saved.load(file)


def test_a_missing_file_and_an_unwritable_folder_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="cannot be read"):
        saved.load(tmp_path / "nothing")
    with pytest.raises(Terminal, match="cannot be saved"):
        saved.save(tmp_path / "no" / "folder", made(report()), report(), datetime(2026, 1, 2, tzinfo=UTC))
