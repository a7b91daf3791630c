"""The running loop beside Open WebUI: what people do there is a commit of theirs moments later.

On the stand-in, and on a real server where RECONCILER_LIVE=1. Letta is the embedded one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from reconciler.ports import Commit
from reconciler.store.gitio import MAIN, GitRepo
from reconciler.store.workspace import GitWorkspace, init_workspace
from tests.acceptance.place import OURS, git
from tests.contract.openwebui.conftest import ann, clean_openwebui, openwebui, staff, world
from tests.contract.openwebui.world import Account, World

__all__ = ["ann", "clean_openwebui", "openwebui", "staff", "world"]

COURSE = "essay-lab"
PATIENCE_SECONDS = 20.0
T = TypeVar("T")


@dataclass
class School:
    """A workspace with a course and a running loop. said: what the loop printed."""

    root: Path
    world: World
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self._listener = threading.Thread(target=lambda: self.said.extend(self.process.stdout or ()), daemon=True)
        self._listener.start()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, "".join(self.said)
        self._listener.join()
        if self.process.stdout:
            self.process.stdout.close()

    def hooks(self) -> list[Any]:
        return self.world.ask("GET", "/api/events/webhooks")

    def repo(self, who: str) -> GitRepo:
        return GitWorkspace(self.root).repo(who if who == "courses" else f"user/{who}")

    def head(self, who: str) -> str:
        found = self.repo(who).ref(MAIN)
        assert found
        return found

    def next_commit(self, who: str, after: str) -> Commit:
        self.until(lambda: self.head(who) != after)
        return self.repo(who).log(self.head(who), after)[0]

    def until(self, find: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
        end = time.monotonic() + seconds
        while not (found := find()):
            assert time.monotonic() < end, "".join(self.said)
            assert self.process.poll() is None, "".join(self.said)
            time.sleep(0.02)
        return found

    def learner(self, who: Account) -> str:
        """The learner, once they are there with all their blocks and at rest."""
        self.until(lambda: (self.root / "users" / who.id / "blocks").is_dir())
        self.until(lambda: self.note(who) and self.at_rest())
        return who.id

    def at_rest(self) -> bool:
        heads = self.heads()
        time.sleep(2.5)
        return self.heads() == heads

    def heads(self) -> list[str]:
        return [self.head("courses"), *(self.head(path.name) for path in (self.root / "users").iterdir())]

    def note(self, who: Account, block: str = "journey") -> Any:
        ref = f"block/{COURSE}/{block}"
        for row in self.world.notes():
            mark = (row["meta"] or {}).get("reconciler", {})
            if (mark.get("scope"), mark.get("ref")) == (f"user/{who.id}", ref):
                return self.world.note(row["id"])
        return None

    def model(self) -> Any:
        listed = self.world.ask("GET", "/models/all")
        return next(row for row in listed if row["id"].endswith(COURSE))

    def chat(self, who: Account, title: str) -> str:
        model = self.model()["id"]
        messages = {
            "a": {"id": "a", "parentId": None, "childrenIds": ["b"], "role": "user", "content": "?", "models": [model]},
            "b": {"id": "b", "parentId": "a", "childrenIds": [], "role": "assistant", "content": "!", "model": model},
        }
        history = {"messages": messages, "currentId": "b"}
        body = {"chat": {"title": title, "models": [model], "history": history}}
        return self.world.ask("POST", "/chats/new", who, json=body)["id"]


Start = Callable[..., School]


@pytest.fixture
def start(world: World, tmp_path: Path) -> Iterator[Start]:
    root, begun = tmp_path / "workspace", list[School]()
    init_workspace(root, datetime.now(UTC))
    shutil.copytree(OURS, root / "courses" / COURSE)
    git(root / "courses", "add", "-A")
    git(root / "courses", "commit", "-qm", "Add the course")

    def one(**settings: str) -> School:
        begun.append(School(root, world, _loop(root, world, settings)))
        begun[-1].listen()
        return begun[-1]

    yield one
    for each in begun:
        each.stop()


def _loop(root: Path, world: World, more: dict[str, str]) -> subprocess.Popen[str]:
    settings = {
        "OPENWEBUI__URL": world.tap.upstream,
        "OPENWEBUI__TOKEN": world.key,
        "OPENWEBUI__BASE_MODEL": "gpt-4o",
        "OPENWEBUI__DEFAULT_COURSES": json.dumps([COURSE]),
        "LETTA__GRACE_SECONDS": "0",
    }
    return subprocess.Popen(
        [sys.executable, "-c", "from reconciler.cli import main; main()", "-w", str(root)],
        env=os.environ | {f"RECONCILER_{name}": value for name, value in (settings | more).items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_an_event_leads_to_a_commit_in_about_a_second(start: Start, ann: Account, staff: Account) -> None:
    school = start(OPENWEBUI__POLL_SECONDS="3600", LOOP__RECENT_SECONDS="3600", LOOP__VALUES_SECONDS="3600")
    who = school.learner(ann)
    hook = school.root / "users" / who / ".git" / "hooks" / "reference-transaction"
    assert hook.is_file(), "a learner who came while the loop ran is listened to as well"
    before, began = school.head("courses"), time.monotonic()
    school.world.save_model(school.model()["id"], staff, "Be brief", params={"system": "You are brief.\n"})
    commit = school.next_commit("courses", before)

    assert time.monotonic() - began < 3.0
    assert (commit.author.email, commit.message.partition("\n")[0]) == (staff.email, "Be brief")
    before = school.head(who)
    chat = school.chat(ann, "About dogs")
    commit = school.next_commit(who, before)
    assert commit.author.email == ann.email
    assert f"agent_threads/{COURSE}/{chat}.json" in school.repo(who).files(commit.id)
    school.until(school.at_rest)


def test_what_sends_no_event_is_found_by_looking(start: Start, ann: Account) -> None:
    school = start(OPENWEBUI__EVENTS_HOST="192.0.2.1")  # an address that is nobody's: no events
    who = school.learner(ann)
    before, note = school.head(who), school.note(ann)
    began = time.monotonic()
    school.world.type(note["id"], note["data"]["content"]["md"].replace('blockers = ""', 'blockers = "mine"'), ann)
    commit = school.next_commit(who, before)

    assert time.monotonic() - began < 6.0
    assert commit.author.email == ann.email
    assert "events cannot be received" in "".join(school.said)
    school.until(school.at_rest)


def test_a_registration_for_events_that_was_lost_is_made_again(start: Start, ann: Account) -> None:
    school = start(LOOP__FULL_SECONDS="2")
    hook = school.until(school.hooks)[0]
    secret = (school.root / "state" / "events-secret").read_text().strip()
    assert hook["url"].endswith(f"/{secret}")
    school.world.ask("DELETE", f"/api/events/webhooks/{hook['id']}")
    again = school.until(school.hooks)

    assert [each["url"] for each in again] == [hook["url"]]
    assert secret not in "".join(school.said)
