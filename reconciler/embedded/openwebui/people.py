"""Accounts, their keys and tokens, and groups. The first account is the service account, an administrator."""

import hmac

from reconciler.embedded.openwebui.access import is_admin
from reconciler.embedded.openwebui.fields import as_texts, parsed, parsed_row
from reconciler.embedded.openwebui.state import Refused, Row, Rows, State, denied, not_found

ADMIN_EMAIL = "service@example.org"
ADMIN_NAME = "Service Account"
PAGE = 30
_ACCOUNT = {"name": str, "email": str, "password": str, "role": str, "profile_image_url": str}
_GROUP = {"name": str, "description": str, "permissions": dict, "meta": dict, "data": dict}
_SECRET = ("api_key", "token", "password")
_FLAT = ("id", "name", "email", "role", "bio", "last_active_at", "timezone")
_EMPTY: Row = {
    "username": None,
    "profile_banner_image_url": None,
    "bio": None,
    "gender": None,
    "date_of_birth": None,
    "timezone": None,
    "presence_state": None,
    "status_emoji": None,
    "status_message": None,
    "status_expires_at": None,
    "info": None,
    "settings": None,
    "oauth": None,
    "scim": None,
}


class People:
    def __init__(self, state: State) -> None:
        self._state = state

    def ensure_admin(self, password: str, api_key: str = "") -> Row:
        """The service account, made with its key where nobody is there yet."""
        there = next((user for user in self._state.rows("users") if is_admin(user)), None)
        body = {"name": ADMIN_NAME, "email": ADMIN_EMAIL, "password": password, "role": "admin"}
        admin = there or self._made(body)
        return self._state.amend("users", admin, api_key=api_key) if api_key else admin

    def caller(self, bearer: str) -> Row:
        """Whose key or token it is."""
        if not bearer:
            raise denied()
        found = [user for user in self._state.rows("users") if _holds(user, bearer)]
        if not found:
            known = bearer.startswith("sk-")
            said = "Your session has expired or the token is invalid. Please sign in again."
            raise Refused(401, said if known else "401 Unauthorized")
        if found[0]["role"] not in ("user", "admin"):
            raise denied()
        return found[0]

    def sign_in(self, body: object) -> Row:
        sent = parsed(body, _ACCOUNT, ("email", "password"))
        for user in self._state.rows("users"):
            if user["email"] == sent["email"].lower() and is_same(user["password"], sent["password"]):
                return _session(user)
        raise Refused(400, "The email or password provided is incorrect.")

    def session(self, caller: Row, is_key: bool) -> Row:
        if is_key:
            raise Refused(403, "A human session is required.")
        return _session(caller)

    def new_key(self, caller: Row) -> Row:
        """A new key replaces the old."""
        key = f"sk-{self._state.new_id().replace('-', '')}"
        self._state.amend("users", caller, api_key=key)
        return {"api_key": key}

    def add(self, caller: Row, body: object) -> Row:
        _only_admin(caller)
        sent = parsed(body, _ACCOUNT, ("name", "email", "password"))
        if any(user["email"] == sent["email"].lower() for user in self._state.rows("users")):
            raise Refused(400, "Uh-oh! This email is already registered.")
        made = self._made(sent)
        self._state.tell("user.created", caller, ("user", made["id"]), role=made["role"])
        return _session(made)

    def all(self, caller: Row) -> Row:
        """`groups` stays empty here, whoever is in one."""
        _only_admin(caller)
        rows = sorted(self._state.rows("users"), key=lambda user: user["name"].casefold())
        status: Row = {"groups": [], "status_emoji": None, "status_message": None, "status_expires_at": None}
        listed = [{**status, **{name: user[name] for name in _FLAT}, "is_active": False} for user in rows]
        return {"users": listed, "total": len(listed)}

    def page(self, caller: Row, number: int, query: str) -> Row:
        _only_admin(caller)
        text = query.casefold()
        found = [user for user in self._state.rows("users") if text in f"{user['name']} {user['email']}".casefold()]
        shown = [{**_shown(user), "group_ids": self._groups_of(user["id"])} for user in found]
        return {"users": shown[(number - 1) * PAGE : number * PAGE], "total": len(found)}

    def get(self, caller: Row, user_id: str) -> Row:
        _only_admin(caller)
        user = self._state.find("users", user_id)
        if user is None:
            raise not_found(400)
        return {**_shown(user), "groups": [], "is_active": False}

    def me(self, caller: Row) -> Row:
        return _shown(caller)

    def tell_of_me(self, caller: Row, body: object) -> Row:
        """What an account says of itself: merged, and nobody else's business."""
        info: Row = {**(caller["info"] or {}), **parsed_row(body)}
        return self._state.amend("users", caller, info=info)["info"]

    def update(self, caller: Row, user_id: str, body: object) -> Row:
        _only_admin(caller)
        sent = parsed(body, _ACCOUNT, ("role", "name", "email", "profile_image_url"))
        user = self._state.find("users", user_id)
        if user is None:
            raise not_found(400)
        self._state.tell("user.updated", caller, ("user", user_id))
        return _shown(self._state.amend("users", user, **{**sent, "email": sent["email"].lower()}))

    def delete(self, caller: Row, user_id: str) -> bool:
        """Grants that name the account stay, and its notes too."""
        _only_admin(caller)
        if self._state.find("users", user_id) is not None:
            self._state.drop("users", user_id)
            for group in [each for each in self._state.rows("groups") if user_id in each["user_ids"]]:
                kept = [each for each in group["user_ids"] if each != user_id]
                self._state.amend("groups", group, user_ids=kept)
            self._state.tell("user.deleted", caller, ("user", user_id))
        return True

    def groups(self, caller: Row) -> Rows:
        rows = self._state.rows("groups")
        return [_group(row) for row in rows if is_admin(caller) or caller["id"] in row["user_ids"]]

    def add_group(self, caller: Row, body: object) -> Row:
        """Names need not differ."""
        _only_admin(caller)
        sent = parsed(body, _GROUP, ("name",))
        now = self._state.seconds()
        base: Row = {"parent_group_id": None, "id": self._state.new_id(), "user_id": caller["id"], "description": ""}
        rest: Row = {"data": {"config": {"share": "members"}}, "meta": None, "permissions": None}
        made = self._state.put("groups", {**base, **rest, **sent, "user_ids": [], "created_at": now, "updated_at": now})
        self._state.tell("group.created", caller, ("group", made["id"]), name=made["name"])
        return _group(made)

    def group(self, caller: Row, key: str) -> Row:
        return _group(self._group(caller, key))

    def export_group(self, caller: Row, key: str) -> Row:
        row = self._group(caller, key)
        return {**_group(row), "user_ids": row["user_ids"]}

    def members(self, caller: Row, key: str) -> Rows:
        """Of an unknown group: nobody."""
        _only_admin(caller)
        group = self._state.find("groups", key) or {"user_ids": []}
        return [user for user in self.all(caller)["users"] if user["id"] in group["user_ids"]]

    def update_group(self, caller: Row, key: str, body: object) -> Row:
        row = self._group(caller, key)
        sent = parsed(body, _GROUP, ("name",))
        self._state.tell("group.updated", caller, ("group", key), name=sent["name"])
        return _group(self._state.amend("groups", row, **sent, updated_at=self._state.seconds()))

    def change_members(self, caller: Row, key: str, verb: str, body: object) -> Row:
        row = self._group(caller, key, "Group not found.")
        named = as_texts(parsed(body, {"user_ids": list}).get("user_ids"))
        if verb == "add":
            known = self._state.tables["users"]
            members = [*dict.fromkeys([*row["user_ids"], *(each for each in named if each in known)])]
        else:
            members = [each for each in row["user_ids"] if each not in named]
        done = "added" if verb == "add" else "removed"
        self._state.tell(f"group.member_{done}", caller, ("group", key), user_ids=named)
        return _group(self._state.amend("groups", row, user_ids=members, updated_at=self._state.seconds()))

    def delete_group(self, caller: Row, key: str) -> bool:
        self._group(caller, key)
        self._state.drop("groups", key)
        self._state.tell("group.deleted", caller, ("group", key))
        return True

    def _group(self, caller: Row, key: str, said: str | None = None) -> Row:
        _only_admin(caller)
        row = self._state.find("groups", key)
        if row is None:
            raise Refused(404, said) if said else not_found()
        return row

    def _groups_of(self, user_id: str) -> list[str]:
        return [group["id"] for group in self._state.rows("groups") if user_id in group["user_ids"]]

    def _made(self, sent: Row) -> Row:
        now = self._state.seconds()
        times: Row = {"last_active_at": now, "updated_at": now, "created_at": now}
        secrets: Row = {"api_key": None, "token": f"ey{self._state.new_id()}.{self._state.new_id()}"}
        own: Row = {"id": self._state.new_id(), "role": "user", "profile_image_url": "/user.png"}
        row = {**_EMPTY, **own, **sent, **times, **secrets}
        return self._state.put("users", {**row, "email": row["email"].lower()})


def is_key(bearer: str) -> bool:
    return bearer.startswith("sk-")


def is_same(secret: str, given: str) -> bool:
    return hmac.compare_digest(secret.encode(), given.encode())


def as_owner(user: Row) -> Row:
    """How a listing names the owner of a note."""
    return {name: user[name] for name in ("id", "name", "role", "email")}


def _holds(user: Row, bearer: str) -> bool:
    return any(user[name] and is_same(user[name], bearer) for name in ("api_key", "token"))


def _only_admin(caller: Row) -> None:
    if not is_admin(caller):
        raise denied()


def _session(user: Row) -> Row:
    shown = {name: user[name] for name in ("id", "name", "role", "email", "profile_image_url")}
    return {**shown, "token": user["token"], "token_type": "Bearer"}


def _shown(user: Row) -> Row:
    return {name: value for name, value in user.items() if name not in _SECRET}


def _group(row: Row) -> Row:
    shown = {name: value for name, value in row.items() if name != "user_ids"}
    return {**shown, "member_count": len(row["user_ids"])}
