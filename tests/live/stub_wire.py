"""The two wire formats of the stub model, OpenAI's and Anthropic's, as plain values.

Requests are read into `stub_script.Request`; replies become a JSON body or a list of
server-sent events.
"""

import base64
import json
import math
import random
import struct
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from tests.live.stub_script import Reply, Request, Tool

OPENAI_MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "text-embedding-3-small")
ANTHROPIC_MODELS = ("claude-sonnet-4-20250514", "claude-3-5-haiku-20241022")
DIMENSIONS = {"text-embedding-3-large": 3072}
EPOCH = 1_700_000_000

Json = dict[str, Any]
Event = tuple[str | None, str]


def text_of(content: Any) -> str:
    """A message's text, given as a string or as a list of parts."""
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content or ""


def usage_of(request: Request) -> tuple[int, int]:
    """A rough count of tokens: the agent's usage statistics must not be zero."""
    return (len(request.system) + sum(map(len, request.user_texts))) // 4 + 1, 10


# OpenAI


def openai_models() -> Json:
    rows = [{"id": name, "object": "model", "created": EPOCH, "owned_by": "stub"} for name in OPENAI_MODELS]
    return {"object": "list", "data": rows}


def read_openai(body: Mapping[str, Any]) -> Request:
    messages = body.get("messages", [])
    system = [m for m in messages if m["role"] in ("system", "developer")]
    functions = [tool["function"] for tool in body.get("tools") or []]
    return Request(
        model=body.get("model", ""),
        system="\n".join(text_of(m.get("content")) for m in system),
        user_texts=tuple(text_of(m.get("content")) for m in messages if m["role"] == "user"),
        tools=tuple(Tool(f["name"], f.get("parameters") or {}) for f in functions),
        stream=bool(body.get("stream")),
    )


def _openai_message(reply: Reply) -> Json:
    if reply.tool is None:
        return {"role": "assistant", "content": reply.say}
    function = {"name": reply.tool, "arguments": json.dumps(dict(reply.args))}
    call = {"id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _openai_usage(request: Request) -> Json:
    sent, answered = usage_of(request)
    return {
        "prompt_tokens": sent,
        "completion_tokens": answered,
        "total_tokens": sent + answered,
    }


def openai_body(request: Request, reply: Reply) -> Json:
    finish = "stop" if reply.tool is None else "tool_calls"
    choice = {"index": 0, "message": _openai_message(reply), "finish_reason": finish}
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request.model,
        "choices": [choice],
        "usage": _openai_usage(request),
    }


def openai_events(request: Request, reply: Reply) -> Iterator[Event]:
    whole = openai_body(request, reply)
    head = {k: whole[k] for k in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    delta = whole["choices"][0]["message"]
    for index, call in enumerate(delta.get("tool_calls", ())):
        call["index"] = index
    finish = whole["choices"][0]["finish_reason"]
    for part, reason in ((delta, None), ({}, finish)):
        choice = {"index": 0, "delta": part, "finish_reason": reason}
        yield None, json.dumps(head | {"choices": [choice]})
    yield None, json.dumps(head | {"choices": [], "usage": whole["usage"]})
    yield None, "[DONE]"


def openai_embeddings(body: Mapping[str, Any]) -> Json:
    given = body.get("input", "")
    texts = given if isinstance(given, list) else [given]
    width = body.get("dimensions") or DIMENSIONS.get(body.get("model", ""), 1536)
    packed = body.get("encoding_format") == "base64"
    rows = []
    for index, text in enumerate(texts):
        vector = embedding(str(text), width)
        raw = base64.b64encode(struct.pack(f"<{width}f", *vector)).decode()
        value = raw if packed else vector
        rows.append({"object": "embedding", "index": index, "embedding": value})
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return {"object": "list", "model": body.get("model"), "data": rows, "usage": usage}


def embedding(text: str, width: int) -> list[float]:
    """The same text always gives the same unit vector."""
    source = random.Random(text)
    vector = [source.gauss(0, 1) for _ in range(width)]
    length = math.sqrt(sum(x * x for x in vector))
    return [x / length for x in vector]


# Anthropic


def anthropic_models() -> Json:
    rows = [
        {
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": "2025-05-14T00:00:00Z",
        }
        for name in ANTHROPIC_MODELS
    ]
    ends = {"first_id": ANTHROPIC_MODELS[0], "last_id": ANTHROPIC_MODELS[-1]}
    return {"data": rows, "has_more": False} | ends


def read_anthropic(body: Mapping[str, Any]) -> Request:
    messages = body.get("messages", [])
    return Request(
        model=body.get("model", ""),
        system=text_of(body.get("system")),
        user_texts=tuple(text for m in messages if m["role"] == "user" and (text := text_of(m.get("content")))),
        tools=tuple(Tool(t["name"], t.get("input_schema") or {}) for t in body.get("tools") or []),
        stream=bool(body.get("stream")),
    )


def anthropic_body(request: Request, reply: Reply) -> Json:
    part: Json = {"type": "text", "text": reply.say}
    if reply.tool is not None:
        name = f"toolu_{uuid.uuid4().hex[:24]}"
        part = {"type": "tool_use", "id": name, "name": reply.tool, "input": dict(reply.args)}
    sent, answered = usage_of(request)
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [part],
        "stop_reason": "end_turn" if reply.tool is None else "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": sent, "output_tokens": answered},
    }


def anthropic_events(request: Request, reply: Reply) -> Iterator[Event]:
    whole = anthropic_body(request, reply)
    part = whole["content"][0]
    if reply.tool is None:
        empty, delta = part | {"text": ""}, {"type": "text_delta", "text": part["text"]}
    else:
        arguments = json.dumps(part["input"])
        empty, delta = part | {"input": {}}, {"type": "input_json_delta"}
        delta["partial_json"] = arguments
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    start = whole | {"content": [], "stop_reason": None}
    events: list[Json] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": empty},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 10}},
        {"type": "message_stop"},
    ]
    for event in events:
        yield event["type"], json.dumps(event)
