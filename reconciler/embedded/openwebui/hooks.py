"""Event webhooks: who wants to be told of what."""

from urllib.parse import urlsplit

from reconciler.embedded.openwebui.access import is_admin
from reconciler.embedded.openwebui.fields import as_texts, parsed
from reconciler.embedded.openwebui.state import Refused, Row, Rows, State, denied

Deliveries = list[tuple[str, Row]]
_HOOK = {"name": str, "url": str, "enabled": bool, "events": list, "targets": object}


class Hooks:
    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, caller: Row) -> Rows:
        self._check(caller)
        return self._state.rows("webhooks")

    def create(self, caller: Row, body: object) -> Row:
        self._check(caller)
        sent = _parsed(body, ("url",))
        now = self._state.seconds()
        base: Row = {"id": self._state.new_id(), "name": "Webhook", "enabled": True, "events": ["*"], "targets": None}
        made = self._state.put("webhooks", {**base, **sent, "created_at": now, "updated_at": now})
        self._state.tell("config.webhook.updated", caller, ("config", made["id"]), action="created")
        return made

    def update(self, caller: Row, key: str, body: object) -> Row:
        row = self._get(caller, key)
        changed = self._state.amend("webhooks", row, **_parsed(body), updated_at=self._state.seconds())
        self._state.tell("config.webhook.updated", caller, ("config", key), action="updated")
        return changed

    def delete(self, caller: Row, key: str) -> Row:
        self._get(caller, key)
        self._state.drop("webhooks", key)
        self._state.tell("config.webhook.updated", caller, ("config", key), action="deleted")
        return {"status": True}

    def due(self) -> Deliveries:
        """What is to be delivered, and where; each event is given out once."""
        events, self._state.events = self._state.events, []
        hooks = [row for row in self._state.rows("webhooks") if row["enabled"]]
        return [(hook["url"], event) for event in events for hook in hooks if _wants(hook, event["event"])]

    def _check(self, caller: Row) -> None:
        if not is_admin(caller):
            raise denied()

    def _get(self, caller: Row, key: str) -> Row:
        self._check(caller)
        row = self._state.find("webhooks", key)
        if row is None:
            raise Refused(404, "Webhook not found")
        return row


def _parsed(body: object, required: tuple[str, ...] = ()) -> Row:
    sent = parsed(body, _HOOK, required)
    if "url" in sent and urlsplit(sent["url"] or "").scheme not in ("http", "https"):
        raise Refused(400, "The URL you provided is invalid. Please double-check and try again.")
    return sent


def _wants(hook: Row, event: str) -> bool:
    for wanted in as_texts(hook["events"]):
        if wanted in ("*", event) or (wanted.endswith(".*") and event.startswith(wanted[:-1])):
            return True
    return False
