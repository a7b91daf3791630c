"""``reconciler threads``: what is on record, and putting there by hand what no look would find."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import run
from reconciler.ports import Person
from reconciler.store.gitio import MAIN
from reconciler.store.people import RECONCILER
from reconciler.store.workspace import GitWorkspace, init_workspace
from tests.contract.openwebui.conftest import ann, clean_openwebui, openwebui, world
from tests.contract.openwebui.world import Account, World

__all__ = ["ann", "clean_openwebui", "openwebui", "world"]

NOW = datetime(2026, 5, 4, tzinfo=UTC)
Said = Callable[[], str]


def thread(chat: str, when: str, agent: str = "Essay Lab", title: str = "About dogs") -> bytes:
    return json.dumps({"chat_id": chat, "agent_name": agent, "title": title, "updated_at": when}).encode()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitWorkspace:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Olga Operator")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "olga@school.example")
    return init_workspace(tmp_path / "w", NOW)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: "".join(capsys.readouterr())


def add(workspace: GitWorkspace, user: str, files: dict[str, bytes] | None = None, account: str = "") -> None:
    text = f'id = "{user}"\n' + (f'open_webui_id = "{account}"\n' if account else "")
    workspace.add_user(user, {"user.toml": text.encode(), **(files or {})}, RECONCILER, NOW)


def asked(workspace: GitWorkspace, *words: str) -> int:
    return run(["-w", str(workspace.root), "threads", *words])


def on_record(workspace: GitWorkspace, user: str, path: str) -> tuple[Any, Person]:
    repo = workspace.repo(f"user/{user}")
    head = repo.ref(MAIN)
    assert head
    return json.loads(repo.read(repo.files(head)[path])), repo.info(head).author


def test_threads_are_listed_by_agent_newest_first_with_what_waits(workspace: GitWorkspace, said: Said) -> None:
    diff = {"id": "d1", "kind": "conflict", "status": "pending", "block_label": "block/essay-lab/student"}
    diff |= {"field": "profile", "reasoning": "", "created_at": "", "base_commit": "", "base": None, "values": {}}
    files = {
        "agent_threads/essay-lab/c1.json": thread("c1", "2026-01-01T00:00:00Z"),
        "agent_threads/essay-lab/c2.json": thread("c2", "2026-03-01T00:00:00Z"),
        "agent_threads/grader/r1.json": thread("r1", "2026-02-01T00:00:00Z", "grader", "\x1b[31mRun"),
        "agent_threads/grader/r2.json": b"{",
        "pending_diffs/d1.json": json.dumps(diff).encode(),
    }
    add(workspace, "ada", files)
    add(workspace, "bob", {"agent_threads/essay-lab/c9.json": thread("c9", "2026-01-01T00:00:00Z")})

    assert asked(workspace, "list", "-o", "json") == 0
    shelves = json.loads(said())["agents"]
    assert [(each["user"], each["agent"], each["pending_diffs"]) for each in shelves] == [
        ("ada", "essay-lab", 1),
        ("ada", "grader", 0),
        ("bob", "essay-lab", 0),
    ]
    assert [each["chat_id"] for each in shelves[0]["threads"]] == ["c2", "c1"]
    assert asked(workspace, "list", "--user", "ada") == 0
    shown = said()
    assert "c9" not in shown
    assert "\x1b" not in shown
    assert "(damaged)" in shown


def test_without_open_webui_anything_may_be_registered_in_your_name(workspace: GitWorkspace, said: Said) -> None:
    add(workspace, "ada")
    words = ("register", "--user", "ada", "--agent", "Insight Synthesizer", "--chat", "c1")

    assert asked(workspace, *words) == 0
    record, author = on_record(workspace, "ada", "agent_threads/insight_synthesizer/c1.json")
    assert (record["chat_id"], record["agent_name"]) == ("c1", "Insight Synthesizer")
    assert author == Person("Olga Operator", "olga@school.example")
    before = workspace.repo("user/ada").ref(MAIN)
    assert asked(workspace, *words) == 0
    assert "on record already" in said()
    assert workspace.repo("user/ada").ref(MAIN) == before


@pytest.mark.parametrize(
    ("user", "agent", "chat"), [("../x", "a", "c"), ("ada", "../a", "c"), ("ada", "a", "../c"), ("nobody", "a", "c")]
)
def test_no_name_leads_out_of_the_folder(workspace: GitWorkspace, said: Said, user: str, agent: str, chat: str) -> None:
    add(workspace, "ada")

    assert asked(workspace, "register", "--user", user, "--agent", agent, "--chat", chat) == 1
    assert "internal error" not in said()


def test_only_a_thread_that_is_there_and_theirs_is_registered(
    workspace: GitWorkspace, world: World, ann: Account, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_OPENWEBUI__URL", world.tap.upstream)
    monkeypatch.setenv("RECONCILER_OPENWEBUI__TOKEN", world.key)
    add(workspace, "ann", account=ann.id)
    add(workspace, "bob", account="somebody-else")
    body = {"chat": {"title": "Mine", "models": ["x"], "history": {"messages": {}, "currentId": None}}}
    chat = world.ask("POST", "/chats/new", ann, json=body)["id"]

    assert asked(workspace, "register", "--user", "bob", "--agent", "tutor", "--chat", chat) == 1
    assert asked(workspace, "register", "--user", "ann", "--agent", "tutor", "--chat", "no-such-chat") == 1
    assert "Open WebUI has no thread no-such-chat" in said()
    assert asked(workspace, "register", "--user", "ann", "--agent", "tutor", "--chat", chat) == 0
    assert on_record(workspace, "ann", f"agent_threads/tutor/{chat}.json")[0]["title"] == "Mine"
