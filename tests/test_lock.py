"""Turns at writing, and who the loop is."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.errors import Transient
from reconciler.lock import a_turn_to_write, loop_pid
from reconciler.store.workspace import init_workspace


def test_one_process_applies_at_a_time_and_the_other_is_told_who(tmp_path: Path) -> None:
    with (
        a_turn_to_write(tmp_path),
        pytest.raises(Transient, match=f"process {os.getpid()} is applying"),
        a_turn_to_write(tmp_path, 0),
    ):
        pass
    with a_turn_to_write(tmp_path, 0):
        pass


def test_who_asks_for_the_loop_makes_nothing(tmp_path: Path) -> None:
    assert loop_pid(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_the_loop_is_known_while_it_lives(tmp_path: Path) -> None:
    workspace = init_workspace(tmp_path / "w", datetime.now(UTC))
    with workspace.lock():
        assert loop_pid(workspace.root) == os.getpid()
    assert loop_pid(workspace.root) is None
