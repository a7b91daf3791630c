"""Short words for what the live tests say to Open WebUI. Not an adapter: raw JSON in and out."""

import json
import queue
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import httpx

from tests.live.openwebui import BASE_MODEL
from tests.live.openwebui_api import WebUI

Json = dict[str, Any]
V1 = "/api/v1"


@dataclass(frozen=True)
class Person:
    """An account, and what its browser holds."""

    id: str
    token: str
    email: str


def person(webui: WebUI, name: str, role: str = "user") -> Person:
    email = f"{name}@example.org"
    return Person(*webui.add_user(name, email, role), email)


def grant(permission: str, principal: str, kind: str = "user") -> Json:
    return {"principal_type": kind, "principal_id": principal, "permission": permission}


def grants(row: Json) -> list[tuple[str, str, str]]:
    """The part of them that means something: ids and times are new at every write."""
    return sorted((each["principal_type"], each["principal_id"], each["permission"]) for each in row["access_grants"])


def writer(who: Person) -> list[Json]:
    """Write does not imply read."""
    return [grant("read", who.id), grant("write", who.id)]


def note(webui: WebUI, md: str, access: list[Json] | None = None, **more: Any) -> Json:
    body = {"title": "n", "data": {"content": {"md": md}}, "access_grants": access or [], **more}
    return webui.request("POST", f"{V1}/notes/create", json=body)


def get_note(webui: WebUI, note_id: str, token: str | None = None) -> Json:
    return webui.request("GET", f"{V1}/notes/{note_id}", token)


def text(row: Json) -> str:
    return row["data"]["content"]["md"]


def set_note(webui: WebUI, note_id: str, token: str | None = None, **fields: Any) -> Json:
    return webui.request("POST", f"{V1}/notes/{note_id}/update", token, json=fields)


def set_text(webui: WebUI, note_id: str, md: str, token: str | None = None) -> Json:
    return set_note(webui, note_id, token, data={"content": {"md": md}})


def titles(rows: Any) -> list[str]:
    listed = rows["items"] if isinstance(rows, dict) else rows
    return [row["title"] for row in listed]


def model_body(model_id: str = "c", system: str = "S", **more: Any) -> Json:
    body: Json = {"id": model_id, "base_model_id": BASE_MODEL, "name": model_id.upper(), "is_active": True}
    return body | {"meta": {}, "params": {"system": system}, "access_grants": []} | more


def model(webui: WebUI, model_id: str = "c", system: str = "S", **more: Any) -> Json:
    return webui.request("POST", f"{V1}/models/create", json=model_body(model_id, system, **more))


def set_model(webui: WebUI, model_id: str = "c", system: str = "S", **more: Any) -> Json:
    return webui.request("POST", f"{V1}/models/model/update", json=model_body(model_id, system, **more))


def history(webui: WebUI, model_id: str = "c") -> list[Json]:
    return webui.request("GET", f"{V1}/models/model/history", params={"id": model_id})


def complete(webui: WebUI, token: str, model_id: str, **more: Any) -> httpx.Response:
    body = {"model": model_id, "messages": [{"role": "user", "content": "hi"}], "stream": False, **more}
    return webui.call("POST", "/api/chat/completions", token, json=body)


def chat_body(title: str = "Run", *said: str, **more: Any) -> Json:
    """A thread in which user and model take turns."""
    messages: Json = {}
    for number, content in enumerate(said):
        role = "assistant" if number % 2 else "user"
        links = {"parentId": f"m{number - 1}" if number else None, "childrenIds": [f"m{number + 1}"]}
        messages[f"m{number}"] = {"id": f"m{number}", "role": role, "content": content, "done": True, **links}
    if messages:
        messages[f"m{len(said) - 1}"]["childrenIds"] = []
    current = f"m{len(said) - 1}" if said else None
    return {"title": title, "models": [BASE_MODEL], "history": {"messages": messages, "currentId": current}, **more}


class Hook:
    """Something that listens for events, on loopback."""

    def __init__(self) -> None:
        self.events: queue.Queue[Json] = queue.Queue()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.events))
        self.url = f"http://127.0.0.1:{self._http.server_port}/hook?secret=s"

    def __enter__(self) -> "Hook":
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    def next(self, seconds: float = 5.0) -> Json:
        return self.events.get(timeout=seconds)


def _handler(events: "queue.Queue[Json]") -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            events.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    return Handler
