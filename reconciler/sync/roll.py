"""What Open WebUI listed of threads and may not be on record yet: kept between passes, for a record may fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.core.outcome import Notice
from reconciler.core.snapshot import Scope
from reconciler.manifest.names import NameRefused
from reconciler.manifest.user import User
from reconciler.ports import Observation, Repo, Threads, WebThread
from reconciler.store.journal import MAIN
from reconciler.sync.threads import Found, Record, lost, records, registered, sources, with_transcript

OVERLAP = timedelta(minutes=10)
"""How far back an everyday look goes: a chat gets its title some time after its first answer, and clocks differ."""

MOST_ASKED = 100
"""How many threads that no listing shows are asked for by themselves in one look."""


@dataclass(frozen=True)
class Looker:
    """What one look is made with. accounts: scopes by account id. repos: the scopes of this pass."""

    observation: Observation
    accounts: Mapping[str, Scope]
    repos: Mapping[Scope, Repo]
    now: datetime


@dataclass
class Roll:
    """One per engine. ``with_words``: what was said is recorded too."""

    threads: Threads
    with_words: bool = False
    since: datetime | None = None
    whole: bool = False
    pending: dict[Scope, dict[str, Found]] = field(default_factory=dict[Scope, "dict[str, Found]"])
    details: dict[str, WebThread | None] = field(default_factory=dict[str, "WebThread | None"])
    runs: dict[str, Scope] | None = None
    recorded: dict[Scope, tuple[str, Mapping[str, str]]] = field(
        default_factory=dict[Scope, "tuple[str, Mapping[str, str]]"]
    )
    """What is on record, by the commit it was read at."""

    def look(self, looker: Looker, *, whole: bool) -> list[Notice]:
        """List what is new, or everything, and say what deserves a look."""
        since = None if whole else self.since
        self.whole = since is None
        models, notices = sources(looker.observation)
        listed = [Found(each, thread) for each in models for thread in self.threads.threads_with(each.model, since)]
        self.since = looker.now - OVERLAP
        for each in listed:
            try:
                self._take(each, looker)
            except NameRefused as error:
                notices.append(Notice(f"thread of {each.source.name}", str(error)))
        gone = self._gone({each.thread.id for each in listed}, looker) if self.whole else ()
        return [*notices, *gone]

    def _take(self, found: Found, looker: Looker) -> None:
        scope = self._scope(found, looker)
        if scope is None or scope not in looker.repos:
            return
        path = found.path
        if path not in _files(looker.repos[scope]):
            detail = self._detail(found.thread.id)
            if detail is None:
                return
            found = replace(found, thread=replace(found.thread, created_at=detail.created_at))
        self.pending.setdefault(scope, {})[path] = found

    def _scope(self, found: Found, looker: Looker) -> Scope | None:
        """Whose repo the thread belongs to; None for those of nobody here."""
        if found.source.kind == "chat":
            return looker.accounts.get(found.thread.user)
        if self.runs is None:
            self.runs = {chat: scope for scope, repo in looker.repos.items() for chat in self._registered(scope, repo)}
        known = self.runs.get(found.thread.id)
        detail = None if known else self._detail(found.thread.id)
        return known or (looker.accounts.get(detail.reader) if detail else None)

    def _detail(self, chat: str) -> WebThread | None:
        if chat not in self.details:
            self.details[chat] = self.threads.thread(chat)
        return self.details[chat]

    def _gone(self, listed: set[str], looker: Looker) -> Iterator[Notice]:
        asked = 0
        for scope, repo in looker.repos.items():
            unlisted = [chat for chat in self._registered(scope, repo) if chat not in listed][: MOST_ASKED - asked]
            asked += len(unlisted)
            if gone := [chat for chat in unlisted if self.threads.thread(chat) is None]:
                yield lost(scope, gone)

    def _registered(self, scope: Scope, repo: Repo) -> Mapping[str, str]:
        head = repo.ref(MAIN) or ""
        if scope not in self.recorded or self.recorded[scope][0] != head:
            self.recorded[scope] = head, registered(_files(repo))
        return self.recorded[scope][1]

    def records(self, repo: Repo, head: str, user: User, scope: Scope) -> list[Record]:
        """What is to be written of one learner's threads. What is on record already is forgotten here."""
        found = self.pending.get(scope, {})
        wanted = records(repo, head, user, found.values(), self.whole or self.with_words)
        news = {each.path for each in wanted}
        self.pending[scope] = {path: each for path, each in found.items() if path in news}
        for each in found.keys() - news:
            self.details.pop(found[each].thread.id, None)
        return list(self._with_words(wanted)) if self.with_words else wanted

    def _with_words(self, wanted: Sequence[Record]) -> Iterable[Record]:
        for each in wanted:
            yield with_transcript(each, self.threads)


def of_account(users: Iterable[User]) -> dict[str, Scope]:
    """The scope of every learner who has an account, by its id."""
    return {user.open_webui_id: f"user/{user.id}" for user in users if user.open_webui_id}


def _files(repo: Repo) -> Mapping[str, str]:
    head = repo.ref(MAIN)
    return repo.files(head) if head else {}
