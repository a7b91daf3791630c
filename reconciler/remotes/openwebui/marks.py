"""How our things in Open WebUI are recognised: owned by the service account, and marked. Never by name or title.

Whoever may write to a note may also rewrite its meta (0.12.4), and so claim that their note is another learner's block.
So a note's mark is sealed: signed, over the note's own id too, with a secret that only the service account can read.
A model's id is chosen by us and cannot change, so it is the mark; its meta only tells workspaces apart.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.core.snapshot import Ref, Scope
from reconciler.manifest.names import NameRefused, check_name, check_user_id
from reconciler.remotes.openwebui.wire import Json, handle, number, table, text

MARK = "reconciler"
COURSES: Scope = "courses"
UNTOUCHED_NS = 50_000_000
"""A note is created with two readings of one clock: further apart, and somebody has written to it since."""


@dataclass(frozen=True)
class Identity:
    """Which of our things this is."""

    scope: Scope
    ref: Ref


@dataclass(frozen=True)
class Unclear:
    """It has our mark, and the mark cannot be believed."""

    reason: str


def check_identity(scope: Scope, ref: Ref) -> Identity:
    """Scope and ref where every part is on the allow-list; else `NameRefused`."""
    if scope != COURSES:
        owner, _, user = scope.partition("/")
        if owner != "user":
            raise NameRefused(f"{scope[:100]!r} is no scope: use courses or user/<id>")
        check_user_id(user)
    kind, *names = ref.split("/")
    if kind not in ("block", "model") or len(names) not in (1, 2) or (kind == "model" and scope != COURSES):
        raise NameRefused(f"{ref[:100]!r} is nothing that {scope[:100]} has in Open WebUI")
    for name in names:
        check_name(name, "name in a ref")
    return Identity(scope, ref)


# ---------------------------------------------------------------------- notes


def seal(secret: str, workspace: str, it: Identity, note: str) -> str:
    said = "\n".join((workspace, it.scope, it.ref, note))
    return hmac.new(secret.encode(), said.encode(), hashlib.sha256).hexdigest()


def mark_of(row: Json) -> Json:
    return table(table(row.get("meta")).get(MARK))


def note_identity(row: Json, workspace: str, owner: str, secret: str) -> Identity | Unclear | None:
    """Which of our blocks the note is; None where it is not ours."""
    mark = mark_of(row)
    if text(row, "user_id") != owner or not owner or text(mark, "workspace") != workspace:
        return None
    try:
        it = check_identity(text(mark, "scope"), text(mark, "ref"))
    except NameRefused as error:
        return Unclear(str(error))
    if it.ref.startswith("model/"):
        return Unclear("a note is no model")
    found = text(mark, "seal")
    if found:
        good = bool(secret) and hmac.compare_digest(found.encode(), seal(secret, workspace, it, handle(row)).encode())
        return it if good else Unclear("its mark was changed by somebody")
    return it if _is_untouched(row) else Unclear("its mark was never completed, or somebody has changed it")


def _is_untouched(row: Json) -> bool:
    return 0 <= number(row, "updated_at") - number(row, "created_at") < UNTOUCHED_NS


# ---------------------------------------------------------------------- models


def model_id(workspace: str, ref: Ref) -> str:
    """``reconciler-<8 of the workspace>-<course>``, and ``….<task>``: names hold no dot, so it reads back."""
    return _prefix(workspace) + ref.removeprefix("model/").replace("/", ".")


def model_identity(row: Json, workspace: str, owner: str) -> Identity | None:
    """Which of our models this is; None where it is not ours. Marks merely lost do not make it another's."""
    found = text(row, "id")
    marked = text(mark_of(row), "workspace")
    if text(row, "user_id") != owner or not owner or marked not in ("", workspace):
        return None
    if not found.startswith(_prefix(workspace)):
        return None
    try:
        return check_identity(COURSES, "model/" + found.removeprefix(_prefix(workspace)).replace(".", "/"))
    except NameRefused:
        return None


def model_mark(workspace: str, it: Identity) -> Mapping[str, str]:
    return {"workspace": workspace, "scope": it.scope, "ref": it.ref}


def _prefix(workspace: str) -> str:
    return f"reconciler-{workspace[:8]}-"
