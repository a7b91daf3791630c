"""Which chats learners had with a tutor, and which runs background agents had for them: one file each in their repo.

Who holds what: the thread itself stays where it is; git holds that it exists, what it is called, and since when; what
was said only where the settings ask for it. A record is never deleted here, whatever became of its thread.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, TypeAlias, cast

from reconciler.core.outcome import FieldChange, Notice, PlannedAction
from reconciler.core.snapshot import Ref, Scope
from reconciler.core.value import ABSENT
from reconciler.desired_web import WEB
from reconciler.manifest.names import NameRefused, check_name
from reconciler.manifest.user import User
from reconciler.ports import Live, Observation, Person, Repo, Threads, WebThread
from reconciler.store.journal import Stamp, Step
from reconciler.store.people import person

FOLDER = "agent_threads"
Kind: TypeAlias = Literal["run", "chat"]
Written: TypeAlias = "dict[str, object]"
_SHOWN = ("agent_name", "created_at", "title", "updated_at")
_MOST_NAMED = 3
_MOST_BYTES = 500_000
_LONGEST_TITLE = 200


@dataclass(frozen=True)
class Source:
    """A model whose threads are recorded, under ``agent``. Everybody's chats with a course, or an agent's runs."""

    agent: str
    name: str
    kind: Kind
    model: str


@dataclass(frozen=True)
class Found:
    """One thread as listed. ``thread`` knows when it began only where it was asked for by itself."""

    source: Source
    thread: WebThread

    @property
    def path(self) -> str:
        return record_path(self.source.agent, self.thread.id)


@dataclass(frozen=True)
class Record:
    """One file to be written: ``before`` is None for a new one. author: whose thread it is."""

    path: str
    before: Written | None
    after: Written
    author: Person
    actor: str

    @property
    def ref(self) -> Ref:
        return f"thread/{self.path.removeprefix(FOLDER + '/').removesuffix('.json')}"

    def planned(self, scope: Scope) -> PlannedAction:
        """The record as a line of the plan."""
        old = self.before or {}
        fields = tuple(
            FieldChange(name, str(old[name]) if name in old else ABSENT, str(self.after[name]))
            for name in _SHOWN
            if old.get(name) != self.after.get(name)
        )
        return PlannedAction("captured", scope, WEB, self.ref, "update" if self.before else "create", fields)


def agent_folder(name: str) -> str:
    """The folder of an agent's threads: its name in lower case, with underscores for blanks; `NameRefused` else."""
    return check_name("_".join(name.lower().split()), "agent's name")


def record_path(agent: str, chat: str) -> str:
    """Where the record of a thread is; `NameRefused` where either name could lead elsewhere."""
    return f"{FOLDER}/{check_name(agent, 'agent')}/{check_name(chat, 'chat id')}.json"


def sources(observation: Observation) -> tuple[list[Source], list[Notice]]:
    """Every model of ours there is: of courses, and the hidden ones of background agents."""
    found: list[Source] = []
    notices: list[Notice] = []
    for ref, live in observation.seen.get("courses", {}).items():
        kind, _, names = ref.partition("/")
        if kind != "model" or not isinstance(live, Live):
            continue
        course, _, task = names.partition("/")
        name = str(live.fields.get("name", "")) or task or course
        try:
            found.append(Source(agent_folder(task or course), name, "run" if task else "chat", live.handle))
        except NameRefused as error:
            notices.append(Notice(f"courses {ref}", f"its threads are not recorded: {error}"))
    return found, notices


# ---------------------------------------------------------------------- what one learner's repo lacks


def records(repo: Repo, head: str, user: User, found: Iterable[Found], full: bool) -> list[Record]:
    """What is to be written of these threads. A damaged record is left to whoever damaged it.

    full: also where nothing but the time of the last message is new.
    """
    files = repo.files(head)
    wanted: list[Record] = []
    for each in found:
        before = _read(repo, files[each.path]) if each.path in files else {}
        if before is not None and _is_news(before, each.thread, full):
            author, actor = _author(each, user)
            after = {**before, **_written(each, before)}
            wanted.append(Record(each.path, before or None, after, author, actor))
    return wanted


def _is_news(before: Written, thread: WebThread, full: bool) -> bool:
    if not before or before.get("title") != thread.title[:_LONGEST_TITLE]:
        return True
    return full and before.get("updated_at") != time_text(thread.updated_at)


def _read(repo: Repo, blob: str) -> Written | None:
    try:
        found: object = json.loads(repo.read(blob))
    except ValueError:
        return None
    return cast("Written", found) if isinstance(found, dict) and found else None


def _written(found: Found, before: Written) -> Written:
    thread = found.thread
    began = before.get("created_at") or time_text(thread.created_at or thread.updated_at)
    return {
        "chat_id": thread.id,
        "created_at": began,
        "agent_name": before.get("agent_name") or found.source.name,
        "title": thread.title[:_LONGEST_TITLE],
        "updated_at": time_text(thread.updated_at),
        "kind": found.source.kind,
    }


def time_text(when: datetime) -> str:
    """A moment as records have it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _author(found: Found, user: User) -> tuple[Person, str]:
    if found.source.kind == "chat":
        return person(user.name or user.id, user.email or f"{user.id}@openwebui.invalid"), f"person:{user.id}"
    agent = found.source.agent
    return person(found.source.name, f"{agent}@openwebui.invalid"), f"agent:{agent}"


def with_transcript(record: Record, threads: Threads) -> Record:
    """The record with what was said; of one too long for a file, how it ends."""
    said = [{"role": each.role, "content": each.content} for each in threads.transcript(str(record.after["chat_id"]))]
    while sum(len(each["content"].encode(errors="replace")) + 100 for each in said) > _MOST_BYTES:
        said = said[len(said) // 4 + 1 :]
    return replace(record, after={**record.after, "messages": said})


def steps(found: Sequence[Record], stamp: Stamp) -> list[Step]:
    """One commit per author, however many threads there are."""
    grouped: dict[tuple[Person, str], list[Record]] = {}
    for each in found:
        grouped.setdefault((each.author, each.actor), []).append(each)
    return [_step(own, author, actor, stamp) for (author, actor), own in grouped.items()]


def _step(own: Sequence[Record], author: Person, actor: str, stamp: Stamp) -> Step:
    said = {"Remote": WEB, "Actor": actor, "Attribution": "known", "Observed-At": stamp.now.isoformat()}
    return Step(_subject(own, author), author, {each.path: render(each.after) for each in own}, said)


def _subject(own: Sequence[Record], author: Person) -> str:
    made = [each for each in own if each.before is None]
    verb, told = ("Record", made) if made else ("Update", own)
    what = f"thread “{str(told[0].after['title'])[:50]}”" if len(told) == 1 else f"{len(told)} threads"
    more = f", and update {len(own) - len(made)}" if made and len(own) > len(made) else ""
    return f"{verb} {what}{more}, by {author.name}"


def render(record: Mapping[str, object]) -> bytes:
    """The file of a record."""
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode(errors="replace")


# ---------------------------------------------------------------------- what is on record and no longer there


def registered(files: Mapping[str, str]) -> dict[str, str]:
    """The path of every record, by chat id."""
    parts = {path: path.split("/") for path in files}
    return {
        names[2].removesuffix(".json"): path
        for path, names in parts.items()
        if len(names) == 3 and names[0] == FOLDER and names[2].endswith(".json")
    }


def lost(scope: Scope, chats: Sequence[str]) -> Notice:
    """Threads on record that are gone."""
    named = ", ".join(chats[:_MOST_NAMED]) + (f" and {len(chats) - _MOST_NAMED} more" if len(chats) > 3 else "")
    what = "a thread is" if len(chats) == 1 else f"{len(chats)} threads are"
    return Notice(scope, f"{what} on record and no longer in Open WebUI: {named}; the records stay")
