"""Threads: the read-only folder of a background agent's runs with one user, and the chats people have with a model.

The service account owns folder and chats, and grants the user to read the folder: so they see the threads, and
neither write nor complete in them (0.12.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from reconciler.ports import WebMessage as Message
from reconciler.ports import WebThread as Thread
from reconciler.remotes.openwebui.client import Api, NoAnswer, Refused, part
from reconciler.remotes.openwebui.marks import MARK
from reconciler.remotes.openwebui.me import Me
from reconciler.remotes.openwebui.wire import Json, handle, is_id, number, rows, table, text, texts

CHATS_A_PAGE = 10
MODEL_CHATS_A_PAGE = 100
MOST_PAGES = 1000


class Threads:
    def __init__(self, api: Api, me: Me, workspace: str) -> None:
        self._api = api
        self._me = me
        self._workspace = workspace
        self._readers: dict[str, str] = {}

    # ------------------------------------------------------------------ folders

    def ensure_folder(self, agent: str, agent_name: str, user: str, user_name: str) -> str:
        """The folder of the agent's runs with the user, shared with that user to read; its id.

        Names must be unique among siblings, so one that is taken by a foreign folder gets the user's id behind it.
        """
        name = f"{agent_name} · {user_name}"
        mark = {"workspace": self._workspace, "agent": agent, "user": user}
        for row in self._api.list("/folders/"):
            if text(row, "name").startswith(name) and (found := self._marked(handle(row), mark)):
                self._share(found, user)
                return handle(found)
        taken = any(text(row, "name") == name for row in self._api.list("/folders/") if not text(row, "parent_id"))
        meta = {"type": "background_agent", "agentId": agent, MARK: mark}
        row = self._api.post("/folders/", {"name": f"{name} · {user[:8]}" if taken else name, "meta": meta})
        self._share(row, user)
        return handle(row)

    def _marked(self, folder: str, mark: Mapping[str, str]) -> Json | None:
        if not folder:
            return None
        row = self._api.row(f"/folders/{part(folder)}")
        is_ours = text(row, "user_id") == self._me.id() and table(row.get("meta")).get(MARK) == mark
        return row if is_ours else None

    def _share(self, row: Json, user: str) -> None:
        """Exactly this user, and only to read."""
        wanted = {"principal_type": "user", "principal_id": user, "permission": "read"}
        there = [{name: each.get(name) for name in wanted} for each in rows(row.get("access_grants"))]
        if there != [wanted]:
            self._api.post(f"/folders/{part(handle(row))}/access/update", {"access_grants": [wanted]})

    # ------------------------------------------------------------------ chats

    def create_thread(self, folder: str, title: str, model: str, messages: Sequence[Message]) -> str:
        """A chat of the service account in the folder, with these messages in order; its id, which the server picks."""
        chat = {
            "title": title,
            "models": [model],
            "history": _history(model, messages),
            MARK: {"workspace": self._workspace},
        }
        return handle(self._api.post("/chats/new", {"chat": chat, "folder_id": folder}))

    def in_folder(self, folder: str) -> list[Thread]:
        """The chats of a folder of ours, newest first."""
        found: list[Thread] = []
        for page in range(1, MOST_PAGES):
            listed = self._api.list(
                f"/chats/folder/{part(folder)}/list", page=page, sort_by="updated_at", sort_dir="desc"
            )
            found += [_thread(row) for row in listed if handle(row)]
            if len(listed) < CHATS_A_PAGE:
                break
        return found

    def with_model(self, model: str, since: datetime | None = None) -> list[Thread]:
        """Everybody's chats that hold an answer of the model (since then), newest first; not when they began."""
        found: list[Thread] = []
        start = {"start_date": int(since.timestamp())} if since else {}
        for page in range(MOST_PAGES):
            skip = page * MODEL_CHATS_A_PAGE
            listed = self._listed(model, skip=skip, limit=MODEL_CHATS_A_PAGE, **start)
            found += [_counted(row, model) for row in listed if is_id(text(row, "chat_id"))]
            if len(listed) < MODEL_CHATS_A_PAGE:
                break
        return found

    def _listed(self, model: str, **query: int) -> list[Json]:
        try:
            return rows(self._api.row(f"/analytics/models/{part(model)}/chats", **query).get("chats"))
        except NoAnswer as error:
            raise NoAnswer(f"{error}: no chat is put on record; run it with ENABLE_ADMIN_ANALYTICS=true") from error

    def one(self, chat: str) -> Thread | None:
        """One chat with all that is known of it; None where there is none of that id, which is a 401 (0.12.4)."""
        try:
            row = self._api.row(f"/chats/{part(chat)}")
        except Refused as error:
            if error.is_not_there:
                return None
            raise
        models = texts(table(row.get("chat")).get("models"))
        return replace(_thread(row, models[0] if models else ""), reader=self._reader(row))

    def _reader(self, chat: Json) -> str:
        """Whom a run is shared with: the folder of ours that it lies in says so. Empty for anybody's own chat."""
        folder = text(chat, "folder_id")
        if not folder or text(chat, "user_id") != self._me.id():
            return ""
        if folder not in self._readers:
            mark = table(table(self._api.row(f"/folders/{part(folder)}").get("meta")).get(MARK))
            self._readers[folder] = text(mark, "user") if text(mark, "workspace") == self._workspace else ""
        return self._readers[folder]

    def transcript(self, chat: str) -> list[Message]:
        """The branch that is shown, from its first message on."""
        history = table(table(self._api.row(f"/chats/{part(chat)}").get("chat")).get("history"))
        messages, at = table(history.get("messages")), text(history, "currentId")
        said: list[Message] = []
        while at and len(said) <= len(messages):
            row = table(messages.get(at))
            said.append(Message(text(row, "role"), text(row, "content")))
            at = text(row, "parentId")
        return said[::-1]

    def of_user(self, user: str) -> list[Thread]:
        """All chats of a user, archived ones too, newest first. Their models are not in this listing."""
        found: dict[str, Thread] = {}
        for page in range(1, MOST_PAGES):
            listed = self._api.list(f"/chats/list/user/{part(user)}", page=page)
            fresh = {handle(row): _thread(row) for row in listed if handle(row)}
            if not fresh.keys() - found.keys():
                break
            found |= fresh
        return list(found.values())


def _thread(row: Json, model: str = "") -> Thread:
    created, updated = (datetime.fromtimestamp(number(row, name), UTC) for name in ("created_at", "updated_at"))
    return Thread(handle(row), text(row, "title"), updated, created, model, text(row, "user_id"))


def _counted(row: Json, model: str) -> Thread:
    """As the analytics of a model list it: the title is there by the name of the first message (0.12.4)."""
    updated = datetime.fromtimestamp(number(row, "updated_at"), UTC)
    return Thread(text(row, "chat_id"), text(row, "first_message"), updated, None, model, text(row, "user_id"))


def _history(model: str, messages: Sequence[Message]) -> dict[str, object]:
    """A chain: each message is the parent of the next."""
    ids = [str(uuid4()) for _ in messages]
    chain = {
        ids[at]: {
            "id": ids[at],
            "parentId": ids[at - 1] if at else None,
            "childrenIds": ids[at + 1 : at + 2],
            "role": message.role,
            "content": message.content,
            "done": True,
        }
        | ({"model": model} if message.role == "assistant" else {"models": [model]})
        for at, message in enumerate(messages)
    }
    return {"messages": chain, "currentId": ids[-1] if ids else None}
