"""A workspace beside a Letta and an Open WebUI: the verbs of `Place`, and what people do in the chat system.

Learners are named by the id of their account; `place.ada` and so on are short for that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from reconciler.bootstrap import SystemClock
from reconciler.manifest.lens import edit_block, parse_block
from reconciler.policy import Policy, WebPolicy
from reconciler.ports import Remote
from reconciler.remotes.letta import LettaRemote
from reconciler.remotes.openwebui import OpenWebUIRemote
from reconciler.store.workspace import init_workspace
from reconciler.sync.engine import Engine
from tests.acceptance.place import COURSE, THREE, Fields, Place, Wrap, _held, _now
from tests.acceptance.systems import System
from tests.acceptance.web.systems import Web
from tests.live import webui
from tests.live.openwebui import BASE_MODEL
from tests.live.webui import Json, Person

OURS = Path(__file__).parent / "course"
STAFF = "Essay staff"


@dataclass
class WebPlace(Place):
    """``web``: set by ``make``. key: what the reconciler goes to Open WebUI with."""

    web: Web = field(default=cast(Web, None))
    people: dict[str, Person] = field(default_factory=dict)
    key: str = ""
    quiet_seconds: float = 0.0
    webs: list[OpenWebUIRemote] = field(default_factory=list)

    @classmethod
    def make_web(
        cls, root: Path, system: System, web: Web, names: Sequence[str] = THREE, source: Path = OURS
    ) -> WebPlace:
        """Nothing but courses, and accounts: the learners are to be made of these."""
        init_workspace(root, _now())
        course = source.name if source != OURS else COURSE
        place = cls(root, system, course, web=web, key=web.server.admin_key)
        place.add_course(source)
        web.ask("POST", "/groups/create", json={"name": STAFF, "description": "of the course"})
        place.offer_base_model()
        for name in names:
            place.add_account(name)
        return place

    def add_account(self, name: str, role: str = "user") -> Person:
        self.people[name] = webui.person(self.web.server, name, role)
        return self.people[name]

    def add_staff(self, name: str) -> None:
        """An account, no administrator's, in the group of the course's staff."""
        group = next(row["id"] for row in self.web.ask("GET", "/groups/") if row["name"] == STAFF)
        members = {"user_ids": [self.add_account(name).id]}
        self.web.ask("POST", f"/groups/id/{group}/users/add", json=members)

    def offer_base_model(self) -> None:
        """A model of the provider is for administrators alone until one of them says otherwise."""
        body = {"id": BASE_MODEL, "name": BASE_MODEL, "access_grants": [webui.grant("read", "*")]}
        self.web.ask("POST", "/models/model/access/update", json=body)
        self.web.server.refresh_models()

    def close(self) -> None:
        super().close()
        for remote in self.webs:
            remote.close()

    @property
    def ada(self) -> str:
        return self.people["ada"].id

    @property
    def bob(self) -> str:
        return self.people["bob"].id

    def token(self, who: str) -> str:
        """Of an account, by its name or its id."""
        return next(each.token for name, each in self.people.items() if who in (name, each.id))

    def learners(self) -> list[str]:
        return list(self.workspace.users())

    # ------------------------------------------------------------------ the reconciler

    @property
    def web_policy(self) -> WebPolicy:
        return WebPolicy(BASE_MODEL, (self.course,), staff={self.course: (STAFF,)})

    def new_engine(self, wrap: Wrap | None = None) -> Engine:
        workspace, clock = self.workspace, SystemClock()
        letta = LettaRemote(self.system.url, "", workspace.uuid, now=clock.now, timeout=30)
        web = OpenWebUIRemote(
            self.web.url, self.key, workspace.uuid, now=clock.now, timeout=30, quiet_seconds=self.quiet_seconds
        )
        self.remotes.append(letta)
        self.webs.append(web)
        grace = self.system.grace_seconds if self.grace_seconds is None else self.grace_seconds
        policy = Policy(model_aliases=self.system.aliases, grace_seconds=grace, web=self.web_policy)
        remotes: list[Remote] = [wrap(workspace, web)[1] if wrap else web, letta]
        return Engine(workspace, remotes, clock, policy, web, web)

    def path(self, who: str, block: str) -> str:
        """Where the block's file is in the repo: of one course, or of all of them."""
        name = f"{block}.md" if block in PROSE else f"{block}.toml"
        if who == "courses":
            return f"{self.course}/shared/{name}"
        of_all = f"blocks/{name}"
        return of_all if of_all in self.repo(who).files(self.head(who)) else f"blocks/{self.course}/{name}"

    @property
    def remote(self) -> OpenWebUIRemote:
        """The adapter of the engine at hand."""
        assert self.engine
        return self.webs[-1]

    # ------------------------------------------------------------------ models and threads

    def model_row(self, task: str = "") -> Json:
        """The course's model, or the hidden one of a task."""
        ref = "/".join(["model", self.course, *([task] if task else [])])
        (row,) = (row for row in self.web.models() if _mark(row).get("ref") == ref)
        return row

    def records(self, who: str) -> Mapping[str, Any]:
        """What is on record of a learner's threads, by path."""
        listed = self.git(who, "ls-tree", "-r", "--name-only", "main", "agent_threads").split()
        return {path: json.loads(self.git(who, "show", f"main:{path}")) for path in listed}

    # ------------------------------------------------------------------ notes, as people use them

    def note_row(self, who: str, block: str) -> Json:
        """The note that is a block, as the service account sees it."""
        ref = f"block/{self.course}/{block}"
        rows = [row for row in self.our_notes() if _mark(row)["ref"] == ref and self._owner(row) == who]
        assert len(rows) == 1, (who, ref, rows)
        return rows[0]

    def our_notes(self) -> list[Json]:
        """Those of this workspace, whole."""
        server = self.web.server
        notes = [row for row in self.web.notes() if row["user_id"] == server.admin.id]
        return [row for row in notes if _mark(row).get("workspace") == self.workspace.uuid]

    def notes_of(self, who: str) -> list[Json]:
        return [row for row in self.our_notes() if self._owner(row) == who]

    def _owner(self, row: Json) -> str:
        return _mark(row)["scope"].removeprefix("user/")

    def in_note(self, who: str, block: str) -> Fields:
        return parse_block(body_of(webui.text(self.note_row(who, block))), block == "diary")

    def writes_note(self, who: str, block: str, markdown: str) -> None:
        """The learner replaces the note's whole text."""
        webui.set_text(self.web.server, self.note_row(who, block)["id"], markdown, self.token(who))

    def edits_note(self, who: str, block: str, note_id: str = "", **fields: Any) -> None:
        """The learner edits fields in their note, where they stand."""
        note_id, token = note_id or self.note_row(who, block)["id"], self.token(who)
        markdown = webui.text(webui.get_note(self.web.server, note_id, token))
        edited = with_fields(markdown, block, fields)
        webui.set_text(self.web.server, note_id, edited, token)

    # ------------------------------------------------------------------ what holds

    def in_web_ref(self, who: str, block: str) -> Fields:
        """The block on the tracking ref of Open WebUI."""
        return self._fields(who, block, "refs/remotes/openwebui/main")

    def everywhere(self, who: str, block: str) -> list[dict[str, Any]]:
        """The block's fields on the three sides."""
        return [dict(side(who, block)) for side in (self.in_git, self.in_letta, self.in_note)]

    def main_states(self) -> Mapping[str, Any]:
        """Of every repo: all commits of ``main`` with all files."""
        return {who: self.git(who, "log", "--format=%H %T", "main") for who in self.everybody()}

    def drift(self) -> Mapping[str, str]:
        drift = {**super().drift()}
        for who in self.everybody():
            if diff := self.git(who, "diff", "openwebui/main", "main"):
                drift[f"{who} in Open WebUI"] = diff
        return drift

    def assert_at_rest(self) -> None:
        """All three agree, and another pass, of a process that has just started, does nothing at all."""
        before = self.heads()
        self.system.tap.forget()
        self.web.tap.forget()
        report = self.again().one_pass()
        assert report.exit_code == 0, report
        assert (report.writes, report.commits, list(report.actions)) == (0, 0, [])
        assert self.system.tap.writes() == self.web.tap.writes() == []
        assert self.heads() == before
        assert self.drift() == {}
        in_notes = ((self._owner(row), _name(row), body_of(webui.text(row))) for row in self.our_notes())
        for who, block, text in (*self.ours(), *in_notes):
            assert parse_block(text, block in PROSE) == self.in_git(who, block), (who, block)

    def sync_until(self, holds: Callable[[], bool], seconds: float = 20.0) -> None:
        """Passes until it holds; whatever they report."""
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, "it never came to hold"
            self.one_pass(settle_seconds=1.0)


PROSE = ("diary", "notebook")


def _mark(row: Json) -> Mapping[str, str]:
    return (row["meta"] or {}).get("reconciler") or {}


def _name(row: Json) -> str:
    """Of the block that a note is."""
    return _mark(row)["ref"].rpartition("/")[2]


def body_of(markdown: str) -> str:
    """What stands in the note's one fence."""
    opening = next(line for line in markdown.splitlines() if line.startswith("```"))
    inside = markdown.partition(opening + "\n")[2].rpartition("```")[0]
    return "" if inside.strip() == "# nothing here yet" else inside


def with_fields(markdown: str, block: str, fields: Mapping[str, Any]) -> str:
    """The note with these fields edited in its fence."""
    body = body_of(markdown)
    return markdown.replace(body, edit_block(body, _held(fields), block in PROSE))


def contents(rows: Iterable[Json]) -> str:
    """All of the texts, for looking whether something is in any of them."""
    return "\n".join(webui.text(row) for row in rows)
