"""Reports: the text an operator reads, and the JSON a program reads."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.base import NEVER
from reconciler.core.outcome import (
    ClashField,
    FieldChange,
    Flow,
    Halt,
    Notice,
    PlannedAction,
    PlannedConflict,
    Report,
    Unknown,
)
from reconciler.core.value import ABSENT, Held
from reconciler.report import report_lines, summary
from reconciler.report_json import as_dict, as_json
from reconciler.visible import visible

ALICE, STUDENT = "user/alice", "block/college-essay/student"


def update(before: Held, after: Held, flow: Flow = "pending", author: str = "") -> PlannedAction:
    return PlannedAction(flow, ALICE, "letta", STUDENT, "update", (FieldChange("bio", before, after),), author)


def clash(**changes: Any) -> PlannedConflict:
    values = {
        "base": "MIT",
        "git": "Harvard",
        "live": "Yale",
        "reason": "both sides changed it",
        "diff": "3f2a",
    } | changes
    return PlannedConflict(ALICE, "letta", STUDENT, (ClashField("goal", **values),))


def text(report: Report) -> str:
    return "\n".join(line.plain for line in report_lines(report))


def test_a_plan_has_one_line_per_thing_one_per_field_and_a_footer_that_counts() -> None:
    report = Report(
        actions=[update("old", "new"), update("a", "b", "captured", "Letta API")],
        conflicts=[clash()],
        unmanaged=7,
        scopes=2,
    )

    assert (
        text(report)
        == """\
Pending: git → live (1)
  ~ update block/college-essay/student  user/alice  → letta
      bio  "old" → "new"

To capture: live → git (1)
  ~ update block/college-essay/student  user/alice  letta → git  by Letta API
      bio  "a" → "b"

Conflicts: a person decides (1)
  ! conflict block/college-essay/student  user/alice  git ⇄ letta
      goal  both sides changed it
        git     "Harvard"
        letta   "Yale"
        before  "MIT"
        reconciler diffs approve 3f2a takes letta's, diffs reject 3f2a keeps git's

1 pending, 1 to capture, 1 conflict, in 2 scopes.
Left alone, as not ours: 7 resources.
Nothing was changed. To carry this out: reconciler --once --apply"""
    )


def test_a_quiet_pass_says_in_sync_and_nothing_to_do() -> None:
    assert text(Report(scopes=4)) == "In sync: git and live agree in 4 scopes."


def test_after_an_apply_it_says_what_was_done_and_what_is_still_in_the_air() -> None:
    shown = text(Report(actions=[update("a", "b")], applied=True, writes=1, unsettled=1, scopes=1))

    assert "Applied: git → live (1)" in shown
    assert "Done: 1 write, 0 commits. 1 applied, 1 unsettled field, in 1 scope." in shown
    assert "1 field not settled yet" in shown
    assert "Nothing was changed" not in shown


def test_halts_unknowns_warnings_and_errors_each_have_a_part() -> None:
    report = Report(
        halts=[Halt("courses", "letta", "61 of 200 blocks are gone.\nGo on with --recreate.")],
        unknown=[Unknown(ALICE, "letta", STUDENT, "not valid TOML")],
        warnings=[Notice("here", "a tool is missing")],
        errors=[Notice("letta", "no answer")],
    )
    shown = text(report)

    for words in (
        "Halted",
        "61 of 200",
        "Go on with --recreate",
        "Unknown",
        "not valid TOML",
        "a tool is",
        "no answer",
    ):
        assert words in shown
    assert "1 halt, 1 unknown, 1 error" in shown


def test_a_message_that_begins_with_its_own_place_says_it_once() -> None:
    notice = Notice("courses/c/course.toml", "c/course.toml:29: agent.name: is missing")

    assert "  courses/c/course.toml:29: agent.name: is missing\n" in text(Report(warnings=[notice]))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a\nb\nc\nd", "a\nb\nC\nd", ["(line 2)", "  b", "- c", "+ C", "  d"]),
        (("a", "b", "c"), ("a", "c", "d"), ['- "b"', '+ "d"']),
        (
            MappingProxyType({"x": 1, "y": MappingProxyType({"z": True})}),
            MappingProxyType({"x": 1.0, "y": MappingProxyType({"z": True, "n": "q"})}),
            ["- x: 1", "+ x: 1.0", '+ y.n: "q"'],
        ),
        (
            (MappingProxyType({"tool": "a", "kind": "exit"}),),
            (MappingProxyType({"tool": "a", "kind": "first"}),),
            ['- item 1.kind: "exit"', '+ item 1.kind: "first"'],
        ),
        (
            "one two three four five " * 9 + "six",
            "one two three four five " * 9 + "seven",
            ["(line 1)", "- …two three four five six", "+ …two three four five seven"],
        ),
        ("a\nb", "a\r\nb", ["  only the line breaks differ"]),
    ],
)
def test_long_and_nested_values_are_shown_as_a_diff(before: Held, after: Held, expected: list[str]) -> None:
    lines = [line.plain for line in report_lines(Report(actions=[update(before, after)]))]

    assert [line[8:] for line in lines if line.startswith(" " * 8)] == expected


def test_an_endless_diff_is_cut_and_says_so() -> None:
    shown = text(Report(actions=[update("\n".join("ab" * 200), "\n".join("cd" * 200))]))

    assert "more lines; -o json has them all" in shown
    assert shown.count("\n") < 100


def test_a_conflict_of_long_texts_shows_how_they_differ() -> None:
    shown = text(Report(conflicts=[clash(git="a\nb", live="a\nc", base=NEVER)]))

    assert "- git's, + letta's:" in shown
    assert "- b\n        + c\n" in shown
    assert "before  (not known)" in shown


HOSTILE = "\x1b[2J\r\n\x07\x9b31m\u202e\u2028\u2066\ud800"


def test_no_control_character_reaches_the_terminal_raw() -> None:
    value: Held = MappingProxyType({HOSTILE: (HOSTILE, HOSTILE * 40)})
    action = PlannedAction(
        "captured", HOSTILE, HOSTILE, HOSTILE, "update", (FieldChange(HOSTILE, value, HOSTILE),), HOSTILE
    )
    field = ClashField(HOSTILE, HOSTILE, HOSTILE * 40, HOSTILE * 41, HOSTILE, HOSTILE)
    report = Report(
        actions=[action, update(HOSTILE * 40, HOSTILE * 41), update((value,), (HOSTILE,))],
        conflicts=[PlannedConflict(HOSTILE, HOSTILE, HOSTILE, (field,))],
        unknown=[Unknown(HOSTILE, HOSTILE, HOSTILE, HOSTILE)],
        halts=[Halt(HOSTILE, HOSTILE, HOSTILE)],
        errors=[Notice(HOSTILE, HOSTILE)],
    )

    assert not any(c in line.plain for line in report_lines(report) for c in HOSTILE if not c.isprintable())
    assert as_json(report).replace("\n", "").isascii()
    assert as_json(report).replace("\n", "").isprintable()


@given(st.text(max_size=20))
def test_visible_text_is_printable_but_for_joiners_and_spaces(given_text: str) -> None:
    assert all(c.isprintable() or c in "\u200c\u200d" or (c.isspace() and ord(c) > 0x9F) for c in visible(given_text))


def test_the_json_is_exactly_the_documented_shape() -> None:
    when = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    report = Report(
        actions=[update(ABSENT, (when, date(2026, 1, 2), float("inf"), True, 1, MappingProxyType({"a": "ü"})))],
        conflicts=[clash(base=NEVER, live=ABSENT)],
        unknown=[Unknown(ALICE, "letta", STUDENT, "why")],
        halts=[Halt("courses", "letta", "why")],
        warnings=[Notice("here", "so")],
        errors=[Notice("there", "so")],
        unsettled=2,
        unmanaged=3,
    )
    after = ["2026-01-02T03:04:00+00:00", "2026-01-02", "inf", True, 1, {"a": "ü"}]
    field = {"name": "goal", "base": None, "git": "Harvard", "live": None}
    names = {"scope": ALICE, "remote": "letta", "ref": STUDENT}

    assert json.loads(as_json(report)) == as_dict(report)
    assert as_dict(report) == {
        "version": 1,
        "in_sync": False,
        "counts": {
            "pending": 1,
            "captured": 0,
            "conflicts": 1,
            "unsettled": 2,
            "unknown": 1,
            "unmanaged": 3,
            "halts": 1,
            "warnings": 1,
        },
        "actions": [
            {"flow": "pending", "verb": "update", "fields": [{"name": "bio", "before": None, "after": after}], **names}
        ],
        "conflicts": [{"fields": [field], **names}],
        "unknown": [{"reason": "why", **names}],
        "halts": [{"scope": "courses", "remote": "letta", "reason": "why"}],
        "warnings": [{"where": "here", "message": "so"}],
        "errors": [{"where": "there", "message": "so"}],
    }


def test_the_summary_of_a_pass_is_empty_where_nothing_happened() -> None:
    assert summary(Report(scopes=9, unsettled=1)) == ""
    assert summary(Report(writes=2, commits=1, conflicts=[clash()])) == "2 writes, 1 commit, 1 conflict"
