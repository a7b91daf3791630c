"""What a spec says of a field: merged, owned, or nobody's business here."""

from __future__ import annotations

import pytest

from reconciler.core.snapshot import MISSING, UNDECLARED, FieldRule, Missing, Spec
from reconciler.core.value import ABSENT

OWNED = FieldRule(owned=True)
RULES = {"f": FieldRule(default="x"), "@s": OWNED}
OPEN, CLOSED = Spec("block/c/a", RULES), Spec("agent/c", RULES, open=False)


@pytest.mark.parametrize(
    ("spec", "name", "rule"),
    [
        (OPEN, "f", RULES["f"]),
        (OPEN, "@s", OWNED),
        (OPEN, "undeclared", UNDECLARED),
        (OPEN, "@undeclared", None),
        (CLOSED, "f", RULES["f"]),
        (CLOSED, "undeclared", None),
        (CLOSED, "@undeclared", None),
    ],
)
def test_a_field_has_a_rule_or_is_left_alone(spec: Spec, name: str, rule: FieldRule | None) -> None:
    assert spec.rule(name) == rule


def test_nobody_judges_a_field_that_is_not_declared() -> None:
    assert UNDECLARED.problem("anything") is None
    assert UNDECLARED.default is ABSENT


def test_there_is_one_missing() -> None:
    assert Missing() is MISSING
    assert repr(MISSING) == "MISSING"
