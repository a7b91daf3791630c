"""Notes. Times are in nanoseconds here, and only here."""

from typing import Any

from reconciler.embedded.openwebui.access import Access, is_admin
from reconciler.embedded.openwebui.fields import as_row, parsed
from reconciler.embedded.openwebui.markdown import opened
from reconciler.embedded.openwebui.people import as_owner
from reconciler.embedded.openwebui.state import WRONG, Refused, Row, Rows, State, not_found

PAGE = 60
PREVIEW = 1000
_NOTE = {"title": str, "data": dict, "meta": dict}
_ORDERS = {"name": "title", "created_at": "created_at", "updated_at": "updated_at"}


class Notes:
    def __init__(self, state: State, access: Access) -> None:
        self._state = state
        self._access = access

    def create(self, caller: Row, body: object) -> Row:
        sent = parsed(body, {**_NOTE, "access_grants": list}, ("title",))
        key, now = self._state.new_id(), self._state.now()
        access = self._access.made("note", key, sent.get("access_grants")) if is_admin(caller) else []
        row: Row = {
            "id": key,
            "user_id": caller["id"],
            "title": sent["title"],
            "data": _sanitized(sent.get("data")) or {},
            "meta": sent.get("meta"),
            "is_pinned": False,
            "access_grants": access,
            "created_at": now,
            "updated_at": now,
        }
        self._state.tell("note.created", caller, ("note", key), title=row["title"])
        return self._state.put("notes", row)

    def get(self, caller: Row, key: str) -> Row:
        row = self._reachable(caller, key, "read")
        return {**row, "write_access": self._access.may(caller, row, "write")}

    def update(self, caller: Row, key: str, body: object) -> Row:
        """Data and meta merge at their top level; an equal update moves no time, and is told all the same."""
        row = self._reachable(caller, key, "write")
        changed = self._merged(row, parsed(body, _NOTE))
        self._state.tell("note.updated", caller, ("note", key), title=changed["title"])
        return changed

    def update_access(self, caller: Row, key: str, body: object) -> Row:
        """Replaces all grants and moves no time."""
        row = self._reachable(caller, key, "write")
        sent = parsed(body, {"access_grants": list}, ("access_grants",))["access_grants"]
        self._access.refuse_sharing(caller, sent)
        self._state.tell("note.access_updated", caller, ("note", key))
        return self._state.amend("notes", row, access_grants=self._access.made("note", key, sent))

    def delete(self, caller: Row, key: str) -> bool:
        self._reachable(caller, key, "write")
        self._state.drop("notes", key)
        self._state.tell("note.deleted", caller, ("note", key))
        return True

    def list(self, caller: Row, page: int | None) -> Rows:
        """The caller's own and what they were granted, also for an administrator; without meta, owner id, grants."""
        mine = [row for row in self._state.rows("notes") if self._is_mine(caller, row)]
        rows = sorted(mine, key=lambda row: row["updated_at"], reverse=True)
        rows = rows if page is None else rows[(page - 1) * PAGE : page * PAGE]
        names = ("id", "title", "is_pinned", "updated_at", "created_at")
        return [
            {**{name: row[name] for name in names}, "data": _preview(row["data"]), "user": owner}
            for row in rows
            if (owner := self._owner(row)) is not None
        ]

    def search(self, caller: Row, query: dict[str, str]) -> Row:
        """Every note to an administrator; to others what they may write, unless they ask for what they may read."""
        permission = query.get("permission", "write")
        rows = [row for row in self._state.rows("notes") if self._is_found(caller, row, permission)]
        rows = [row for row in rows if _matches(row, query.get("query", "")) and _is_viewed(caller, row, query)]
        column = _ORDERS.get(query.get("order_by", ""), "updated_at")
        rows.sort(key=lambda row: row[column], reverse=query.get("direction") != "asc")
        page = max(1, int(query.get("page", "1")))
        shown = rows[(page - 1) * PAGE : page * PAGE]
        items = [{**row, "data": _preview(row["data"]), "user": self._owner(row)} for row in shown]
        return {"items": items, "total": len(rows)}

    def open(self, caller: Row, key: str) -> Row:
        """What a browser does to a note that is merely looked at. Nobody is told."""
        row = self._reachable(caller, key, "write")
        return self._typed(row, opened(_md(row["data"])))

    def type(self, caller: Row, key: str, md: str) -> Row:
        """An edit in the browser: saved through a socket, so nobody is told."""
        return self._typed(self._reachable(caller, key, "write"), md)

    def _typed(self, row: Row, md: str) -> Row:
        content: Row = {"md": md, "html": f"<pre>{len(md)}</pre>", "json": {"type": "doc", "content": []}}
        return self._merged(row, {"data": {"content": content}})

    def _merged(self, row: Row, sent: Row) -> Row:
        merged: Row = {name: value for name, value in sent.items() if name == "title" and value is not None}
        if "data" in sent:
            merged["data"] = {**row["data"], **(_sanitized(sent["data"]) or {})}
        if "meta" in sent:
            merged["meta"] = {**(row["meta"] or {}), **(sent["meta"] or {})}
        if all(row[name] == value for name, value in merged.items()):
            return row
        return self._state.amend("notes", row, **merged, updated_at=self._state.now())

    def _reachable(self, caller: Row, key: str, permission: str) -> Row:
        row = self._state.find("notes", key)
        if row is None:
            raise not_found()
        if not self._access.may(caller, row, permission):
            raise Refused(403, WRONG)
        return row

    def _is_mine(self, caller: Row, row: Row) -> bool:
        return row["user_id"] == caller["id"] or self._access.is_granted(caller, row, "read")

    def _is_found(self, caller: Row, row: Row, permission: str) -> bool:
        if is_admin(caller) or row["user_id"] == caller["id"]:
            return True
        return self._access.is_granted(caller, row, permission)

    def _owner(self, row: Row) -> Row | None:
        user = self._state.find("users", row["user_id"])
        return as_owner(user) if user else None


def _sanitized(content: Any) -> Row | None:
    """Markdown is always text: a number is written out."""
    if content is None:
        return None
    told = as_row(content)
    inner = as_row(told.get("content"))
    if "md" not in inner or isinstance(inner["md"], str):
        return told
    return {**told, "content": {**inner, "md": "" if inner["md"] is None else str(inner["md"])}}


def _md(content: Row) -> str:
    return str(as_row(content.get("content")).get("md") or "")


def _preview(content: Row) -> Row:
    return {"content": {"md": _md(content)[:PREVIEW]}} if content else content


def _matches(row: Row, query: str) -> bool:
    """Every word, in title or text; hyphens and spaces do not count."""
    haystacks = [text.replace("-", "").replace(" ", "").casefold() for text in (row["title"], _md(row["data"]))]
    words = [word.replace("-", "").casefold() for word in query.split()]
    return all(any(word in text for text in haystacks) for word in words)


def _is_viewed(caller: Row, row: Row, query: dict[str, str]) -> bool:
    match query.get("view_option"):
        case "created":
            return row["user_id"] == caller["id"]
        case "shared":
            return row["user_id"] != caller["id"]
        case _:
            return True
