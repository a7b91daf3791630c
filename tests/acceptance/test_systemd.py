"""The units are valid, confined, and agree with the program about exit codes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.core.outcome import CHANGES, NEEDS_A_PERSON

UNITS = sorted((Path(__file__).parents[2] / "systemd").glob("reconciler*"))
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *words], capture_output=True, text=True, timeout=60, check=False)


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units() -> None:
    found = analyze("verify", "--man=no", *map(str, UNITS))

    assert (found.returncode, found.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_the_services_are_confined(unit: Path) -> None:
    """Exposure from 0 (nothing) to 10 (everything), as systemd counts it."""
    found = analyze("security", "--offline=true", "--threshold=20", str(unit))

    assert found.returncode == 0, found.stdout[-200:]


def test_there_are_two_services_and_a_timer() -> None:
    assert [unit.name for unit in UNITS] == ["reconciler-plan.service", "reconciler-plan.timer", "reconciler.service"]


def test_a_plan_with_something_in_it_is_not_a_failed_unit() -> None:
    text = next(unit for unit in SERVICES if "plan" in unit.name).read_text()
    codes = re.search(r"^SuccessExitStatus=(.*)$", text, re.MULTILINE)

    assert codes is not None
    assert set(codes[1].split()) == {str(CHANGES), str(NEEDS_A_PERSON)}


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_token_comes_as_a_credential_of_the_name_that_the_settings_read(unit: Path) -> None:
    from reconciler.settings import CREDENTIALS

    assert re.search(rf"^LoadCredential={next(iter(CREDENTIALS))}:", unit.read_text(), re.MULTILINE)
