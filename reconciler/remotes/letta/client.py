"""Letta's API as plain JSON: letta-client underneath, its exceptions translated here, once.

Retries are off: back-off has one owner, the loop. Replies are not made into the client's typed models, which cost fifty
times their JSON.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import letta_client

from reconciler.errors import ReconcilerError, Terminal, Transient
from reconciler.remotes import pool
from reconciler.remotes.letta.pages import slim_agent, slim_block
from reconciler.remotes.letta.wire import Json, rows, table, text
from reconciler.remotes.replies import Replies

LONGEST_SENTENCE = 300
_BIG_REPLY = 1_000_000
_EVERYTHING = ["agent.blocks", "agent.tags", "agent.tools"]
_SECRET = re.compile(r"(?i)\b(?:sk|pk|rk)-[\w-]{6,}|bearer\s+[\w.~+/=-]+")
_AGAIN_LATER = frozenset({408, 409, 423, 425, 429})


class Refused(ReconcilerError):
    """The server understood and said no. ``status`` is its HTTP status, the message its sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(f"Letta answered {status}: {sentence}")
        self.status = status

    @property
    def is_transient(self) -> bool:
        """Two PATCHes to one block at once are a 409: worth another try."""
        return self.status in _AGAIN_LATER


class Api:
    """The calls this package makes. Query and body names are the API's own."""

    def __init__(self, base_url: str, token: str, timeout: float) -> None:
        self._pages = Replies[list[Json]]()
        self._where = _without_password(base_url)
        self._token = token
        self._http = pool.client(base_url, timeout)
        self._letta = letta_client.Letta(
            base_url=base_url, api_key=token or "none", timeout=timeout, max_retries=0, http_client=self._http
        )
        if not token:
            self._letta.api_key = None

    def close(self) -> None:
        self._http.close()

    def agents(self, **query: Any) -> list[Json]:
        """Agents with their blocks, tags and tools. Without `include` all three come empty."""
        return self._page("agents", self._letta.agents.with_raw_response.list, slim_agent, include=_EVERYTHING, **query)

    def bare_agents(self, **query: Any) -> list[Json]:
        """Agents as they are listed without `include`: their ids and times are what is true of these rows."""
        return rows(self._call(self._letta.agents.with_raw_response.list, **query))

    def agent(self, handle: str) -> Json:
        return table(self._call(self._letta.agents.with_raw_response.retrieve, handle, include=_EVERYTHING))

    def create_agent(self, body: Mapping[str, Any]) -> Json:
        return table(self._call(self._letta.agents.with_raw_response.create, **body))

    def update_agent(self, handle: str, body: Mapping[str, Any]) -> Json:
        return table(self._call(self._letta.agents.with_raw_response.update, handle, **body))

    def delete_agent(self, handle: str) -> None:
        self._call(self._letta.agents.with_raw_response.delete, handle)

    def recompile(self, handle: str) -> None:
        """Only from here on does the agent's prompt hold a changed system text."""
        self._call(self._letta.agents.with_raw_response.recompile, handle)

    def attach(self, agent: str, block: str) -> Json:
        return table(self._call(self._letta.agents.blocks.with_raw_response.attach, block, agent_id=agent))

    def detach(self, agent: str, block: str) -> Json:
        return table(self._call(self._letta.agents.blocks.with_raw_response.detach, block, agent_id=agent))

    def blocks(self, **query: Any) -> list[Json]:
        return self._page("blocks", self._letta.blocks.with_raw_response.list, slim_block, **query)

    def block(self, handle: str) -> Json:
        return table(self._call(self._letta.blocks.with_raw_response.retrieve, handle))

    def create_block(self, body: Mapping[str, Any]) -> Json:
        return table(self._call(self._letta.blocks.with_raw_response.create, **body))

    def update_block(self, handle: str, body: Mapping[str, Any]) -> Json:
        """By id: the route by agent and label writes the value and then answers 409 when tags come with it."""
        return table(self._call(self._letta.blocks.with_raw_response.update, handle, **body))

    def delete_block(self, handle: str) -> None:
        self._call(self._letta.blocks.with_raw_response.delete, handle)

    def holders(self, block: str) -> list[Json]:
        return self._list(self._letta.blocks.agents.with_raw_response.list, block, limit=100)

    def count(self, kind: str, **query: Any) -> int:
        """How many agents or blocks there are; letta-client has no method for it."""
        options = {"params": query}
        with self._translated():
            reply = self._letta.get(f"/v1/{kind}s/count", cast_to=httpx.Response, options=options)  # pyright: ignore[reportArgumentType]  # a plain mapping is what its type describes
            counted = _json(reply)
        if not isinstance(counted, int):
            raise Transient(f"Letta at {self._where} did not answer with a number of {kind}s")
        return counted

    def tools(self, **query: Any) -> list[Json]:
        return self._list(self._letta.tools.with_raw_response.list, **query)

    def models(self) -> list[Json]:
        return self._list(self._letta.models.with_raw_response.list)

    def embeddings(self) -> list[Json]:
        return self._list(self._letta.models.embeddings.with_raw_response.list)

    def runs(self, **query: Any) -> list[Json]:
        return self._list(self._letta.runs.with_raw_response.list, **query)

    def messages(self, agent: str, **query: Any) -> list[Json]:
        return self._list(self._letta.agents.messages.with_raw_response.list, agent, **query)

    def _page(self, kind: str, method: Callable[..., Any], slim: Callable[[Json], Json], **query: Any) -> list[Json]:
        key = (kind, repr(sorted(query.items())))
        with self._translated():
            reply: httpx.Response = method(**query).http_response
            return self._pages.made(key, reply.content, lambda: [slim(row) for row in self._rows(_json(reply))])

    def _list(self, method: Callable[..., Any], *args: str, **options: Any) -> list[Json]:
        return self._rows(self._call(method, *args, **options))

    def _rows(self, reply: object) -> list[Json]:
        """What is no list is trouble, and not an empty list: "no runs" and "no blocks" are facts that count."""
        if not isinstance(reply, list):
            raise Transient(f"Letta at {self._where} answered a listing with something that is no list")
        return rows(cast("list[object]", reply))

    def _call(self, method: Callable[..., Any], *args: str, **options: Any) -> object:
        with self._translated():
            return _json(method(*args, **options).http_response)

    @contextmanager
    def _translated(self) -> Generator[None]:
        """Every exception of the client as Transient, Terminal or Refused. Never with the token in it."""
        try:
            yield
        except letta_client.APITimeoutError as error:
            raise Transient(f"Letta at {self._where} did not answer in time") from error
        except letta_client.APIConnectionError as error:
            why = self._safe(str(error.__cause__ or error))
            raise Transient(f"Letta at {self._where} cannot be reached: {why}") from error
        except letta_client.APIStatusError as error:
            raise self._judged(error.status_code, error.body, str(error)) from error
        except letta_client.APIError as error:
            raise Transient(
                f"Letta at {self._where} gave an answer nobody understands: {self._safe(str(error))}"
            ) from error
        except ValueError as error:
            raise Transient(f"Letta at {self._where} gave an answer that is not JSON") from error

    def _judged(self, status: int, body: object, fallback: str) -> ReconcilerError:
        sentence = self._safe(_sentence(body) or fallback)
        if status == 401 and text(table(table(body).get("error")), "type") == "llm_authentication":
            return Terminal(f"Letta's own model provider refused Letta's key: {sentence}")
        if status in (401, 403):
            return Terminal(f"Letta at {self._where} refused the credentials ({status}); set RECONCILER_LETTA__TOKEN")
        if status >= 500 or status == 429:
            return Transient(f"Letta at {self._where} answered {status}: {sentence}")
        return Refused(status, sentence)

    def _safe(self, sentence: str) -> str:
        """One line, short, without what looks like a secret."""
        plain = _SECRET.sub("…", " ".join(sentence.split()))
        return (plain.replace(self._token, "…") if self._token else plain)[:LONGEST_SENTENCE]


def _json(reply: httpx.Response) -> object:
    """The collector pauses for a big reply: it only walks over what is being built, at a third of the cost."""
    if len(reply.content) < _BIG_REPLY or not gc.isenabled():
        return json.loads(reply.content) if reply.content else None
    gc.disable()
    try:
        return json.loads(reply.content)
    finally:
        gc.enable()


def _sentence(body: object) -> str:
    """The server's own words, wherever it put them."""
    said = table(body)
    inner = said.get("error")
    return (
        text(said, "detail")
        or text(said, "message")
        or text(table(inner), "message")
        or (inner if isinstance(inner, str) else "")
    )


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
