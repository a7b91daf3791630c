"""With ``autocommit``, whoever saves a file has committed it moments later, and the loop carries it on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.store.gitio import MAIN
from reconciler.store.people import RECONCILER
from reconciler.store.workspace import GitWorkspace, init_workspace
from tests.acceptance.place import OURS

SETTINGS = {
    "RECONCILER_GIT__AUTOCOMMIT": "true",
    "RECONCILER_LOOP__VALUES_SECONDS": "1",
    "RECONCILER_LETTA__GRACE_SECONDS": "0",
    "GIT_AUTHOR_NAME": "Ann Author",
    "GIT_AUTHOR_EMAIL": "ann@school.example",
}


@pytest.fixture
def workspace(tmp_path: Path) -> GitWorkspace:
    made = init_workspace(tmp_path / "w", datetime.now(UTC))
    text = b'id = "ada"\nname = "Ada"\ncourses = ["essay-lab"]\n'
    made.add_user("ada", {"user.toml": text}, RECONCILER, datetime.now(UTC))
    return made


@pytest.fixture
def loop(workspace: GitWorkspace, tmp_path: Path) -> Iterator[Path]:
    """A running loop; the file is what it prints."""
    printed = tmp_path / "printed"
    with open(printed, "w") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", "from reconciler.cli import main; main()", "-w", str(workspace.root)],
            env=os.environ | SETTINGS,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        yield printed
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, printed.read_text()


def until(workspace: GitWorkspace, scope: str, subject: str, printed: Path) -> str:
    """The author of the commit, once it is there."""
    end = time.monotonic() + 20
    repo = workspace.repo(scope)
    while time.monotonic() < end:
        head = repo.ref(MAIN)
        for commit in repo.log(head) if head else ():
            if commit.message.startswith(subject):
                return commit.author.name
        time.sleep(0.05)
    raise AssertionError(printed.read_text())


def test_a_saved_course_and_a_saved_block_go_all_the_way(workspace: GitWorkspace, loop: Path) -> None:
    course = workspace.root / "courses" / "essay-lab" / "course.toml"
    course.parent.mkdir()
    course.write_bytes((OURS / "course.toml").read_bytes())
    assert until(workspace, "courses", "Save essay-lab/course.toml", loop) == "Ann Author"
    block = workspace.root / "users" / "ada" / "blocks" / "essay-lab" / "student.toml"
    end = time.monotonic() + 20
    while not block.exists():
        assert time.monotonic() < end, loop.read_text()
        time.sleep(0.05)
    block.write_text(block.read_text().replace('profile = ""', 'profile = "writes poems"'))
    assert until(workspace, "user/ada", "Save blocks/essay-lab/student.toml", loop) == "Ann Author"
    course.write_text("nonsense")
    while "is saved, and not committed: " not in loop.read_text():
        assert time.monotonic() < end, loop.read_text()
        time.sleep(0.05)
    assert course.read_text() == "nonsense"
