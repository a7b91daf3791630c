"""Routes under `/_control/` that no Open WebUI has: the browser's part, faults on demand, the whole state in and out.

POST open_note  {"note_id", "user_id"?}         a browser merely opens it: its Markdown is rewritten
POST type_note  {"note_id", "md", "user_id"?}   somebody types it in a browser: no event
POST events     {"lose"?, "double"?, "hold"?}   what happens to events from now on; held ones come newest first
POST fail       {"count"?, "skip"?, "status"? | "cut", "applied"?, "delay_seconds"?, "method"?, "path"?}
POST calm       forget the faults not yet used
GET  state / PUT state {tables} / POST wipe
"""

from reconciler.embedded.openwebui.fields import as_row
from reconciler.embedded.openwebui.model import OpenWebUI
from reconciler.embedded.openwebui.request import Request, table
from reconciler.embedded.openwebui.state import TABLES, Refused, Row, Table, not_found

PREFIX = "/_control/"


def _asked(request: Request, *names: str) -> Row:
    body = as_row(request.body)
    for name in names:
        if name not in body:
            raise Refused(422, f"Field required: {name}")
    return body


def _who(webui: OpenWebUI, body: Row) -> Row:
    """The account at the browser: the service account's unless somebody is named."""
    user = webui.state.find("users", body.get("user_id", webui.admin["id"]))
    if user is None:
        raise not_found()
    return user


def _open(webui: OpenWebUI, request: Request) -> Row:
    body = _asked(request, "note_id")
    return webui.notes.open(_who(webui, body), body["note_id"])


def _type(webui: OpenWebUI, request: Request) -> Row:
    body = _asked(request, "note_id", "md")
    return webui.notes.type(_who(webui, body), body["note_id"], body["md"])


def _put_state(webui: OpenWebUI, request: Request) -> None:
    tables: dict[str, Table] = as_row(request.body) or {"": {}}
    if not set(TABLES).issuperset(tables):
        raise Refused(422, f"Input should be an object with {TABLES}")
    webui.restore(tables)


ROUTES = table(
    {
        "POST /_control/open_note": _open,
        "POST /_control/type_note": _type,
        "GET /_control/state": lambda webui, request: webui.snapshot(),
        "PUT /_control/state": _put_state,
        "POST /_control/wipe": lambda webui, request: webui.restore({}),
    }
)
