"""Open WebUI's API as plain JSON: one pooled httpx client, its exceptions translated here, once.

Nothing is tried twice: back-off has one owner, the loop.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx

from reconciler.errors import ReconcilerError, Terminal, Transient
from reconciler.remotes import pool
from reconciler.remotes.openwebui.wire import Json, rows, table, text
from reconciler.remotes.replies import Replies

LONGEST_SENTENCE = 300
NOT_THERE = frozenset({401, 404})
"""What "Not found" is answered with: by most routes 404, by those of models and chats 401 (0.12.4)."""
_SECRET = re.compile(r"(?i)\b(?:sk|pk|rk)-[\w-]{6,}|bearer\s+[\w.~+/=-]+|eyJ[\w.-]{20,}")
_AGAIN_LATER = frozenset({408, 423, 425, 429})
# Refuses nobody whose key is good; `GET /auths/` refuses every API key with 403.
_PROBE = "/api/v1/users/user/info"

T = TypeVar("T")


class Refused(ReconcilerError):
    """The server understood and said no. ``status`` is its HTTP status, the message its sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(f"Open WebUI answered {status}: {sentence}")
        self.status = status

    @property
    def is_not_there(self) -> bool:
        return self.status in NOT_THERE


class NoAnswer(Transient):
    """A page instead of JSON: a path that this server does not have, or a proxy in front of it."""


class Api:
    """Requests and their JSON. Paths are below ``/api/v1``, except those that begin with ``/api/``."""

    def __init__(self, base_url: str, api_key: str, timeout: float) -> None:
        self._base = base_url.rstrip("/")
        self._where = _without_password(self._base)
        self._key = api_key
        self._replies = Replies[Any]()  # each path is made into one type of thing
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})
        self._http = pool.client(base_url, timeout, headers)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **query: object) -> object:
        return self._asked("GET", path, params=query)

    def made(self, path: str, make: Callable[[object], T], **query: object) -> T:
        """What ``make`` made of the reply: now, or before where the server gives the same bytes again."""
        content = self._replied("GET", path, params=query)
        return self._replies.made((path, *query.items()), content, lambda: make(self._parsed(content)))

    def row(self, path: str, **query: object) -> Json:
        return table(self.get(path, **query))

    def list(self, path: str, **query: object) -> list[Json]:
        return rows(self.get(path, **query))

    def post(self, path: str, body: Mapping[str, object], **query: object) -> Json:
        return table(self._asked("POST", path, json=body, params=query))

    def put(self, path: str, body: Mapping[str, object]) -> Json:
        return table(self._asked("PUT", path, json=body))

    def delete(self, path: str) -> None:
        self._asked("DELETE", path)

    def _asked(self, method: str, path: str, **options: Any) -> object:
        return self._parsed(self._replied(method, path, **options))

    def _replied(self, method: str, path: str, **options: Any) -> bytes:
        reply = self._sent(method, path, **options)
        if reply.status_code == 401 and not self._is_welcome():
            raise self._unwelcome()
        if reply.is_error:
            raise self._judged(reply)
        return reply.content

    def _sent(self, method: str, path: str, **options: Any) -> httpx.Response:
        url = self._base + (path if path.startswith("/api/") else f"/api/v1{path}")
        try:
            return self._http.request(method, url, **options)
        except httpx.TimeoutException as error:
            raise Transient(f"Open WebUI at {self._where} did not answer in time") from error
        except httpx.HTTPError as error:
            raise Transient(f"Open WebUI at {self._where} cannot be reached: {self._safe(str(error))}") from error

    def _is_welcome(self) -> bool:
        """Whether the key is good: a 401 alone says "not found" or "taken" as often as "who are you?"."""
        reply = self._sent("GET", _PROBE)
        if reply.status_code >= 500:
            raise self._judged(reply)
        return reply.status_code != 401

    def _unwelcome(self) -> Terminal:
        return Terminal(
            f"Open WebUI at {self._where} does not accept the API key; make a new one for the service account "
            "(Settings > Account) and set RECONCILER_OPENWEBUI__TOKEN"
        )

    def _judged(self, reply: httpx.Response) -> ReconcilerError:
        sentence = self._safe(_sentence(reply) or reply.reason_phrase)
        if reply.status_code >= 500 or reply.status_code in _AGAIN_LATER:
            return Transient(f"Open WebUI at {self._where} answered {reply.status_code}: {sentence}")
        return Refused(reply.status_code, sentence)

    def _parsed(self, content: bytes) -> object:
        try:
            return json.loads(content) if content else None
        except ValueError as error:
            # Its paths that do not exist are answered with 200 and the page of its front end.
            raise NoAnswer(f"Open WebUI at {self._where} gave an answer that is not JSON") from error

    def _safe(self, sentence: str) -> str:
        """One line, short, without what looks like a secret."""
        plain = _SECRET.sub("…", " ".join(sentence.split()))
        return (plain.replace(self._key, "…") if self._key else plain)[:LONGEST_SENTENCE]


def part(value: str) -> str:
    """An id as one part of a path."""
    return quote(value, safe="")


def _sentence(reply: httpx.Response) -> str:
    try:
        said = table(json.loads(reply.content))
    except ValueError:
        return ""
    detail = said.get("detail")
    return detail if isinstance(detail, str) else text(table(detail), "code") or (json.dumps(detail) if detail else "")


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
