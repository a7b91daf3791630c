"""Who may read or write a thing, as sorted texts: ``user:<id>:write``, ``group:<id>:read``.

For Open WebUI 0.12.4 to write does not include to read: who may only write is refused the note altogether. Here
``write`` means both, always; one without the other is shown as ``write-only``, which nobody can want.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.value import Value
from reconciler.remotes.openwebui.wire import Json, rows, strings, text

PRINCIPALS = ("user", "group", "anyone")
PERMISSIONS = ("read", "write")


def access_shown(row: Json) -> tuple[str, ...]:
    """The grants of a row, one for each user and group."""
    found: dict[str, set[str]] = {}
    for each in rows(row.get("access_grants")):
        who = f"{text(each, 'principal_type')}:{text(each, 'principal_id')}"
        found.setdefault(who, set()).add(text(each, "permission"))
    return tuple(sorted(f"{who}:{_shown(permissions)}" for who, permissions in found.items()))


def access_sent(access: Value | None) -> list[dict[str, str]]:
    """The grants as the server takes them. What it would drop in silence is a ValueError here."""
    return [grant for each in strings(access) for grant in _grants(each)]


def writers(access: Sequence[str]) -> tuple[list[str], bool]:
    """Ids of the users that may write, and whether a group or everybody may, too."""
    writing = [each.split(":") for each in access if each.endswith((":write", ":write-only"))]
    users = [parts[1] for parts in writing if parts[0] == "user" and parts[1] != "*"]
    return users, len(users) < len(writing)


def _shown(permissions: set[str]) -> str:
    if "write" not in permissions:
        return "read"
    return "write" if "read" in permissions else "write-only"


def _grants(each: str) -> list[dict[str, str]]:
    kind, _, rest = each.partition(":")
    principal, _, permission = rest.rpartition(":")
    if kind not in PRINCIPALS or permission not in PERMISSIONS or not principal:
        raise ValueError(f"{each!r} is no access: write user:<id>:write or group:<id>:read")
    sent = PERMISSIONS if permission == "write" else (permission,)
    return [{"principal_type": kind, "principal_id": principal, "permission": one} for one in sent]
