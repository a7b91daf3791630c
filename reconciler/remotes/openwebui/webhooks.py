"""The registration by which Open WebUI tells of changes. Its secret is in the URL, so the URL is never told."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.remotes.openwebui.client import Api, part
from reconciler.remotes.openwebui.wire import Json, handle, text

HOOKS = "/api/events/webhooks"


def ensure_webhook(api: Api, workspace: str, url: str, events: Sequence[str]) -> bool:
    """Make or repair this workspace's registration, and drop its doubles; whether anything had to be done.

    A registration holds nothing of ours but its name, which only admins can give.
    """
    name = f"reconciler {workspace}"
    ours = [row for row in api.list(HOOKS) if text(row, "name") == name and handle(row)]
    wanted: dict[str, object] = {"name": name, "url": url, "events": list(events), "enabled": True, "targets": None}
    for double in ours[1:]:
        api.delete(f"{HOOKS}/{part(handle(double))}")
    if not ours:
        api.post(HOOKS, wanted)
        return True
    if _is_right(ours[0], wanted):
        return len(ours) > 1
    api.put(f"{HOOKS}/{part(handle(ours[0]))}", wanted)
    return True


def _is_right(row: Json, wanted: dict[str, object]) -> bool:
    return all(row.get(name) == value for name, value in wanted.items())
