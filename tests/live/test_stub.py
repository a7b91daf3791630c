"""The stub model alone: no Letta is needed, so these run with every `make test`."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.live.stub_llm import StubLLM

SEND_MESSAGE = {
    "type": "function",
    "function": {
        "name": "send_message",
        "parameters": {
            "properties": {"message": {"type": "string"}, "thinking": {"type": "string"}},
            "required": ["thinking", "message"],
        },
    },
}
TOOL = {"tool": "memory_insert", "args": {"label": "human", "new_string": "x"}}


@pytest.fixture
def stub() -> Iterator[StubLLM]:
    server = StubLLM().start()
    yield server
    server.stop()


def post(stub: StubLLM, path: str, body: Any, timeout: float = 10) -> httpx.Response:
    return httpx.post(stub.url + path, json=body, timeout=timeout).raise_for_status()


def ask(stub: StubLLM, text: str, **more: Any) -> Any:
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": text}]
    body = {"model": "gpt-4o", "messages": messages, **more}
    return post(stub, "/v1/chat/completions", body).json()["choices"][0]


def test_a_model_with_no_script_ends_its_turn(stub: StubLLM) -> None:
    said = ask(stub, "hello")
    called = ask(stub, "hello", tools=[SEND_MESSAGE])["message"]["tool_calls"][0]["function"]

    assert said == {
        "index": 0,
        "message": {"role": "assistant", "content": "Noted."},
        "finish_reason": "stop",
    }
    assert called["name"] == "send_message"
    assert json.loads(called["arguments"]) == {"thinking": "-", "message": "Noted."}


def test_a_script_reaches_only_the_conversation_with_its_marker(stub: StubLLM) -> None:
    post(stub, "/script", {"key": "abc", "replies": [TOOL, {"say": "done"}]})

    assert ask(stub, "hello")["message"]["content"] == "Noted."
    call = ask(stub, "go [script:abc]")["message"]["tool_calls"][0]["function"]
    assert (call["name"], json.loads(call["arguments"])) == (TOOL["tool"], TOOL["args"])
    assert ask(stub, "go [script:abc]")["message"]["content"] == "done"
    assert ask(stub, "go [script:abc]")["message"]["content"] == "Noted."


def test_a_held_reply_waits_until_it_is_released(stub: StubLLM) -> None:
    post(stub, "/script", {"key": "k", "replies": [{"say": "late", "hold": True}]})
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(ask(stub, "[script:k]")["message"]["content"]))
    thread.start()
    while httpx.get(stub.url + "/held").json() != {"k": 1}:
        assert thread.is_alive()

    assert answers == []
    post(stub, "/release", {"key": "k"})
    thread.join(10)
    assert answers == ["late"]
    assert httpx.get(stub.url + "/held").json() == {}


def test_what_the_model_was_sent_can_be_read(stub: StubLLM) -> None:
    ask(stub, "[script:mine]")
    ask(stub, "other")

    seen = httpx.get(stub.url + "/requests", params={"key": "mine"}).json()["requests"]
    assert [(r["system"], r["model"], r["path"]) for r in seen] == [("S", "gpt-4o", "/v1/chat/completions")]


def test_a_scripted_failure_is_an_http_error(stub: StubLLM) -> None:
    post(stub, "/script", {"key": "k", "replies": [{"status": 401, "say": "bad key"}]})

    with pytest.raises(httpx.HTTPStatusError, match="401"):
        ask(stub, "[script:k]")


def test_openai_streams_the_same_reply(stub: StubLLM) -> None:
    post(stub, "/script", {"key": "k", "replies": [TOOL]})
    body = {"stream": True, "messages": [{"role": "user", "content": "[script:k]"}]}
    events = post(stub, "/v1/chat/completions", body).text.split("\n\n")

    first = json.loads(events[0].removeprefix("data: "))
    assert first["choices"][0]["delta"]["tool_calls"][0]["function"]["name"] == TOOL["tool"]
    assert events[-2] == "data: [DONE]"


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_calls_the_same_tools(stub: StubLLM, stream: bool) -> None:
    post(stub, "/script", {"key": "k", "replies": [TOOL]})
    content = [{"type": "text", "text": "[script:k]"}]
    body = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": content}]}
    answer = post(stub, "/v1/messages", body)

    if stream:
        assert "event: message_stop" in answer.text
        assert '"name": "memory_insert"' in answer.text
    else:
        part = answer.json()["content"][0]
        assert (part["type"], part["name"], part["input"]) == ("tool_use", *TOOL.values())


def test_one_text_has_one_embedding(stub: StubLLM) -> None:
    body = {"model": "text-embedding-3-small", "input": ["a", "b", "a"]}
    rows = post(stub, "/v1/embeddings", body).json()["data"]

    vectors = [row["embedding"] for row in rows]
    assert vectors[0] == vectors[2] != vectors[1]
    assert len(vectors[0]) == 1536
