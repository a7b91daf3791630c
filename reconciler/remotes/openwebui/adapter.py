"""Open WebUI as a `Remote`: the parts of this package put together, and what later code asks beyond that port."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from reconciler.core.snapshot import Scope, Unreadable
from reconciler.core.value import Fields
from reconciler.errors import Terminal
from reconciler.ports import Action, Actor, Depth, Edit, Live, Observation, Outcome, Run, WebGroup, WebUser
from reconciler.remotes.openwebui.catalog import Catalog
from reconciler.remotes.openwebui.client import Api, Refused
from reconciler.remotes.openwebui.explain import Explainer
from reconciler.remotes.openwebui.feed import Feed
from reconciler.remotes.openwebui.history import History, Version
from reconciler.remotes.openwebui.known import Known
from reconciler.remotes.openwebui.me import Me
from reconciler.remotes.openwebui.model_write import ModelWriter
from reconciler.remotes.openwebui.note_write import NoteWriter
from reconciler.remotes.openwebui.people import People
from reconciler.remotes.openwebui.read import Reader
from reconciler.remotes.openwebui.reread import Rereader
from reconciler.remotes.openwebui.threads import Message, Thread, Threads
from reconciler.remotes.openwebui.webhooks import ensure_webhook
from reconciler.remotes.openwebui.write import Writer

T = TypeVar("T")


class OpenWebUIRemote:
    """Only what the service account owns and this workspace marked is read as ours; nothing else is ever written to."""

    has_turns = False

    def __init__(  # noqa: PLR0913  (what a caller sets once, each by name)
        self,
        base_url: str,
        api_key: str,
        workspace_uuid: str,
        *,
        now: Callable[[], datetime],
        timeout: float = 60.0,
        quiet_seconds: float = 2.0,
        api: Api | None = None,
    ) -> None:
        """``api``: what to ask instead of a server at ``base_url``."""
        self.name = "openwebui"
        self._workspace = workspace_uuid
        self._api = api = api or Api(base_url, api_key, timeout)
        me, known = Me(api, workspace_uuid), Known()
        feed, catalog = Feed(api, me, workspace_uuid, known, now), Catalog(api, me, workspace_uuid)
        self._people = People(api, now)
        self._history = History(api)
        self._threads = Threads(api, me, workspace_uuid)
        self._reader = Reader(feed, catalog, self._people, known, (now, quiet_seconds))
        self._rereader = Rereader(feed, catalog, known)
        notes = NoteWriter(api, me, workspace_uuid, known, feed, now)
        self._writer = Writer(notes, ModelWriter(api, workspace_uuid, catalog))
        self._explainer = Explainer(self._people, self._history, catalog, me.id)

    def close(self) -> None:
        self._api.close()

    # ------------------------------------------------------------------ Remote

    def observe(self, scopes: Sequence[Scope] | None, depth: Depth) -> Observation:
        return _answered(lambda: self._reader.observe(scopes, depth))

    def reread(self, lives: Sequence[Live]) -> Mapping[str, Live | Unreadable | None]:
        return _answered(lambda: self._rereader.reread(lives))

    def active_runs(self) -> Sequence[Run]:
        """None: nothing that runs in Open WebUI writes back an older value."""
        return ()

    def apply(self, action: Action) -> Outcome:
        return self._writer.apply(action)

    def explain(self, edits: Sequence[Edit], since: datetime | None) -> Sequence[Actor]:
        return _answered(lambda: self._explainer.explain(edits))

    def past(self, live: Live) -> Sequence[Fields]:
        """Of a model its version history; of a note there is none."""
        is_model = live.ref.startswith("model/")
        return [version.fields for version in self.history(live.handle)] if is_model else ()

    # ------------------------------------------------------------------ beyond the port

    def history(self, handle: str, limit: int = 20) -> list[Version]:
        """Newest first."""
        return _answered(lambda: self._history.of(handle, limit))

    def users(self) -> Sequence[WebUser]:
        return _answered(self._people.users)

    def groups(self) -> Sequence[WebGroup]:
        return _answered(self._people.groups)

    def ensure_folder(self, agent: str, agent_name: str, user: str, user_name: str) -> str:
        """The id of the folder ``{agent_name} · {user_name}``, shared with the user to read. ``user``: an id."""
        return _answered(lambda: self._threads.ensure_folder(agent, agent_name, user, user_name))

    def create_thread(self, folder: str, title: str, model: str, messages: Sequence[Message]) -> str:
        return _answered(lambda: self._threads.create_thread(folder, title, model, messages))

    def threads_in(self, folder: str) -> list[Thread]:
        return _answered(lambda: self._threads.in_folder(folder))

    def threads_with(self, model: str, since: datetime | None = None) -> list[Thread]:
        return _answered(lambda: self._threads.with_model(model, since))

    def thread(self, chat: str) -> Thread | None:
        return _answered(lambda: self._threads.one(chat))

    def transcript(self, chat: str) -> list[Message]:
        return _answered(lambda: self._threads.transcript(chat))

    def threads_of(self, user: str) -> list[Thread]:
        return _answered(lambda: self._threads.of_user(user))

    def ensure_webhook(self, url: str, events: Sequence[str]) -> bool:
        """Whether it had to be made or repaired."""
        return _answered(lambda: ensure_webhook(self._api, self._workspace, url, events))


def _answered(ask: Callable[[], T]) -> T:
    """A refusal while reading is nobody's expected outcome: the key is no admin's, or the API has changed."""
    try:
        return ask()
    except Refused as error:
        raise Terminal(
            f"{error}; is the key an admin's, and the address an Open WebUI of a supported version?"
        ) from error
