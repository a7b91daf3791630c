"""Grants: who may read or write what. Write does not imply read, and an administrator needs none."""

from reconciler.embedded.openwebui.fields import as_rows
from reconciler.embedded.openwebui.state import Refused, Row, Rows, State


class Access:
    """Grants are kept on the row they are for."""

    def __init__(self, state: State) -> None:
        self._state = state

    def made(self, kind: str, key: str, sent: object) -> Rows:
        """As stored: malformed and double ones are dropped in silence; ids and times are new at every write."""
        kept: dict[tuple[str, str, str], Row] = {}
        for each in as_rows(sent):
            mark = (each.get("principal_type"), each.get("principal_id"), each.get("permission"))
            if mark[0] in ("user", "group") and isinstance(mark[1], str) and mark[2] in ("read", "write"):
                kept.setdefault((mark[0], mark[1], mark[2]), self._grant(kind, key, mark[0], mark[1], mark[2]))
        return [*kept.values()]

    def _grant(self, kind: str, key: str, principal_type: str, principal_id: str, permission: str) -> Row:
        return {
            "id": self._state.new_id(),
            "resource_type": kind,
            "resource_id": key,
            "principal_type": principal_type,
            "principal_id": principal_id,
            "permission": permission,
            "created_at": self._state.seconds(),
        }

    def groups_of(self, user_id: str) -> frozenset[str]:
        groups = self._state.tables["groups"].values()
        return frozenset(group["id"] for group in groups if user_id in group["user_ids"])

    def is_granted(self, caller: Row, row: Row, permission: str) -> bool:
        """By a grant of exactly this permission: to the caller, to everybody, or to a group of theirs."""
        grants = [each for each in row["access_grants"] if each["permission"] == permission]
        users = {each["principal_id"] for each in grants if each["principal_type"] == "user"}
        groups = {each["principal_id"] for each in grants if each["principal_type"] == "group"}
        return bool(users & {caller["id"], "*"}) or bool(groups and groups & self.groups_of(caller["id"]))

    def may(self, caller: Row, row: Row, permission: str) -> bool:
        return is_admin(caller) or row["user_id"] == caller["id"] or self.is_granted(caller, row, permission)

    def refuse_sharing(self, caller: Row, sent: object) -> None:
        """By default, users may not share with others at all."""
        if not is_admin(caller) and any(each.get("principal_id") != caller["id"] for each in as_rows(sent)):
            raise Refused(403, "You do not have permission to share with the requested audience")


def is_admin(caller: Row) -> bool:
    return caller["role"] == "admin"
