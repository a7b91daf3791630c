"""Threads on record: shown by agent, and put there by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from uuid import uuid4

from reconciler.bootstrap import App, open_workspace, opened
from reconciler.commands.who import who_commits
from reconciler.core.outcome import IN_SYNC
from reconciler.errors import Terminal, Transient
from reconciler.lock import a_turn_to_write
from reconciler.manifest.names import check_user_id
from reconciler.manifest.user import load_user
from reconciler.ports import Repo, WebThread
from reconciler.settings import load
from reconciler.store.journal import MAIN, Stamp, commit_steps
from reconciler.store.pending import PendingDiff, read_diffs
from reconciler.sync.threads import Record, agent_folder, record_path, registered, steps, time_text
from reconciler.terminal import say, show_json, show_table
from reconciler.visible import visible


@dataclass(frozen=True)
class Shelf:
    """One agent's threads with one learner, newest first. pending: how many diffs of it wait for a person."""

    user: str
    agent: str
    name: str
    pending: int
    threads: tuple[Mapping[str, str], ...]


def list_threads(folder: Path, user: str | None, output: str) -> int:
    """Every thread on record, of one learner or of all."""
    workspace = open_workspace(folder, load(folder))
    users = [check_user_id(user)] if user else workspace.users()
    shelves = [shelf for each in users for shelf in _shelves(each, workspace.repo(f"user/{each}"))]
    if output == "json":
        show_json({"version": 1, "agents": [_as_json(shelf) for shelf in shelves]})
    elif shelves:
        show_table([row for shelf in shelves for row in _rows(shelf)])
    else:
        say("no thread is on record")
    return IN_SYNC


def _shelves(user: str, repo: Repo) -> Iterator[Shelf]:
    head = repo.ref(MAIN)
    files: Mapping[str, str] = repo.files(head) if head else {}
    diffs = [diff for diff in read_diffs(repo, files).values() if diff.status == "pending"]
    found: dict[str, list[Mapping[str, str]]] = {}
    for chat, path in registered(files).items():
        found.setdefault(path.split("/")[1], []).append({"chat_id": chat, **_told(repo, files[path])})
    for agent, threads in sorted(found.items()):
        newest = sorted(threads, key=lambda each: each.get("updated_at", each.get("created_at", "")), reverse=True)
        name = newest[0].get("agent_name", agent)
        yield Shelf(user, agent, name, sum(_is_of(diff, agent, name) for diff in diffs), tuple(newest))


def _told(repo: Repo, blob: str) -> dict[str, str]:
    """What a record says in texts; nothing where it is damaged."""
    try:
        found: object = json.loads(repo.read(blob))
    except ValueError:
        return {"title": "(damaged)"}
    said = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    return {name: value for name, value in said.items() if isinstance(value, str)}


def _is_of(diff: PendingDiff, agent: str, name: str) -> bool:
    """Whether the matter is in the agent's course, or the agent's own doing."""
    return diff.ref.split("/")[1:2] == [agent] or name in (diff.actors or {}).values()


def _rows(shelf: Shelf) -> Iterable[dict[str, str]]:
    for at, each in enumerate(shelf.threads):
        yield {
            "USER": shelf.user if at == 0 else "",
            "AGENT": visible(shelf.name) if at == 0 else "",
            "DIFFS": str(shelf.pending) if at == 0 else "",
            "LAST": each.get("updated_at", each.get("created_at", "")),
            "CHAT": each["chat_id"],
            "TITLE": visible(each.get("title", "")),
        }


def _as_json(shelf: Shelf) -> dict[str, object]:
    return {
        "user": shelf.user,
        "agent": shelf.agent,
        "agent_name": shelf.name,
        "pending_diffs": shelf.pending,
        "threads": [dict(each) for each in shelf.threads],
    }


# ---------------------------------------------------------------------- by hand


def register(folder: Path, user: str, agent: str, chat: str) -> int:
    """Record one thread. Where Open WebUI is configured, it must be there, and the learner's."""
    path = record_path(agent_folder(agent), chat)
    with opened(folder) as app, a_turn_to_write(folder):
        repo = app.workspace.repo(f"user/{check_user_id(user)}")
        head = repo.ref(MAIN)
        if head is None or "user.toml" not in repo.files(head):
            raise Terminal(f"users/{user} has no user.toml on main")
        if path in repo.files(head):
            say(f"{path} is on record already")
            return IN_SYNC
        record = _record(app, repo, head, (user, agent, chat))
        stamp = Stamp(uuid4().hex[:12], datetime.now(UTC))
        if not repo.move(MAIN, head, commit_steps(repo, head, steps([record], stamp), stamp)[0]):
            raise Transient(f"somebody else committed to users/{user} just now; run it again")
    say(f"registered {chat}: {path} in users/{user}")
    return IN_SYNC


def _record(app: App, repo: Repo, head: str, named: tuple[str, str, str]) -> Record:
    user, agent, chat = named
    account = load_user(repo.read(repo.files(head)["user.toml"]), f"users/{user}/user.toml").open_webui_id
    thread = _there(app, chat, account or "")
    now = datetime.now(UTC)
    after: dict[str, object] = {
        "chat_id": chat,
        "created_at": time_text((thread and thread.created_at) or now),
        "agent_name": agent,
        "title": thread.title if thread else "",
        "updated_at": time_text(thread.updated_at if thread else now),
        "kind": "run" if thread and thread.reader else "chat",
    }
    who = who_commits(app.folder)
    return Record(record_path(agent_folder(agent), chat), None, after, who, f"person:{who.name}")


def _there(app: App, chat: str, account: str) -> WebThread | None:
    """The thread as Open WebUI has it; None where none is configured."""
    if app.web is None:
        return None
    thread = app.web.thread(chat)
    if thread is None or account not in (thread.user, thread.reader) or not account:
        raise Terminal(f"Open WebUI has no thread {chat} of this learner: neither their own nor one shared with them")
    return thread
