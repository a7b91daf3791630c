"""Threads on record: chats and runs become files, titles follow, and nothing is written twice or deleted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.core.outcome import Report
from reconciler.core.value import Fields
from reconciler.errors import Transient
from reconciler.manifest.names import NameRefused
from reconciler.policy import Policy, WebPolicy
from reconciler.ports import (
    Action,
    Actor,
    Depth,
    Draft,
    Edit,
    Live,
    Observation,
    Outcome,
    Run,
    WebGroup,
    WebMessage,
    WebThread,
    WebUser,
)
from reconciler.store.journal import MAIN
from reconciler.store.memory import MemoryRepo, MemoryWorkspace
from reconciler.store.people import RECONCILER
from reconciler.sync.engine import Engine
from reconciler.sync.threads import agent_folder, record_path

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ADA, BEN, SERVICE = "acc-ada", "acc-ben", "acc-service"
TUTOR, GRADER = "ws.essay", "ws.essay.grader"
USER = 'id = "{0}"\nname = "{1}"\nemail = "{0}@example.org"\nopen_webui_id = "acc-{0}"\n'


@dataclass
class Hall:
    """The chat system as far as threads go: a remote with nothing but models, and who chats with them."""

    name: str = "openwebui"
    has_turns: bool = False
    chats: list[WebThread] = field(default_factory=list)
    words: list[WebMessage] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_down: bool = False

    def observe(self, scopes: Sequence[str] | None, depth: Depth) -> Observation:
        models = {
            "model/essay": Live("model/essay", TUTOR, fields={"name": "Essay Lab"}),
            "model/essay/grader": Live("model/essay/grader", GRADER, fields={"name": "grader"}),
        }
        return Observation({"courses": models}, frozenset({"model", "block"}))

    def reread(self, lives: Sequence[Live]) -> Mapping[str, Any]:
        return {}

    def active_runs(self) -> Sequence[Run]:
        return ()

    def apply(self, action: Action) -> Outcome:
        raise AssertionError("nothing here asks for a write")

    def explain(self, edits: Sequence[Edit], since: datetime | None) -> Sequence[Actor]:
        return ()

    def past(self, live: Live) -> Sequence[Fields]:
        return ()

    def users(self) -> Sequence[WebUser]:
        return [WebUser(ADA, "Ada", "ada@example.org", "user"), WebUser(BEN, "Ben", "ben@example.org", "user")]

    def groups(self) -> Sequence[WebGroup]:
        return ()

    def threads_with(self, model: str, since: datetime | None = None) -> Sequence[WebThread]:
        if self.is_down:
            raise Transient("gone for a moment")
        self.asked.append(f"list {model}")
        return [
            replace(each, created_at=None)
            for each in self.chats
            if each.model == model and (since is None or each.updated_at >= since)
        ]

    def thread(self, chat: str) -> WebThread | None:
        self.asked.append(f"one {chat}")
        return next((each for each in self.chats if each.id == chat), None)

    def transcript(self, chat: str) -> Sequence[WebMessage]:
        return self.words

    # ------------------------------------------------------------------ what people do

    def chat(self, key: str, title: str, user: str = ADA, model: str = TUTOR, reader: str = "") -> None:
        self.chats.append(WebThread(key, title, NOW, NOW - timedelta(hours=1), model, user, reader))

    def retitle(self, key: str, title: str, later: int = 0) -> None:
        self.chats = [
            replace(each, title=title, updated_at=each.updated_at + timedelta(seconds=later))
            if each.id == key
            else each
            for each in self.chats
        ]


@dataclass
class Still:
    """A clock."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class School:
    hall: Hall
    workspace: MemoryWorkspace
    engine: Engine
    clock: Still

    def sync(self, depth: Depth = "full", apply: bool = True) -> Report:
        report = self.engine.run(apply=apply, depth=depth)
        assert not report.errors, report.errors
        return report

    def repo(self, who: str = "ada") -> MemoryRepo:
        return self.workspace.repo(f"user/{who}")

    def head(self, who: str = "ada") -> str:
        found = self.repo(who).ref(MAIN)
        assert found
        return found

    def on_record(self, who: str = "ada") -> dict[str, Any]:
        files = self.repo(who).files(self.head(who))
        return {
            path.removeprefix("agent_threads/"): json.loads(self.repo(who).read(blob))
            for path, blob in files.items()
            if path.startswith("agent_threads/")
        }


def school_of(policy: WebPolicy | None = None) -> School:
    workspace, hall, clock = MemoryWorkspace(), Hall(), Still()
    courses = workspace.repo("courses")
    courses.move(MAIN, None, courses.commit(Draft(None, (), {"README.md": b"x"}, RECONCILER, "Begin", NOW)))
    for key in ("ada", "ben"):
        workspace.add_user(key, {"user.toml": USER.format(key, key.title()).encode()}, RECONCILER, NOW)
    engine = Engine(workspace, [hall], clock, Policy(web=policy or WebPolicy()), hall, hall)
    made = School(hall, workspace, engine, clock)
    made.sync()
    return made


@pytest.fixture
def school() -> School:
    return school_of()


def test_a_chat_is_put_on_record_in_its_owner_s_repo_and_in_their_name(school: School) -> None:
    school.hall.chat("c1", "About dogs")
    report = school.sync()

    assert [(each.flow, each.scope, each.ref, each.verb) for each in report.actions] == [
        ("captured", "user/ada", "thread/essay/c1", "create")
    ]
    assert school.on_record() == {
        "essay/c1.json": {
            "chat_id": "c1",
            "created_at": "2026-05-04T11:00:00Z",
            "agent_name": "Essay Lab",
            "title": "About dogs",
            "updated_at": "2026-05-04T12:00:00Z",
            "kind": "chat",
        }
    }
    commit = school.repo().info(school.head())
    assert commit.author.name == "Ada"
    assert commit.message.startswith("Record thread “About dogs”, by Ada\n\nRemote: openwebui\nActor: person:ada\n")
    assert school.on_record("ben") == {}


def test_a_run_is_put_on_record_with_whoever_may_read_it_in_the_agent_s_name(school: School) -> None:
    school.hall.chat("r1", "Run 1", SERVICE, GRADER, reader=BEN)
    school.hall.chat("r2", "Somebody's own", ADA, GRADER)
    school.sync()

    assert list(school.on_record("ben")) == ["grader/r1.json"]
    assert school.on_record("ben")["grader/r1.json"]["kind"] == "run"
    assert school.repo("ben").info(school.head("ben")).author.name == "grader"
    assert school.on_record("ada") == {}


def test_many_threads_of_one_person_are_one_commit(school: School) -> None:
    for number in range(5):
        school.hall.chat(f"c{number}", "New Chat")
    assert school.sync().commits == 1
    assert len(school.on_record()) == 5


@pytest.mark.parametrize("depth", ["recent", "values", "full"])
def test_what_is_on_record_is_not_written_again(school: School, depth: Depth) -> None:
    school.hall.chat("c1", "About dogs")
    school.sync()
    before = dict(school.repo().refs)
    for _ in range(3):
        report = school.sync(depth)

        assert (report.commits, report.writes, report.actions) == (0, 0, [])
    assert dict(school.repo().refs) == before


def test_a_dry_run_shows_it_and_writes_nothing(school: School) -> None:
    school.hall.chat("c1", "About dogs")
    before = dict(school.repo().refs)
    for _ in range(2):
        assert [each.ref for each in school.sync(apply=False).actions] == ["thread/essay/c1"]
    assert dict(school.repo().refs) == before
    assert school.sync().commits == 1


def test_a_title_is_kept_up_to_date_and_what_others_wrote_beside_it_stays(school: School) -> None:
    school.hall.chat("c1", "New Chat")
    school.sync()
    record = school.on_record()["essay/c1.json"] | {"stars": 5}
    text = json.dumps(record).encode()
    repo, head = school.repo(), school.head()
    changes: dict[str, bytes | None] = {"agent_threads/essay/c1.json": text}
    repo.move(MAIN, head, repo.commit(Draft(head, (head,), changes, RECONCILER, "Star it", NOW)))
    school.hall.retitle("c1", "About dogs")
    report = school.sync("recent")

    assert [(each.verb, [change.name for change in each.fields]) for each in report.actions] == [("update", ["title"])]
    assert school.on_record()["essay/c1.json"] == record | {"title": "About dogs"}


def test_another_message_is_no_news_for_everyday_passes(school: School) -> None:
    school.hall.chat("c1", "About dogs")
    school.sync()
    school.hall.retitle("c1", "About dogs", later=60)

    assert school.sync("recent").commits == 0
    assert school.sync("full").commits == 1
    assert school.on_record()["essay/c1.json"]["updated_at"] == "2026-05-04T12:01:00Z"


def test_what_was_said_is_recorded_only_where_that_was_asked_for() -> None:
    school = school_of(WebPolicy(records_words=True))
    school.hall.chat("c1", "About dogs")
    school.hall.words = [WebMessage("user", "Woof?"), WebMessage("assistant", "Woof.")]
    school.sync()
    said = [{"role": "user", "content": "Woof?"}, {"role": "assistant", "content": "Woof."}]

    assert school.on_record()["essay/c1.json"]["messages"] == said
    school.hall.retitle("c1", "About dogs", later=60)
    school.hall.words.append(WebMessage("user", "x" * 600_000))
    assert school.sync("recent").commits == 1
    assert "Woof?" not in str(school.on_record())


def test_a_thread_that_is_gone_is_reported_and_its_record_stays(school: School) -> None:
    school.hall.chat("c1", "About dogs")
    school.sync()
    school.hall.chats.clear()
    report = school.sync()

    told = [each.message for each in report.warnings if each.where == "user/ada"]
    assert told == ["a thread is on record and no longer in Open WebUI: c1; the records stay"]
    assert (report.exit_code, report.commits) == (0, 0)
    assert list(school.on_record()) == ["essay/c1.json"]


def test_an_everyday_pass_asks_once_per_model(school: School) -> None:
    school.hall.chat("c1", "About dogs")
    school.sync()
    school.hall.asked.clear()
    school.sync("recent")

    assert sorted(school.hall.asked) == [f"list {TUTOR}", f"list {GRADER}"]


def test_a_look_that_failed_is_made_again_and_stops_nothing_else(school: School) -> None:
    school.hall.is_down = True
    report = school.engine.run(apply=True, depth="recent")

    assert [each.message for each in report.errors] == ["gone for a moment"]
    school.hall.is_down = False
    school.hall.chat("c1", "About dogs")
    assert school.sync("recent").commits == 1


def test_a_damaged_record_is_left_alone(school: School) -> None:
    repo, head = school.repo(), school.head()
    changes: dict[str, bytes | None] = {"agent_threads/essay/c1.json": b"{"}
    repo.move(MAIN, head, repo.commit(Draft(head, (head,), changes, RECONCILER, "Break it", NOW)))
    school.hall.chat("c1", "About dogs")

    assert school.sync().commits == 0
    assert repo.read(repo.files(school.head())["agent_threads/essay/c1.json"]) == b"{"


def test_a_chat_id_that_is_no_file_name_is_told_and_not_written(school: School) -> None:
    school.hall.chat("..", "Up")
    report = school.sync()

    assert report.commits == 0
    assert any("chat id" in each.message for each in report.warnings)


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "é", "a" * 200])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    with pytest.raises(NameRefused):
        agent_folder(name)
    with pytest.raises(NameRefused):
        record_path("essay", name)


def test_an_agent_s_folder_is_its_name_in_lower_case_without_blanks() -> None:
    assert agent_folder("Insight Synthesizer") == "insight_synthesizer"
