"""The command line as a person meets it: a workspace on disk, the embedded Letta, stock git."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import run
from reconciler.embedded.host import LETTA, Address, embedded
from tests.acceptance.place import COURSE, OURS

STUDENT = f"block/{COURSE}/student"
PROGRAM = [sys.executable, "-c", "from reconciler.cli import main; main()"]


class Shell:
    """Commands in one workspace."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.out = self.err = ""

    def __call__(self, *words: str) -> int:
        """The exit code; what was printed is in ``out`` and ``err``."""
        code = run(["-w", str(self.folder), *words])
        self.out, self.err = self._capsys.readouterr()
        return code

    def json(self, *words: str) -> Any:
        self(*words, "-o", "json")
        return json.loads(self.out)

    def git(self, repo: str, *words: str) -> str:
        git = ["git", "-c", "user.name=Ann Author", "-c", "user.email=ann@school.example"]
        done = subprocess.run([*git, *words], cwd=self.folder / repo, check=True, capture_output=True, text=True)
        return done.stdout

    def text_field(self, user: str) -> str:
        """The name of the first field of the learner's student block that holds text."""
        text = (self.folder / f"users/{user}/blocks/{COURSE}/student.toml").read_text()
        return re.findall(r"^(\w+) = \"", text, re.MULTILINE)[0]

    def commit(self, user: str, old: str, new: str) -> None:
        """Change the learner's student block in git."""
        file = self.folder / "users" / user / "blocks" / COURSE / "student.toml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        self.git(f"users/{user}", "commit", "-qam", "Edit by hand")

    def edit_live(self, user: str, old: str, new: str) -> None:
        """Change the same block in Letta, over its API."""
        with embedded(LETTA, self.folder / "embedded") as letta:
            row = next(row for row in call(letta, "GET", "/v1/blocks/?limit=100") if is_student(row, user))
            assert old in row["value"]
            call(letta, "PATCH", f"/v1/blocks/{row['id']}", {"value": row["value"].replace(old, new)})

    def everything(self) -> dict[str, bytes]:
        """Every file but the stand-in's own and SQLite's."""
        kept = (path for path in self.folder.rglob("*") if path.is_file() and "embedded" not in path.parts)
        return {str(path): path.read_bytes() for path in kept}


def call(letta: Address, method: str, path: str, body: Any = None) -> Any:
    text = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {letta.token}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(letta.url + path, text, headers, method=method)) as reply:
        return json.load(reply)


def is_student(row: dict[str, Any], user: str) -> bool:
    return {f"user:{user}", "block:student"} <= set(row["tags"])


@pytest.fixture(autouse=True)
def _only_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("RECONCILER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RECONCILER_LETTA__GRACE_SECONDS", "0")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Olga Operator")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "olga@school.example")


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A new workspace with our course, and nobody in it."""
    shell = Shell(tmp_path / "workspace", capsys)
    assert shell("init", str(shell.folder)) == 0
    for path in OURS.rglob("*.toml"):
        copy = shell.folder / "courses" / COURSE / path.relative_to(OURS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    shell.git("courses", "add", "-A")
    shell.git("courses", "commit", "-qm", "Add the course")
    return shell


@pytest.fixture
def shell(empty: Shell) -> Shell:
    """A workspace with one learner, of whom Letta knows nothing yet."""
    assert empty("users", "add", "ada", "--course", COURSE, "--name", "Ada") == 0
    return empty


@pytest.fixture
def synced(shell: Shell) -> Shell:
    assert shell("--once", "--apply") == 0, shell.out + shell.err
    return shell


# -------------------------------------------------------------------------- passes


def test_a_plan_changes_nothing_an_apply_carries_it_out_and_then_all_is_in_sync(shell: Shell) -> None:
    before = shell.everything()
    assert shell("--once") == 2
    assert f"+ create agent/{COURSE}  user/ada  → letta" in shell.out
    assert "Nothing was changed." in shell.out
    assert shell.everything() == before

    assert shell("--once", "--apply") == 0
    assert "In sync" in shell.out
    assert shell("--once") == 0
    assert "Pending" not in shell.out
    assert shell("--once", "--apply") == 0
    assert "Done:" not in shell.out


def test_the_plan_as_json_is_the_documented_shape(shell: Shell) -> None:
    found = shell.json("--once")

    assert list(found) == [
        "version",
        "in_sync",
        "counts",
        "actions",
        "conflicts",
        "unknown",
        "halts",
        "warnings",
        "errors",
    ]
    assert (found["version"], found["in_sync"]) == (1, False)
    assert list(found["actions"][0]) == ["flow", "scope", "remote", "ref", "verb", "fields"]
    assert {action["flow"] for action in found["actions"]} == {"pending"}
    assert found["counts"]["pending"] == len(found["actions"])


def test_a_conflict_waits_for_a_person_and_their_word_is_carried_out(synced: Shell) -> None:
    name = re.search(
        r"^(\w+) = \"", (synced.folder / f"users/ada/blocks/{COURSE}/student.toml").read_text(), re.MULTILINE
    )
    assert name is not None
    field = name[1]
    synced.commit("ada", f'{field} = "', f'{field} = "git')
    synced.edit_live("ada", f'{field} = "', f'{field} = "live')

    assert synced("--once", "--apply") == 3
    assert "Conflicts: a person decides (1)" in synced.out
    (diff,) = synced.json("diffs", "list")["diffs"]
    assert diff["values"]["git"].startswith("git")
    assert synced("diffs", "show", diff["id"]) == 0
    assert '"live' in synced.out
    assert synced("explain", STUDENT, "--user", "ada") == 0
    assert "a person decides" in synced.out
    assert synced("status") == 0
    assert "1 pending diff" in synced.out

    assert synced("diffs", "approve", diff["id"][:8]) == 0
    assert synced("diffs", "approve", diff["id"]) == 1
    assert synced("--once", "--apply") == 0
    assert synced.json("diffs", "list")["diffs"] == []
    assert synced("history", STUDENT, "--user", "ada") == 0
    assert "Olga Operator" in synced.out
    assert synced("blame", STUDENT, "--user", "ada") == 0
    assert "Olga Operator" in synced.out


def test_a_saved_plan_is_carried_out_as_it_was(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    assert shell("--once", "--plan-out", str(file)) == 2

    assert shell("apply", str(file)) == 0
    assert "In sync" in shell.out


def test_a_saved_plan_is_refused_where_what_it_saw_has_moved(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    shell("--once", "--plan-out", str(file))
    shell("users", "add", "bob", "--course", COURSE)

    assert shell("apply", str(file)) == 3
    assert "has moved" in shell.err
    assert f"user/bob: pending letta agent/{COURSE}: not in the saved plan" in shell.err
    assert shell("--once") == 2


def test_a_server_that_does_not_answer_is_an_error_and_never_in_sync(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_LETTA__URL", "http://127.0.0.1:9")

    assert shell("--once") == 1
    assert "cannot be reached" in shell.out
    assert "In sync" not in shell.out
    assert shell("doctor") == 1
    assert "FAIL  letta" in shell.out


# -------------------------------------------------------------------------- courses and users


def test_courses_are_checked_on_disk(empty: Shell, tmp_path: Path) -> None:
    assert empty("validate") == 0
    assert "1 course: all good" in empty.out
    (tmp_path / "bad.toml").write_text("[agent\n")
    assert empty("validate", str(tmp_path / "bad.toml")) == 1
    assert "error" in empty.out
    found = empty.json("validate", str(tmp_path / "bad.toml"), str(empty.folder / "courses"))
    assert [each["ok"] for each in found["courses"]] == [False, True]
    assert empty("validate", str(tmp_path / "nowhere")) == 1


def test_the_schema_is_json_schema(empty: Shell) -> None:
    assert empty("schema") == 0
    assert json.loads(empty.out)["$schema"].startswith("https://json-schema.org/")


def test_a_present_course_needs_no_migration(empty: Shell) -> None:
    assert empty("migrate", str(empty.folder / "courses" / COURSE)) == 0
    assert "already in the present version" in empty.out


def test_users_are_listed_and_mistakes_are_one_sentence(shell: Shell) -> None:
    assert shell("users", "list") == 0
    assert shell.out.splitlines()[1].split() == ["ada", "Ada", COURSE]
    assert shell("users", "add", "ada", "--course", COURSE) == 1
    assert "exists already" in shell.err
    assert shell("users", "add", "eve", "--course", COURSE[:-1]) == 1
    assert f"did you mean {COURSE}?" in shell.err
    for name in ("../eve", "-eve", "a/b", "x" * 300, "ev\ne", ""):
        assert shell("users", "add", "--course", COURSE, "--", name) == 1
    assert [user["id"] for user in shell.json("users", "list")["users"]] == ["ada"]


def test_a_new_learner_begins_with_their_blocks_at_the_defaults(shell: Shell) -> None:
    assert f"blocks/{COURSE}/student.toml" in shell.git("users/ada", "show", "--stat", "--format=", "HEAD")


def test_everything_a_pass_needs_is_found_in_order(shell: Shell) -> None:
    assert shell("doctor") == 0, shell.out
    assert "FAIL" not in shell.out


# -------------------------------------------------------------------------- errors and exit codes


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--apply"], "add --once"),
        (["--recreate"], "add --once"),
        (["--once", "--apply", "--plan-out", "x"], "leave --apply out"),
        (["--wonce"], "No such option"),
        (["statsu"], "No such command"),
        (["history", "block/no/such", "--user", "ada"], "git has no block/no/such of ada"),
        (["history", STUDENT, "--user", "nobody"], "there is no user 'nobody'"),
        (["diffs", "show", "f00"], "no pending diff"),
        (["apply", "nowhere.json"], "cannot be read"),
        (["explain", "agent/none", "--user", "ada"], "has no agent/none"),
    ],
)
def test_a_mistake_is_exit_1_and_one_sentence(shell: Shell, words: list[str], sentence: str) -> None:
    assert shell(*words) == 1
    assert sentence in shell.err
    assert "Traceback" not in shell.err
    assert shell.out == ""


def test_a_traceback_is_shown_only_on_demand(shell: Shell) -> None:
    assert shell("diffs", "show", "f00", "--debug") == 1
    assert "Traceback" in shell.err


def test_a_folder_that_is_no_workspace_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(tmp_path, capsys)

    for words in (["--once"], ["status"], ["users", "list"], []):
        assert shell(*words) == 1
        assert "reconciler init" in shell.err
    assert list(tmp_path.iterdir()) == []


def test_help_is_instant_and_names_every_command() -> None:
    spent = []
    for _ in range(3):
        began = time.monotonic()
        shown = subprocess.run([*PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
        spent.append(time.monotonic() - began)

    for name in ("init", "validate", "schema", "migrate", "users", "status", "diffs", "history", "blame", "explain"):
        assert f"\n  {name} " in shown
    assert min(spent) < 0.4


# -------------------------------------------------------------------------- the loop


@pytest.fixture
def loop(synced: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    monkeypatch.setenv("RECONCILER_LOOP__DEBOUNCE_SECONDS", "0.05")
    monkeypatch.setenv("RECONCILER_LOOP__VALUES_SECONDS", "0.3")
    process = subprocess.Popen(
        [*PROGRAM, "-w", str(synced.folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    assert "watching" in process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def said(process: subprocess.Popen[str], words: str) -> str:
    """The next line with these words; the test's own time-out is for a broken build only."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line
    raise AssertionError(f"the loop ended without saying {words!r}")


def test_the_loop_carries_edits_both_ways_and_ends_when_told(synced: Shell, loop: subprocess.Popen[str]) -> None:
    field = synced.text_field("ada")
    synced.commit("ada", f'{field} = "', f'{field} = "from git ')
    assert ": 1 write" in said(loop, "write")

    synced.edit_live("ada", f'{field} = "from git ', f'{field} = "from letta ')
    assert "1 commit" in said(loop, "commit")
    assert "from letta" in synced.git("users/ada", "show", "main:blocks/" + COURSE + "/student.toml")

    assert synced("--once") in (0, 2)
    assert synced("status") == 0
    assert f"process {loop.pid}" in synced.out
    second = subprocess.run(
        [*PROGRAM, "-w", str(synced.folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 1
    assert str(loop.pid) in second.stderr

    loop.send_signal(signal.SIGTERM)
    assert "stopped" in said(loop, "stopped")
    assert loop.wait(30) == 0


# -------------------------------------------------------------------------- the simulation


def test_a_simulated_history_is_told_and_is_the_same_again(empty: Shell) -> None:
    assert empty("simulate", "--seed", "3", "--steps", "5") == 0
    first = empty.out
    assert "0 with a broken promise" in first
    empty("simulate", "--seed", "3", "--steps", "5")
    assert empty.out == first
