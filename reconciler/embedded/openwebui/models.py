"""Workspace models and their history.

Every change of name, base, params or meta is a version with its author and words; an equal update, hiding, access
and switching off are none. There is no compare-and-set: a version sent along is ignored.
"""

from reconciler.embedded.openwebui.access import Access, is_admin
from reconciler.embedded.openwebui.fields import parsed
from reconciler.embedded.openwebui.state import DENIED, Refused, Row, Rows, State, denied, not_found

BASE_MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1")
"""What the provider offers: no row of the table, until somebody grants access to one."""

PAGE = 30
VERSIONS_PAGE = 20
_MODEL = {
    "id": str,
    "name": str,
    "base_model_id": str,
    "meta": dict,
    "params": dict,
    "is_active": bool,
    "access_grants": list,
    "commit_message": str,
}
_REQUIRED = ("id", "name", "meta", "params")
# The server adds these; of the first three, what is not sent stays as it was.
_KEPT = ("profile_image_url", "background_image_url", "voice_avatar")
_META: Row = dict.fromkeys((*_KEPT, "description", "i18n", "capabilities", "knowledge", "voice"))


class Models:
    def __init__(self, state: State, access: Access) -> None:
        self._state = state
        self._access = access
        self._listed: frozenset[str] | None = None

    def create(self, caller: Row, body: object) -> Row:
        sent = _parsed(body)
        if not is_admin(caller):
            raise denied()
        if self._state.find("models", sent["id"]) is not None:
            raise Refused(401, "Uh-oh! This model id is already registered. Please choose another model id string.")
        return self._made(caller, sent)

    def get(self, caller: Row, key: str) -> Row:
        """A reader sees no params."""
        row = self._state.find("models", key)
        if row is None:
            raise not_found()
        if not self._access.may(caller, row, "read"):
            raise denied(401)
        may_write = self._access.may(caller, row, "write")
        return {**row, "params": row["params"] if may_write else {}, "user": None, "write_access": may_write}

    def all(self, caller: Row) -> Rows:
        if not is_admin(caller):
            raise denied()
        return self._state.rows("models")

    def base(self, caller: Row) -> Rows:
        return [row for row in self.all(caller) if row["base_model_id"] is None]

    def list(self, caller: Row, page: int) -> Row:
        rows = [row for row in self._state.rows("models") if row["base_model_id"] is not None]
        rows = [row for row in rows if self._access.may(caller, row, "read")]
        return {"items": rows[(page - 1) * PAGE : page * PAGE], "total": len(rows)}

    def update(self, caller: Row, body: object) -> Row:
        """Params and meta are replaced whole; grants are ignored."""
        sent = _parsed(body)
        row = self._writable(caller, sent["id"], 400)
        kept = {name: row["meta"].get(name) for name in _KEPT}
        values: Row = {name: sent.get(name, row[name]) for name in ("name", "base_model_id", "params", "is_active")}
        values["meta"] = {**_META, **kept, **sent["meta"]}
        if _content(values) != _content(row):
            values["version_id"] = self._version({**row, **values}, caller, sent.get("commit_message"), row)
        self._state.tell("model.updated", caller, ("model", row["id"]), name=values["name"])
        return self._state.amend("models", row, **values, updated_at=self._state.seconds())

    def update_access(self, caller: Row, body: object) -> Row:
        """For a base model that has no row yet, one is made."""
        sent = parsed(body, {"id": str, "name": str, "access_grants": list}, ("id", "access_grants"))
        key = sent["id"]
        if self._state.find("models", key) is None:
            if not is_admin(caller):
                raise Refused(403, DENIED)
            self._made(caller, {"id": key, "name": sent.get("name") or key, "meta": {}, "params": {}})
        row = self._writable(caller, key, 400)
        self._access.refuse_sharing(caller, sent["access_grants"])
        access = self._access.made("model", key, sent["access_grants"])
        self._state.tell("model.access_updated", caller, ("model", key))
        return self._state.amend("models", row, access_grants=access, updated_at=self._state.seconds())

    def open_bases(self, admin: Row) -> None:
        """Everybody may use what the provider offers."""
        everybody = {"principal_type": "user", "principal_id": "*", "permission": "read"}
        for base in sorted(BASE_MODELS):
            self.update_access(admin, {"id": base, "name": base, "access_grants": [everybody]})

    def toggle(self, caller: Row, key: str) -> Row:
        row = self._writable(caller, key, 401)
        is_active = not row["is_active"]
        told = "model.enabled" if is_active else "model.disabled"
        self._state.tell(told, caller, ("model", key), name=row["name"])
        return self._state.amend("models", row, is_active=is_active, updated_at=self._state.seconds())

    def delete(self, caller: Row, body: object) -> bool:
        """The history goes with it."""
        key = parsed(body, {"id": str}, ("id",))["id"]
        row = self._writable(caller, key, 401)
        for version in [each for each in self._state.rows("versions") if each["model_id"] == key]:
            self._state.drop("versions", version["id"])
        self._state.drop("models", key)
        self._state.tell("model.deleted", caller, ("model", key), name=row["name"])
        return True

    def history(self, caller: Row, key: str, page: int) -> Rows:
        """Newest second first, and within a second in the order of their ids, which tells nothing."""
        self._readable_history(caller, key)
        rows = [each for each in self._state.rows("versions") if each["model_id"] == key]
        rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
        return [self._version_shown(row) for row in rows[(page - 1) * VERSIONS_PAGE : page * VERSIONS_PAGE]]

    def version(self, caller: Row, key: str, version_id: str) -> Row:
        self._readable_history(caller, key)
        row = self._state.find("versions", version_id)
        if row is None or row["model_id"] != key:
            raise not_found()
        return {**self._version_shown(row), "snapshot": row["snapshot"]}

    def set_version(self, caller: Row, key: str, body: object) -> Row:
        """Back to an earlier version, which then is the current one: no new one is made, and hiding stays."""
        row = self._readable_history(caller, key)
        version = self.version(caller, key, parsed(body, {"version_id": str}, ("version_id",))["version_id"])
        snapshot: Row = version["snapshot"]
        hidden: Row = {"hidden": row["meta"]["hidden"]} if "hidden" in row["meta"] else {}
        values: Row = {**snapshot, "meta": {**snapshot["meta"], **hidden}, "version_id": version["id"]}
        self._state.tell("model.updated", caller, ("model", key), name=values["name"], version_id=version["id"])
        return self._state.amend("models", row, **values, updated_at=self._state.seconds())

    def offered(self, caller: Row) -> Row:
        """What the caller may choose from. Asking renews what completions know."""
        rows = self._state.tables["models"]
        known = {*BASE_MODELS, *(key for key, row in rows.items() if self._is_live(row))}
        self._listed = frozenset(known)
        return {"data": [_offer(key, rows.get(key)) for key in sorted(known) if self._may_use(caller, key)]}

    def check_usable(self, caller: Row, key: str) -> None:
        """A preset needs access to its base as well."""
        if self._listed is None:
            self.offered(caller)
        row = self._state.find("models", key)
        base: str | None = row["base_model_id"] if row else None
        known = self._listed or frozenset[str]()
        if key not in known or not self._may_use(caller, key) or (base and not self._may_use(caller, base)):
            raise Refused(400, "Model not found")

    def _may_use(self, caller: Row, key: str) -> bool:
        row = self._state.find("models", key)
        if row is not None and not row["is_active"]:
            return False
        return is_admin(caller) or (row is not None and self._access.may(caller, row, "read"))

    def _is_live(self, row: Row) -> bool:
        return row["is_active"] and (row["base_model_id"] is not None or row["id"] in BASE_MODELS)

    def _made(self, caller: Row, sent: Row) -> Row:
        now = self._state.seconds()
        row: Row = {
            "id": sent["id"],
            "user_id": caller["id"],
            "base_model_id": sent.get("base_model_id"),
            "name": sent["name"],
            "params": sent["params"],
            "meta": {**_META, **sent["meta"]},
            "access_grants": self._access.made("model", sent["id"], sent.get("access_grants")),
            "is_active": sent.get("is_active", True),
            "updated_at": now,
            "created_at": now,
        }
        version_id = self._version(row, caller, sent.get("commit_message"), None)
        self._state.tell("model.created", caller, ("model", row["id"]), name=row["name"])
        return self._state.put("models", {"version_id": version_id, **row})

    def _version(self, row: Row, caller: Row, words: str | None, parent: Row | None) -> str:
        version: Row = {
            "id": self._state.new_id(),
            "model_id": row["id"],
            "parent_id": parent["version_id"] if parent else None,
            "user_id": caller["id"],
            "commit_message": words,
            "created_at": self._state.seconds(),
            "snapshot": _content(row),
        }
        return self._state.put("versions", version)["id"]

    def _version_shown(self, row: Row) -> Row:
        author = self._state.find("users", row["user_id"])
        shown = {name: value for name, value in row.items() if name != "snapshot"}
        return {**shown, "user": {"name": author["name"]} if author else None}

    def _writable(self, caller: Row, key: str, refusal: int) -> Row:
        row = self._state.find("models", key)
        if row is None:
            raise not_found(401)
        if not self._access.may(caller, row, "write"):
            raise denied(refusal)
        return row

    def _readable_history(self, caller: Row, key: str) -> Row:
        row = self._state.find("models", key)
        if row is None:
            raise not_found()
        if not self._access.may(caller, row, "write"):
            raise denied(403)
        return row


def _parsed(body: object) -> Row:
    sent = parsed(body, _MODEL, _REQUIRED)
    if not sent["id"] or any(char.isspace() for char in sent["id"]):
        raise Refused(422, "String should match pattern '^\\S+$': id")
    return sent


def _content(row: Row) -> Row:
    """What a version holds: not whether the model is hidden."""
    meta = {name: value for name, value in row["meta"].items() if name != "hidden"}
    return {"name": row["name"], "base_model_id": row["base_model_id"], "params": row["params"], "meta": meta}


def _offer(key: str, row: Row | None) -> Row:
    head: Row = {"id": key, "name": row["name"] if row else key, "object": "model", "owned_by": "openai"}
    if row is None:
        return {**head, "tags": [], "actions": [], "filters": []}
    preset: Row = {"preset": True} if row["base_model_id"] else {}
    return {**head, **preset, "info": {**row, "params": {}}, "tags": [], "actions": [], "filters": []}
