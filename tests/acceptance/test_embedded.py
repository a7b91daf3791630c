"""A workspace with nothing but the stand-ins, through the command line: both systems, and processes that share them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.cli import run
from reconciler.embedded.host import LETTA, OPEN_WEBUI, Address, embedded
from tests.acceptance.place import COURSE, OURS, git

PROGRAM = [sys.executable, "-c", "from reconciler.cli import main; main()"]
ADA = "ada@school.example"
MARK = "reconciler"


class School:
    """A workspace with one course and one learner, who has an account in Open WebUI where it serves."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.out = ""

    def __call__(self, *words: str) -> int:
        code = run(["-w", str(self.folder), *words])
        self.out = self._capsys.readouterr().out
        return code

    def in_sync(self) -> None:
        """Nothing to do, and nothing that is done: no write to either system, no ref moved."""
        before = self.state()
        assert self("--once") == 0, self.out
        assert self("--once", "--apply") == 0, self.out
        assert "Done" not in self.out
        assert self.state() == before

    def state(self) -> dict[str, Any]:
        """Everything that both systems and all refs hold."""
        with self.web() as web, self.letta() as letta:
            tables = web.get("/_control/state").raise_for_status().json()
            kinds = ("agents", "blocks")
            held = [letta.get(f"/v1/{kind}/", params={"limit": 100}).raise_for_status().json() for kind in kinds]
        refs = {str(path): path.read_bytes() for path in self.folder.glob("**/.git/refs/**/*") if path.is_file()}
        return {"web": tables, "letta": held, "refs": refs}

    def web(self) -> _Client:
        return _Client(self.folder, OPEN_WEBUI)

    def letta(self) -> _Client:
        return _Client(self.folder, LETTA)

    def add_account(self) -> None:
        body = {"name": "Ada Okafor", "email": ADA, "password": "p", "role": "user"}
        with self.web() as web:
            web.post("/api/v1/auths/add", json=body).raise_for_status()

    def note(self, web: httpx.Client) -> Any:
        """Ada's note of what the tutor knows of her."""
        rows = web.get("/api/v1/notes/search").raise_for_status().json()["items"]
        (found,) = (row for row in rows if (row["meta"] or {}).get(MARK, {}).get("ref") == f"block/{COURSE}/student")
        return web.get(f"/api/v1/notes/{found['id']}").raise_for_status().json()

    def block(self) -> str:
        with self.letta() as letta:
            rows = letta.get("/v1/blocks/", params={"limit": 100}).raise_for_status().json()
        (found,) = (row for row in rows if {"user:ada", "block:student"} <= set(row["tags"]))
        return found["value"]

    def edits_note(self, old: str, new: str) -> None:
        with self.web() as web:
            row = self.note(web)
            text = row["data"]["content"]["md"]
            assert text.count(old) == 1, text
            body = {"data": {"content": {"md": text.replace(old, new)}}}
            web.post(f"/api/v1/notes/{row['id']}/update", json=body).raise_for_status()

    def authors(self) -> list[str]:
        return git(self.folder / "users" / "ada", "log", "--format=%an").splitlines()


class _Client:
    """A stand-in's HTTP API, served or reached for as long as it is asked."""

    def __init__(self, folder: Path, stand_in: Any) -> None:
        self._served = embedded(stand_in, folder / "embedded")

    def __enter__(self) -> httpx.Client:
        address: Address = self._served.__enter__()
        headers = {"Authorization": f"Bearer {address.token}"}
        self._client = httpx.Client(base_url=address.url, headers=headers, timeout=20, trust_env=False)
        return self._client

    def __exit__(self, *raised: Any) -> None:
        self._client.close()
        self._served.__exit__(*raised)


@pytest.fixture(autouse=True)
def _only_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("RECONCILER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RECONCILER_LETTA__GRACE_SECONDS", "0")
    monkeypatch.setenv("RECONCILER_OPENWEBUI__QUIET_SECONDS", "0")


@pytest.fixture
def make(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str], School]:
    def one(settings: str) -> School:
        school = School(tmp_path / "workspace", capsys)
        school.folder.mkdir()
        (school.folder / "reconciler.toml").write_text(settings)
        assert school("init", str(school.folder)) == 0
        shutil.copytree(OURS, school.folder / "courses" / COURSE)
        git(school.folder / "courses", "add", "-A")
        git(school.folder / "courses", "commit", "-qm", "Add the course")
        assert school("users", "add", "ada", "--course", COURSE, "--name", "Ada Okafor", "--email", ADA) == 0
        return school

    return one


@pytest.fixture
def school(make: Callable[[str], School]) -> School:
    made = make("[openwebui]\nembedded = true\n")
    made.add_account()
    return made


def test_a_plan_names_both_systems_and_once_applied_nothing_is_left_to_do(school: School) -> None:
    assert school("--once") == 2
    for line in (
        f"create model/{COURSE}  courses  → openwebui",
        f"create block/{COURSE}/student  user/ada  → openwebui",
        f"create block/{COURSE}/student  user/ada  → letta",
        f"create agent/{COURSE}  user/ada  → letta",
    ):
        assert line in school.out, school.out
    with school.web() as web:
        presets = [row["id"] for row in web.get("/api/v1/models/all").json() if row["base_model_id"]]
        assert presets == [], "a plan writes nothing"
    assert school("--once", "--apply") == 0, school.out

    school.in_sync()


def test_a_learners_edit_of_a_note_reaches_git_and_letta(school: School) -> None:
    assert school("--once", "--apply") == 0
    school.edits_note('profile = ""', 'profile = "Ada"')
    assert school("--once", "--apply") == 0, school.out

    assert school.authors()[0] == "Ada Okafor"
    assert 'profile = "Ada"' in school.block()
    school.in_sync()


def test_without_the_setting_open_webui_has_no_part_in_anything(make: Callable[[str], School]) -> None:
    school = make("")
    assert school("--once", "--apply") == 0, school.out

    assert "openwebui" not in school.out
    assert not (school.folder / "embedded" / "openwebui").exists()
    assert school("status") == 0
    assert "openwebui  not connected" in school.out


def test_a_course_that_nobody_was_given_yet_is_in_sync_too(make: Callable[[str], School]) -> None:
    school = make("[openwebui]\nembedded = true\n")
    assert school("--once", "--apply") == 0, school.out

    school.in_sync()


def test_the_doctor_looks_at_both(school: School) -> None:
    assert school("doctor") == 0, school.out
    assert "openwebui  answers at http://127.0.0.1:" in school.out
    assert "2 accounts" in school.out


@pytest.fixture
def loop(school: School) -> Iterator[subprocess.Popen[str]]:
    line = [*PROGRAM, "-w", str(school.folder)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    yield process
    process.kill()
    process.communicate()


def test_a_loop_and_commands_beside_it_share_both(school: School, loop: subprocess.Popen[str]) -> None:
    assert loop.stdout is not None
    first = loop.stdout.readline()
    assert "Letta at http://127.0.0.1:" in first
    assert "Open WebUI at http://127.0.0.1:" in first
    _until(lambda: school("--once") == 0, school)
    school.edits_note('profile = ""', 'profile = "Ada"')
    _until(lambda: 'profile = "Ada"' in school.block(), school)
    loop.send_signal(signal.SIGKILL)
    loop.wait()

    _until(lambda: school("--once", "--apply") == 0, school)
    assert "Ada Okafor" in school.authors()
    school.in_sync()


def _until(holds: Callable[[], bool], school: School) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, school.out
        time.sleep(0.1)
