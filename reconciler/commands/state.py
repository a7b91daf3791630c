"""How a workspace is doing: a glance (status), and everything that must be right for it to work (doctor)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from reconciler.bootstrap import open_workspace, opened
from reconciler.core.outcome import ERROR, IN_SYNC
from reconciler.errors import ReconcilerError, Terminal
from reconciler.lock import loop_pid
from reconciler.settings import Settings, load
from reconciler.store.courses import CourseReader
from reconciler.store.pending import read_diffs
from reconciler.store.workspace import GitWorkspace
from reconciler.terminal import say, show_json
from reconciler.visible import counted

MAIN = "refs/heads/main"
STAND_IN = "the embedded stand-in"
_OLDEST_GIT = (2, 30)


def status(folder: Path, output: str) -> int:
    """What can be said without asking a live system."""
    settings = load(folder)
    workspace = open_workspace(folder, settings)
    pid, pending = loop_pid(folder), _pending(workspace)
    if output == "json":
        found = {
            "version": 1,
            "workspace": {"path": str(workspace.root), "uuid": workspace.uuid},
            "loop_pid": pid,
            "letta": settings.letta.url or None,
            "openwebui": _where_web(settings) if settings.openwebui.is_used else None,
            "users": len(workspace.users()),
            "pending_diffs": pending,
        }
        show_json(found)
        return IN_SYNC
    say(f"workspace  {workspace.root}  ({workspace.uuid})")
    say(f"letta      {settings.letta.url or STAND_IN}")
    say(f"openwebui  {_where_web(settings)}")
    say(f"loop       {f'running, process {pid}' if pid is not None else 'not running'}")
    say(f"users      {len(workspace.users()):,}")
    say(f"to decide  {counted(pending, 'pending diff')}{': reconciler diffs list' if pending else ''}")
    return IN_SYNC


def _where_web(settings: Settings) -> str:
    web = settings.openwebui
    return web.url or (STAND_IN if web.embedded else "not connected")


def _pending(workspace: GitWorkspace) -> int:
    """Diffs that wait for a person, in every repo that can be read; what cannot be is the pass's to report."""
    number = 0
    for scope in ("courses", *(f"user/{user}" for user in workspace.users())):
        try:
            repo = workspace.repo(scope)
            main = repo.ref(MAIN)
            diffs = read_diffs(repo, repo.files(main)) if main else {}
        except ReconcilerError:
            continue
        number += sum(diff.status == "pending" for diff in diffs.values())
    return number


@dataclass(frozen=True)
class Check:
    """One thing that must be right: what was found, or what is wrong and what to do."""

    name: str
    finding: str
    is_good: bool = True


def doctor(folder: Path, output: str) -> int:
    """Try everything that a pass needs, and say of each whether it works."""
    checks = [_tried(name, check) for name, check in _checks(folder)]
    if output == "json":
        rows = [{"name": each.name, "ok": each.is_good, "finding": each.finding} for each in checks]
        show_json({"version": 1, "ok": all(each.is_good for each in checks), "checks": rows})
    else:
        width = max(len(each.name) for each in checks)
        for each in checks:
            say(f"{'ok  ' if each.is_good else 'FAIL'}  {each.name.ljust(width)}  {each.finding}")
    return IN_SYNC if all(each.is_good for each in checks) else ERROR


def _checks(folder: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "git", _git_version
    yield "settings", lambda: _settings(folder)
    yield "workspace", lambda: _workspace(folder)
    yield "courses", lambda: _courses(folder)
    yield "users", lambda: _users(folder)
    yield "state", lambda: _state(folder)
    yield "letta", lambda: _letta(folder)
    yield "openwebui", lambda: _openwebui(folder)


def _tried(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, check())
    except ReconcilerError as error:
        return Check(name, "; ".join(str(error).splitlines()), is_good=False)


def _git_version() -> str:
    program = shutil.which("git")
    if program is None:
        raise Terminal("there is no git program on the PATH; install git")
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=False).stdout.strip()
    numbers = tuple(int(part) for part in said.removeprefix("git version ").split(".")[:2] if part.isdigit())
    if numbers < _OLDEST_GIT:
        raise Terminal(f"{said or 'git'} is too old; {'.'.join(map(str, _OLDEST_GIT))} or newer is needed")
    return said


def _settings(folder: Path) -> str:
    settings = load(folder)
    letta, web = settings.letta, settings.openwebui
    return (
        f"Letta: {_told(letta.url, letta.token) or STAND_IN}; "
        f"Open WebUI: {_told(web.url, web.token) or _where_web(settings)}"
    )


def _told(url: str, token: SecretStr) -> str:
    return f"{url}, {'with' if token.get_secret_value() else 'without'} a token" if url else ""


def _workspace(folder: Path) -> str:
    workspace = open_workspace(folder, load(folder))
    return f"{workspace.root}, {workspace.uuid}"


def _courses(folder: Path) -> str:
    repo = open_workspace(folder, load(folder)).repo("courses")
    main = repo.ref(MAIN)
    if main is None:
        raise Terminal("nothing is committed in courses/ yet")
    found = CourseReader().read(repo, main)
    if found.errors:
        raise Terminal("\n".join(error.message for error in found.errors))
    named = f": {', '.join(sorted(found.courses))}" if found.courses else ""
    return f"{counted(len(found.courses), 'course')}{named}"


def _users(folder: Path) -> str:
    workspace = open_workspace(folder, load(folder))
    for user in workspace.users():
        workspace.repo(f"user/{user}").ref(MAIN)
    return counted(len(workspace.users()), "user")


def _state(folder: Path) -> str:
    state = folder / "state"
    if not os.access(state if state.exists() else folder, os.W_OK):
        raise Terminal(f"{state} cannot be written to; give it to the user the reconciler runs as")
    free = shutil.disk_usage(folder).free
    if free < 100_000_000:
        raise Terminal(f"only {free // 1_000_000:,} MB are free on the disk of {folder}")
    pid = loop_pid(folder)
    return f"writable, {free // 1_000_000_000:,} GB free, {f'loop is process {pid}' if pid else 'no loop running'}"


def _letta(folder: Path) -> str:
    with opened(folder) as app:
        remote = next(each for each in app.remotes if each.name == "letta")
        seen = remote.observe([], "recent")
        return f"answers at {app.letta.url}; offers {counted(len(seen.offers.get('tools', ())), 'tool')}"


def _openwebui(folder: Path) -> str:
    with opened(folder) as app:
        if app.openwebui is None or app.web is None:
            return "not connected"
        return f"answers at {app.openwebui.url}; has {counted(len(app.web.users()), 'account')}"
