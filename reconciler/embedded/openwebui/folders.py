"""Folders, and who may look into them."""

from reconciler.embedded.openwebui.access import Access, is_admin
from reconciler.embedded.openwebui.fields import as_row, parsed
from reconciler.embedded.openwebui.state import Refused, Row, Rows, State, denied, not_found

_FOLDER = {"name": str, "parent_id": str, "data": dict, "meta": dict}
Ids = list[str]
_LISTED = ("id", "name", "parent_id", "is_expanded", "created_at", "updated_at")


class Folders:
    def __init__(self, state: State, access: Access) -> None:
        self._state = state
        self._access = access

    def create(self, caller: Row, body: object) -> Row:
        sent = parsed(body, _FOLDER, ("name",))
        parent_id = sent.get("parent_id")
        parent = self._state.find("folders", parent_id) if parent_id else None
        if parent is not None and not self.may(caller, parent, "write"):
            raise denied(403)
        owner = parent["user_id"] if parent else caller["id"]
        self._refuse_twin(owner, parent_id, sent["name"])
        now = self._state.seconds()
        row: Row = {
            "id": self._state.new_id(),
            "parent_id": parent_id,
            "user_id": owner,
            "name": sent["name"],
            "items": None,
            "meta": sent.get("meta"),
            "data": sent.get("data"),
            "is_expanded": False,
            "created_at": now,
            "updated_at": now,
            "access_grants": [],
        }
        told = {"name": row["name"], "parent_id": parent_id, "owner_id": owner}
        self._state.tell("folder.created", caller, ("folder", row["id"]), **told)
        return _bare(self._state.put("folders", row))

    def list(self, caller: Row) -> Rows:
        """The caller's own; of the meta only the icon."""
        rows = [row for row in self._state.rows("folders") if row["user_id"] == caller["id"]]
        return [{**{name: row[name] for name in _LISTED}, "meta": _icon(row), "unread_count": 0} for row in rows]

    def shared(self, caller: Row) -> Rows:
        """Those of others that the caller was granted, and their subfolders; and one's own that others were."""
        found: Rows = []
        for row in self._state.rows("folders"):
            is_own = row["user_id"] == caller["id"]
            if (is_own and row["access_grants"]) or (not is_own and self._granted(caller, row, "read")):
                permission = "write" if is_own or self._granted(caller, row, "write") else "read"
                found.append({**_bare(row), "owner_name": self._name_of(row), "permission": permission})
        return found

    def get(self, caller: Row, key: str) -> Row:
        row = self.reachable(caller, key, "read")
        return {**row, "write_access": self.may(caller, row, "write")}

    def update(self, caller: Row, key: str, body: object) -> Row:
        """Data and meta merge."""
        row = self.reachable(caller, key, "write")
        sent = parsed(body, _FOLDER)
        if sent.get("name") not in (None, row["name"]):
            self._refuse_twin(row["user_id"], row["parent_id"], sent["name"])
        values: Row = {"name": sent.get("name") or row["name"]}
        for name in ("data", "meta"):
            if sent.get(name) is not None:
                values[name] = {**(row[name] or {}), **sent[name]}
        self._state.tell("folder.updated", caller, ("folder", key), name=values["name"])
        return _bare(self._state.amend("folders", row, **values, updated_at=self._state.seconds()))

    def update_access(self, caller: Row, key: str, body: object) -> Row:
        row = self._state.find("folders", key)
        if row is None:
            raise not_found()
        if not self._is_mine(caller, row):
            raise denied(403)
        sent = parsed(body, {"access_grants": list}, ("access_grants",))["access_grants"]
        self._access.refuse_sharing(caller, sent)
        access = self._access.made("folder", key, sent)
        self._state.tell("folder.access_updated", caller, ("folder", key), grant_count=len(access))
        return self._state.amend("folders", row, access_grants=access)

    def delete(self, caller: Row, key: str, with_chats: bool) -> bool:
        row = self._state.find("folders", key)
        if row is None:
            raise not_found()
        if not self._is_mine(caller, row):
            raise denied(403)
        gone = self._subtree(key)
        for chat in [each for each in self._state.rows("chats") if each["folder_id"] in gone]:
            if with_chats:
                self._state.drop("chats", chat["id"])
            else:
                self._state.amend("chats", chat, folder_id=None)
        for each in gone:
            self._state.drop("folders", each)
        self._state.tell("folder.deleted", caller, ("folder", key), folder_ids=gone, delete_contents=with_chats)
        return True

    def reachable(self, caller: Row, key: str, permission: str) -> Row:
        """Whoever may not is told that it is not there."""
        row = self._state.find("folders", key)
        if row is None or not self.may(caller, row, permission):
            raise not_found()
        return row

    def listable(self, caller: Row, key: str) -> Row:
        """To see its chats, unlike the folder itself, either permission will do."""
        row = self._state.find("folders", key)
        if row is None:
            raise not_found()
        if not (self.may(caller, row, "write") or self.may(caller, row, "read")):
            raise denied(403)
        return row

    def may(self, caller: Row, row: Row, permission: str) -> bool:
        return self._is_mine(caller, row) or self._granted(caller, row, permission)

    def _granted(self, caller: Row, row: Row, permission: str) -> bool:
        """By a grant of exactly this permission, on it or on a folder it lies in."""
        if self._access.is_granted(caller, row, permission):
            return True
        parent = self._state.find("folders", row["parent_id"] or "")
        return parent is not None and parent is not row and self._granted(caller, parent, permission)

    def _is_mine(self, caller: Row, row: Row) -> bool:
        return is_admin(caller) or row["user_id"] == caller["id"]

    def _subtree(self, key: str) -> Ids:
        children = [row["id"] for row in self._state.rows("folders") if row["parent_id"] == key]
        return [key, *(each for child in children for each in self._subtree(child))]

    def _refuse_twin(self, owner: str, parent_id: str | None, name: str) -> None:
        mark = (owner, parent_id, name.casefold())
        for row in self._state.rows("folders"):
            if (row["user_id"], row["parent_id"], row["name"].casefold()) == mark:
                raise Refused(400, "[ERROR: Folder already exists]")

    def _name_of(self, row: Row) -> str:
        owner = self._state.find("users", row["user_id"])
        return owner["name"] if owner else "Unknown"


def _icon(row: Row) -> Row:
    return {"icon": as_row(row["meta"]).get("icon")}


def _bare(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "access_grants"}
