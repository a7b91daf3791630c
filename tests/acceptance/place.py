"""A workspace on disk with real git repositories, a Letta, and what people, agents and the reconciler do there.

The verbs of every scenario. What somebody commits is committed with stock git, in the work tree, as they would.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from deepdiff import DeepDiff

from reconciler.bootstrap import SystemClock
from reconciler.core.outcome import Report
from reconciler.core.value import Held
from reconciler.manifest.lens import edit_block, parse_block
from reconciler.policy import Policy, Ways
from reconciler.ports import Person, Remote, Workspace
from reconciler.remotes.letta import LettaRemote
from reconciler.store.gitio import MAIN, GitRepo
from reconciler.store.people import RECONCILER
from reconciler.store.workspace import GitWorkspace, init_workspace
from reconciler.sync.engine import Engine
from reconciler.sync.review import Verdict, all_diffs, review
from tests.acceptance.systems import System, Turn

COURSE = "essay-lab"
THREE = ("ada", "bob", "eve")
TRACKING = "refs/remotes/letta/main"
OURS = Path(__file__).parent / "course"
OPERATOR = Person("Olga Operator", "olga@school.example")

Fields = Mapping[str, Any]
Wrap = Callable[[Workspace, Remote], tuple[Workspace, Remote]]


@dataclass
class Place:
    """One workspace. ``grace_seconds``: None for what suits the system."""

    root: Path
    system: System
    course: str = COURSE
    grace_seconds: float | None = None
    remotes: list[LettaRemote] = field(default_factory=list)
    _engine: Engine | None = None

    # ------------------------------------------------------------------ set-up

    @classmethod
    def make(cls, root: Path, system: System, users: Sequence[str] = THREE, source: Path = OURS) -> Place:
        init_workspace(root, _now())
        place = cls(root, system, source.name if source != OURS else COURSE)
        place.add_course(source)
        for user in users:
            place.add_user(user)
        return place

    def add_course(self, source: Path) -> None:
        target = self.root / "courses" / self.course
        for path in source.rglob("*.toml"):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
        self.git("courses", "add", "-A")
        self.git("courses", "commit", "-qm", "Add the course")

    def add_user(self, user: str, files: Mapping[str, bytes] | None = None) -> None:
        text = f'id = "{user}"\nname = "{user.title()}"\ncourses = ["{self.course}"]\n'
        self.workspace.add_user(user, {"user.toml": text.encode(), **(files or {})}, RECONCILER, _now())

    @property
    def workspace(self) -> GitWorkspace:
        return GitWorkspace(self.root, fsync=False)  # nobody pulls the plug here, and flushing takes a while

    def again(self) -> Place:
        """The same workspace as a process sees it that has just started."""
        return replace(self, _engine=None)

    def close(self) -> None:
        self.system.end_turns()
        for remote in self.remotes:
            remote.close()

    # ------------------------------------------------------------------ the reconciler

    @property
    def engine(self) -> Engine:
        self._engine = self._engine or self.new_engine()
        return self._engine

    def new_engine(self, wrap: Wrap | None = None) -> Engine:
        workspace, clock = self.workspace, SystemClock()
        remote = LettaRemote(self.system.url, "", workspace.uuid, now=clock.now, timeout=30)
        self.remotes.append(remote)
        seen: tuple[Workspace, Remote] = wrap(workspace, remote) if wrap else (workspace, remote)
        grace = self.system.grace_seconds if self.grace_seconds is None else self.grace_seconds
        policy = Policy(model_aliases=self.system.aliases, grace_seconds=grace)
        return Engine(seen[0], [seen[1]], clock, policy)

    def plan(self, ways: Ways | None = None) -> Report:
        return self.engine.run(apply=False, ways=ways or Ways())

    def one_pass(self, ways: Ways | None = None, settle_seconds: float = 0.0) -> Report:
        return self.engine.run(apply=True, ways=ways or Ways(), settle_seconds=settle_seconds)

    def sync(self, ways: Ways | None = None, seconds: float = 20.0) -> Report:
        """Passes until nothing is left to do or in the air, as ``--once --apply`` makes them; the last one."""
        until = time.monotonic() + seconds
        while True:
            report = self.one_pass(ways, settle_seconds=max(0.0, until - time.monotonic()))
            ways = None
            if report.errors or report.unknown or report.halts or not (report.actions or report.unsettled):
                return report
            assert time.monotonic() < until, f"never at rest: {report}"

    def review(self, verdict: Verdict, key: str = "", take: str | None = None) -> Any:
        return review(self.engine, key or self.open_diffs()[0].id, verdict, take, OPERATOR)

    def open_diffs(self) -> list[Any]:
        return [found.diff for found in all_diffs(self.workspace) if found.diff.status == "pending"]

    def command(self, *args: str) -> subprocess.CompletedProcess[str]:
        """The command line, in a process of its own."""
        settings = {
            "LETTA__URL": self.system.url,
            "LETTA__GRACE_SECONDS": str(self.system.grace_seconds),
            "LETTA__MODEL_ALIASES": json.dumps(dict(self.system.aliases)),
        }
        named = {f"RECONCILER_{name}": value for name, value in settings.items()}
        line = [sys.executable, "-c", "from reconciler.cli import main; main()", "-w", str(self.root), *args]
        return subprocess.run(line, env=os.environ | named, capture_output=True, text=True, check=False)

    # ------------------------------------------------------------------ git, as people use it

    def folder(self, who: str) -> Path:
        """``courses``, or a learner's."""
        return self.root / "courses" if who == "courses" else self.root / "users" / who

    def repo(self, who: str) -> GitRepo:
        return self.workspace.repo(who if who == "courses" else f"user/{who}")

    def git(self, who: str, *args: str, author: str = "Tess Teacher") -> str:
        return git(self.folder(who), *args, author=author)

    def commit_text(self, who: str, path: str, text: str, author: str = "Tess Teacher") -> str:
        (self.folder(who) / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder(who) / path).write_text(text)
        self.git(who, "add", "--", path)
        self.git(who, "commit", "-qm", f"Edit {path}", "--", path, author=author)
        return self.head(who)

    def commit_as(self, author: str, who: str, block: str, **fields: Any) -> str:
        """Somebody edits fields of a block's file and commits it."""
        path = self.path(who, block)
        text = edit_block((self.folder(who) / path).read_text(), _held(fields), path.endswith(".md"))
        return self.commit_text(who, path, text, author)

    def edit_course(self, before: str, after: str) -> str:
        path = f"{self.course}/course.toml"
        text = (self.folder("courses") / path).read_text()
        assert text.count(before) == 1, (before, text.count(before))
        return self.commit_text("courses", path, text.replace(before, after), "Ann Author")

    def path(self, who: str, block: str) -> str:
        name = f"{block}.md" if block == "diary" else f"{block}.toml"
        return f"{self.course}/shared/{name}" if who == "courses" else f"blocks/{self.course}/{name}"

    def head(self, who: str) -> str:
        commit = self.repo(who).ref(MAIN)
        assert commit, f"{who} has no main"
        return commit

    def log(self, who: str, form: str = "%an|%s", *args: str) -> list[str]:
        """Oldest first."""
        return self.git(who, "log", "--reverse", f"--format={form}", *(args or ("main",))).splitlines()

    def heads(self) -> Mapping[str, str]:
        return {who: self.head(who) for who in self.everybody()}

    def everybody(self) -> list[str]:
        return ["courses", *self.workspace.users()]

    def in_git(self, who: str, block: str) -> Fields:
        """The fields of a block on ``main``."""
        return self._fields(who, block, MAIN)

    def tracked(self, who: str, block: str) -> Fields:
        return self._fields(who, block, TRACKING)

    def _fields(self, who: str, block: str, ref: str) -> Fields:
        repo, path = self.repo(who), self.path(who, block)
        commit = repo.ref(ref)
        assert commit, f"{who} has no {ref}"
        return parse_block(repo.read(repo.files(commit)[path]).decode(), path.endswith(".md"))

    def history(self, who: str, block: str, name: str) -> list[Any]:
        """Every value that a field has had on ``main``, in order, without repetitions."""
        repo, path = self.repo(who), self.path(who, block)
        values: list[Any] = []
        for commit in repo.log(self.head(who)):
            files = repo.files(commit.id)
            value = (
                parse_block(repo.read(files[path]).decode(), path.endswith(".md")).get(name) if path in files else None
            )
            if path in files and values[-1:] != [value]:
                values.append(value)
        return values

    def ever_observed(self, who: str, text: str) -> bool:
        """Whether a text is, or ever was, in any file reachable from any ref."""
        return bool(self.git(who, "log", "--all", "--format=%h", f"-S{text}").strip())

    # ------------------------------------------------------------------ Letta, as agents and others use it

    def block_row(self, who: str, block: str) -> Any:
        owner = f"course:{self.course}" if who == "courses" else f"user:{who}"
        marks = {"reconciler", f"workspace:{self.workspace.uuid}", f"block:{block}", owner}
        (row,) = (row for row in self.system.blocks() if marks <= set(row["tags"]))
        return row

    def agent_row(self, user: str) -> Any:
        marks = {"reconciler", f"workspace:{self.workspace.uuid}", f"user:{user}"}
        (row,) = (row for row in self.system.agents() if marks <= set(row["tags"]))
        return row

    def agent_ids(self) -> Mapping[str, str]:
        return {user: self.agent_row(user)["id"] for user in self.workspace.users()}

    def text(self, who: str, block: str) -> str:
        return self.block_row(who, block)["value"]

    def in_letta(self, who: str, block: str) -> Fields:
        return parse_block(self.text(who, block), block == "diary")

    def api_writes(self, who: str, block: str, text: str) -> None:
        self.system.patch(self.block_row(who, block)["id"], value=text)

    def api_edits(self, who: str, block: str, **fields: Any) -> None:
        """Somebody edits fields through Letta's API."""
        row = self.block_row(who, block)
        self.system.patch(row["id"], value=edit_block(row["value"], _held(fields), block == "diary"))

    def turn(self, user: str, block: str = "", owner: str = "", **fields: Any) -> Turn:
        """A turn that has begun, and that will edit one field of a block with a memory tool, or only talk."""
        agent = self.agent_row(user)["id"]
        if not block:
            return self.system.begin_turn(agent)
        row = self.block_row(owner or user, block)
        ((name, value),) = fields.items()
        line = re.compile(rf"^{name} = .*$", re.MULTILINE)
        old = line.search(row["value"])
        new = line.search(edit_block(row["value"], _held({name: value})))
        assert old, f"no line for {name} in {row['value']!r}"
        assert new
        args = {"label": row["label"], "old_string": old[0], "new_string": new[0]}
        return self.system.begin_turn(agent, "memory_replace", args)

    def agent_learns(self, user: str, block: str, owner: str = "", **fields: Any) -> None:
        """A whole turn."""
        self.turn(user, block, owner, **fields).finish()

    # ------------------------------------------------------------------ what holds

    def snapshot_everything(self) -> Mapping[str, Any]:
        """Every byte of the workspace, git and ``state/`` included, and all that Letta shows."""
        files = {str(path.relative_to(self.root)): path.read_bytes() for path in _files(self.root)}
        return {"files": files, "letta": self.system.everything()}

    def assert_unchanged(self, before: Mapping[str, Any], but: str = "\0") -> None:
        """Everything is as in this snapshot, files under ``but`` aside. Only what is not is shown."""
        then, now = _without(before, but), _without(self.snapshot_everything(), but)
        if then != now:
            pytest.fail(DeepDiff(then, now).pretty())

    def drift(self) -> Mapping[str, str]:
        """What stock git shows between the remote-tracking ref and ``main``; nothing where both agree."""
        diffs = {who: self.git(who, "diff", "letta/main", "main") for who in self.everybody()}
        return {who: diff for who, diff in diffs.items() if diff}

    def assert_at_rest(self) -> None:
        """Git and Letta agree, and another pass, of a process that has just started, does nothing at all."""
        before = self.heads()
        self.system.tap.forget()
        report = self.again().one_pass()
        assert report.exit_code == 0, report
        assert (report.writes, report.commits, list(report.actions)) == (0, 0, [])
        assert self.system.tap.writes() == []
        assert self.heads() == before
        assert self.drift() == {}
        for who, block, live in self.ours():
            assert parse_block(live, block == "diary") == self.in_git(who, block), (who, block)

    def ours(self) -> Iterator[tuple[str, str, str]]:
        """Each of our blocks in Letta: whose, which, and its text."""
        for row in self.system.blocks():
            said = dict(tag.partition(":")[::2] for tag in row["tags"])
            if said.get("workspace") == self.workspace.uuid:
                yield said.get("user", "courses"), said["block"], row["value"]


def git(folder: Path, *args: str, author: str = "Tess Teacher") -> str:
    who = {"NAME": author, "EMAIL": f"{author.split()[0].lower()}@school.example"}
    names = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(
        ["git", *args], cwd=folder, env=os.environ | names | own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {' '.join(args)} in {folder}: {done.stderr}"
    return done.stdout


def _held(fields: Fields) -> dict[str, Held]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def _without(everything: Mapping[str, Any], folder: str) -> Mapping[str, Any]:
    files = {path: content for path, content in everything["files"].items() if not path.startswith(folder)}
    return {**everything, "files": files}


def _files(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())


def _now() -> datetime:
    return datetime.now(UTC)
