"""Chats. An administrator may read, edit messages and delete everywhere, but not retitle, move or archive."""

from collections.abc import Iterable

from reconciler.embedded.openwebui.access import is_admin
from reconciler.embedded.openwebui.fields import as_row, as_texts, parsed
from reconciler.embedded.openwebui.folders import Folders
from reconciler.embedded.openwebui.models import Models
from reconciler.embedded.openwebui.state import WRONG, Refused, Row, Rows, State, denied, not_found

PAGE = 60
FOLDER_PAGE = 10
_LISTED = ("id", "title", "updated_at", "created_at")


class Chats:
    def __init__(self, state: State, folders: Folders, models: Models) -> None:
        self._state = state
        self._folders = folders
        self._models = models

    def create(self, caller: Row, body: object) -> Row:
        """The server picks the id; what it does not know inside `chat` is kept."""
        sent = parsed(body, {"chat": dict, "folder_id": str}, ("chat",))
        folder_id = sent.get("folder_id")
        if folder_id is not None:
            self._own_folder(caller, folder_id)
        now, chat = self._state.seconds(), _linked(_signed(sent["chat"], caller))
        row: Row = {
            "id": self._state.new_id(),
            "user_id": caller["id"],
            "title": chat.get("title") or "New Chat",
            "chat": chat,
            "updated_at": now,
            "created_at": now,
            "share_id": None,
            "archived": False,
            "pinned": False,
            "meta": {},
            "variables": {},
            "folder_id": folder_id,
            "tasks": None,
            "summary": None,
            "current_message_id": as_row(chat.get("history")).get("currentId"),
            "context_usage": None,
        }
        self._state.tell("chat.created", caller, ("chat", row["id"]), title=row["title"], folder_id=folder_id)
        return self._state.put("chats", row)

    def get(self, caller: Row, key: str) -> Row:
        """401 also where there is none."""
        row = self._state.find("chats", key)
        if row is None or not self._may_read(caller, row):
            raise not_found(401)
        return row

    def update(self, caller: Row, key: str, body: object) -> Row:
        """Top-level keys and messages merge, so leaving one out deletes nothing. Only messages move the time."""
        row = self._own(caller, key)
        sent = _signed(parsed(body, {"chat": dict}, ("chat",))["chat"], caller)
        chat = {**row["chat"], **sent}
        if "history" in sent:
            old, new = as_row(row["chat"].get("history")), as_row(sent["history"])
            messages = {**as_row(old.get("messages")), **as_row(new.get("messages"))}
            chat["history"] = {**old, **new, "messages": messages}
        chat = _linked(chat)
        self._state.tell("chat.updated", caller, ("chat", key), title=chat.get("title"))
        moved: Row = {"updated_at": self._state.seconds()} if "history" in sent or "messages" in sent else {}
        current = as_row(chat.get("history")).get("currentId")
        title = chat.get("title") or row["title"]
        return self._state.amend("chats", row, chat=chat, title=title, current_message_id=current, **moved)

    def set_message(self, caller: Row, key: str, message_id: str, body: object) -> Row:
        """An unknown id makes an orphan."""
        row = self._state.find("chats", key)
        if row is None or not (is_admin(caller) or row["user_id"] == caller["id"]):
            raise denied()
        content = parsed(body, {"content": str}, ("content",))["content"]
        history = as_row(row["chat"].get("history"))
        now = self._state.seconds()
        orphan: Row = {"id": message_id, "parentId": None, "childrenIds": [], "role": "assistant", "timestamp": now}
        messages = as_row(history.get("messages"))
        message = {**as_row(messages.get(message_id, orphan)), "content": content}
        changed = {**history, "messages": {**messages, message_id: message}, "currentId": message_id}
        told = {"chat_id": key, "content_preview": content[:100]}
        self._state.tell("message.updated", caller, ("message", message_id), **told)
        return self._state.amend("chats", row, chat={**row["chat"], "history": changed}, updated_at=now)

    def delete(self, caller: Row, key: str) -> bool:
        row = self._state.find("chats", key)
        if row is None or not (is_admin(caller) or row["user_id"] == caller["id"]):
            raise not_found()
        self._state.drop("chats", key)
        self._state.tell("chat.deleted", caller, ("chat", key))
        return True

    def move(self, caller: Row, key: str, body: object) -> Row:
        folder_id = parsed(body, {"folder_id": str}).get("folder_id")
        row = self._mine(caller, key)
        if folder_id is not None:
            self._own_folder(caller, folder_id)
        return self._state.amend("chats", row, folder_id=folder_id)

    def toggle(self, caller: Row, key: str, mark: str) -> Row:
        """Archiving takes the chat out of its folder."""
        row = self._mine(caller, key)
        left: Row = {"folder_id": None} if mark == "archived" and not row["archived"] else {}
        return self._state.amend("chats", row, **{mark: not row[mark]}, **left)

    def tag(self, caller: Row, key: str, body: object) -> Rows:
        row = self._mine(caller, key)
        name: str = parsed(body, {"name": str}, ("name",))["name"]
        tags = [*dict.fromkeys([*as_texts(row["meta"].get("tags")), name.replace(" ", "_").lower()])]
        self._state.amend("chats", row, meta={**row["meta"], "tags": tags})
        return [{"id": tag, "name": tag, "user_id": caller["id"], "meta": None} for tag in tags]

    def of_user(self, caller: Row, user_id: str, page: int) -> Rows:
        """Archived ones too. Neither models nor owner are told."""
        if not is_admin(caller):
            raise denied()
        rows = self._newest(row for row in self._state.rows("chats") if row["user_id"] == user_id)
        return [_listed(row) for row in rows[(page - 1) * PAGE : page * PAGE]]

    def of_caller(self, caller: Row, page: int) -> Rows:
        """Those outside folders and archive."""
        rows = [row for row in self._state.rows("chats") if row["user_id"] == caller["id"] and not row["archived"]]
        rows = self._newest(row for row in rows if not row["folder_id"] and not row["pinned"])
        return [_listed(row) for row in rows[(page - 1) * PAGE : page * PAGE]]

    def all(self, caller: Row) -> Rows:
        if not is_admin(caller):
            raise denied()
        return self._newest(self._state.rows("chats"))

    def of_model(self, caller: Row, model_id: str, since: int, skip: int, limit: int) -> Row:
        """By the model that messages name, not the chat. The title goes by the name of the first message."""
        rows = [row for row in self.all(caller) if _has_answer(row, model_id, since)]
        listed = [{"chat_id": row["id"], "first_message": row["title"], **self._counted(row)} for row in rows]
        return {"chats": listed[skip : skip + limit], "total": len(rows)}

    def in_folder(self, caller: Row, folder_id: str) -> Rows:
        """The caller's own in it, in full."""
        rows = (row for row in self._state.rows("chats") if row["folder_id"] == folder_id)
        return self._newest(row for row in rows if row["user_id"] == caller["id"])

    def listed_in_folder(self, caller: Row, folder_id: str, page: int) -> Rows:
        rows = self.in_folder(caller, folder_id)
        return [_listed(row) for row in rows[(page - 1) * FOLDER_PAGE : page * FOLDER_PAGE]]

    def shared_in_folder(self, caller: Row, folder_id: str, page: int | None) -> Row:
        folder = self._folders.listable(caller, folder_id)
        rows = self._newest(row for row in self._state.rows("chats") if row["folder_id"] == folder_id)
        shown = rows[:PAGE] if page is None else rows[(page - 1) * FOLDER_PAGE : page * FOLDER_PAGE]
        permission = "write" if self._folders.may(caller, folder, "write") else "read"
        answer: Row = {"chats": [self._shared(row, caller) for row in shown], "folder_permission": permission}
        more: Row = {"total": len(rows), "has_more": (page or 1) * FOLDER_PAGE < len(rows)}
        return answer if page is None else answer | more

    def complete(self, caller: Row, body: object) -> Row:
        """The model's answer is always the same; what matters is who is refused."""
        sent = parsed(body, {"model": str, "messages": list, "chat_id": str}, ("model",))
        self._models.check_usable(caller, sent["model"])
        row = self._state.find("chats", sent.get("chat_id") or "")
        if sent.get("chat_id") and (row is None or row["user_id"] != caller["id"]):
            raise not_found()
        said: Row = {"index": 0, "message": {"role": "assistant", "content": "Noted."}, "finish_reason": "stop"}
        return {"id": "chatcmpl-embedded", "object": "chat.completion", "model": sent["model"], "choices": [said]}

    def _may_read(self, caller: Row, row: Row) -> bool:
        if is_admin(caller) or row["user_id"] == caller["id"]:
            return True
        folder = self._state.find("folders", row["folder_id"] or "")
        return folder is not None and self._folders.may(caller, folder, "read")

    def _own(self, caller: Row, key: str) -> Row:
        row = self._state.find("chats", key)
        if row is None or row["user_id"] != caller["id"]:
            raise denied()
        return row

    def _mine(self, caller: Row, key: str) -> Row:
        row = self._state.find("chats", key)
        if row is None or row["user_id"] != caller["id"]:
            raise Refused(401, WRONG)
        return row

    def _own_folder(self, caller: Row, folder_id: str) -> None:
        """To put a chat into a folder takes owning it, or write access: being an administrator is not enough."""
        folder = self._state.find("folders", folder_id)
        if folder is None or not self._folders.may({**caller, "role": "user"}, folder, "write"):
            raise not_found()

    def _newest(self, rows: Iterable[Row]) -> Rows:
        return sorted(rows, key=lambda row: row["updated_at"], reverse=True)

    def _counted(self, row: Row) -> Row:
        user = self._state.find("users", row["user_id"])
        name = user["name"] if user else None
        return {"user_id": row["user_id"], "user_name": name, "updated_at": row["updated_at"]}

    def _shared(self, row: Row, caller: Row) -> Row:
        owner = self._state.find("users", row["user_id"])
        name = owner["name"] if owner else "Unknown"
        who: Row = {
            "user_id": row["user_id"],
            "owner_name": name,
            "participants": [{"id": row["user_id"], "name": name}],
        }
        shown = {each: row[each] for each in _LISTED}
        return {**shown, **who, "active": False, "readonly": row["user_id"] != caller["id"]}


def _has_answer(row: Row, model_id: str, since: int) -> bool:
    messages = as_row(as_row(row["chat"].get("history")).get("messages")).values()
    answers = (each for each in map(as_row, messages) if each.get("model") == model_id)
    return any((each.get("timestamp") or row["updated_at"]) >= since for each in answers)


def _listed(row: Row) -> Row:
    shown = {name: row[name] for name in (*_LISTED, "archived")}
    return {**shown, "last_read_at": row["updated_at"], "snippet": None, "active": False}


def _signed(chat: Row, caller: Row) -> Row:
    """The server writes onto every message who wrote it."""
    history = as_row(chat.get("history"))
    messages = {key: as_row(each) for key, each in as_row(history.get("messages")).items()}
    if not messages:
        return chat
    signed = {key: {**each, "user_id": caller["id"]} for key, each in messages.items()}
    return {**chat, "history": {**history, "messages": signed}}


def _linked(chat: Row) -> Row:
    """Every message is a child of its parent, whatever was sent."""
    history = as_row(chat.get("history"))
    messages = {key: as_row(each) for key, each in as_row(history.get("messages")).items()}
    for key, message in [*messages.items()]:
        parent = messages.get(message.get("parentId") or "")
        if parent is not None and key not in as_texts(parent.get("childrenIds")):
            children = [*as_texts(parent.get("childrenIds")), key]
            messages[message["parentId"]] = {**parent, "childrenIds": children}
    return {**chat, "history": {**history, "messages": messages}} if messages else chat
