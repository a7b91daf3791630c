"""A language model that says what a test told it to: `python -m tests.live.stub_llm [PORT]`.

Model side: OpenAI's `/v1/models`, `/v1/chat/completions`, `/v1/embeddings`, and Anthropic's
`/v1/models`, `/v1/messages`. Test side:

    POST /script   {"key": "abc", "replies": [{"tool": "memory_insert", "args": {…}, "hold": true}]}
    POST /release  {"key": "abc", "count": 1}
    POST /reset    forget the scripts and requests, let go of what is held
    GET  /held     {"abc": 1}: how many requests wait for a release
    GET  /requests?key=abc   what the model was sent, the compiled system prompt included

A reply is `{"say": TEXT}`, `{"tool": NAME, "args": {…}}` or `{"status": 500}`, each with
`"delay_seconds"` and `"hold"` if wanted. It goes to the conversation whose last user message
contains `[script:abc]`. With nothing queued the model ends its turn politely.
"""

import json
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.live import stub_wire as wire
from tests.live.stub_script import Reply, Request, Script

KEPT_REQUESTS = 2000


class StubLLM(ThreadingHTTPServer):
    """Listens on loopback from the moment it is made; `start()` serves in the background."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.script = Script()
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> "StubLLM":
        threading.Thread(target=self.serve_forever, daemon=True, name="stub-llm").start()
        return self

    def stop(self) -> None:
        self.script.reset()
        self.shutdown()
        self.server_close()

    def record(self, path: str, request: Request, body: Any) -> None:
        seen = {"at": time.time(), "path": path, "key": request.key, "model": request.model}
        self.requests.append(seen | {"system": request.system, "body": body})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StubLLM

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        match where.path:
            case "/v1/models" if self.headers.get("anthropic-version"):
                self._answer(wire.anthropic_models())
            case "/v1/models":
                self._answer(wire.openai_models())
            case "/held":
                self._answer(self.server.script.held())
            case "/requests":
                wanted = parse_qs(where.query).get("key")
                seen = [r for r in self.server.requests if not wanted or r["key"] in wanted]
                self._answer({"requests": seen})
            case "/health":
                self._answer({"ok": True})
            case _:
                self._answer({"error": {"message": f"no such page: {where.path}"}}, 404)

    def do_POST(self) -> None:
        body = json.loads(self._body() or b"{}")
        match urlsplit(self.path).path:
            case "/script":
                replies = [Reply.parse(raw) for raw in body["replies"]]
                self.server.script.queue(body["key"], replies)
                self._answer({"ok": True})
            case "/release":
                self.server.script.release(body["key"], body.get("count", 1))
                self._answer({"ok": True})
            case "/reset":
                self.server.script.reset()
                self.server.requests.clear()
                self._answer({"ok": True})
            case path:
                self._model(path, body)

    def _model(self, path: str, body: Any) -> None:
        match path:
            case "/v1/embeddings":
                self._answer(wire.openai_embeddings(body))
            case "/v1/chat/completions":
                request = wire.read_openai(body)
                self._complete(path, body, request, wire.openai_body, wire.openai_events)
            case "/v1/messages":
                request = wire.read_anthropic(body)
                self._complete(path, body, request, wire.anthropic_body, wire.anthropic_events)
            case "/v1/messages/count_tokens":
                self._answer({"input_tokens": wire.usage_of(wire.read_anthropic(body))[0]})
            case _:
                self._answer({"error": {"message": f"no such page: {path}"}}, 404)

    def _complete(self, path: str, body: Any, request: Request, whole: Any, events: Any) -> None:
        self.server.record(path, request, body)
        reply = self.server.script.next_reply(request)
        if reply.status != 200:
            self._answer({"error": {"message": reply.say, "type": "scripted"}}, reply.status)
        elif request.stream:
            self._stream(events(request, reply))
        else:
            self._answer(whole(request, reply))

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _answer(self, value: Any, status: int = 200) -> None:
        raw = json.dumps(value).encode()
        # The caller may have given up while its reply was held.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    def _stream(self, events: Iterable[wire.Event]) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            for name, payload in events:
                head = f"event: {name}\n" if name else ""
                self.wfile.write(f"{head}data: {payload}\n\n".encode())
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: `GET /requests` tells more than a log line would."""


def main(arguments: list[str]) -> int:
    stub = StubLLM(int(arguments[0]) if arguments else 0)
    print(stub.url, flush=True)
    with suppress(KeyboardInterrupt):
        stub.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
