"""The stand-in over HTTP, driven by the real client library; its folder; and its faults."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import letta_client
import pytest
from letta_client import Letta as Client

from reconciler.embedded.letta.disk import DamagedData
from reconciler.embedded.letta.server import Server, serve
from tests.http import HTTP

MODEL = "openai/gpt-4o"


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(base_url=server.url, api_key="any", max_retries=0) as client:
        yield client


def control(server: Server, verb: str, **body: Any) -> Any:
    return HTTP.post(f"{server.url}/_control/{verb}", json=body).raise_for_status().json()


def agent_with(client: Client, **values: str) -> Any:
    blocks = [client.blocks.create(label=label, value=value).id for label, value in values.items()]
    return client.agents.create(model=MODEL, name="tutor", block_ids=blocks, tags=["course:x"])


def values(client: Client, agent: Any) -> dict[str | None, str]:
    return {block.label: block.value for block in client.agents.blocks.list(agent.id)}


# --- the client library works against it ---------------------------------------------------------------------------


def test_the_client_library_makes_changes_and_removes(client: Client):
    agent = agent_with(client, human="h0")
    (block,) = agent.blocks
    shared = client.blocks.create(label="course", value="c0", tags=["t"], metadata={"k": 1}, read_only=True)

    client.agents.blocks.attach(shared.id, agent_id=agent.id)
    client.blocks.update(block.id, value="h1")
    client.agents.update(agent.id, tags=["a", "b"], system="be kind", tool_rules=[])
    client.agents.recompile(agent.id)

    assert values(client, agent) == {"human": "h1", "course": "c0"}
    assert sorted(client.agents.retrieve(agent.id, include=["agent.tags"]).tags) == ["a", "b"]
    assert [each.id for each in client.blocks.agents.list(shared.id)] == [agent.id]
    client.agents.blocks.detach(shared.id, agent_id=agent.id)
    client.agents.delete(agent.id)
    client.blocks.delete(block.id)
    with pytest.raises(letta_client.NotFoundError):
        client.agents.retrieve(agent.id)
    assert [each.id for each in client.blocks.list()] == [shared.id]


def test_the_client_library_walks_all_pages(client: Client):
    made = [client.blocks.create(label="l", value=str(number), tags=["t"]).id for number in range(7)]
    agents = [client.agents.create(model=MODEL, tags=["t"]).id for _ in range(5)]

    assert [block.id for block in client.blocks.list(limit=3, tags=["t"])] == made
    assert [each.id for each in client.agents.list(limit=2, tags=["t"], order="asc")] == agents
    assert [each.id for each in client.agents.list(limit=2, order_by="updated_at")] == agents[::-1]


def test_raw_responses_are_plain_json(client: Client):
    agent = agent_with(client, human="h0")
    include: Any = ["agent.blocks", "agent.tags", "agent.tools"]

    listed = client.agents.with_raw_response.list(tags=["course:x"], include=include, limit=100)
    counted = client.get("/v1/agents/count?tags=course:x", cast_to=httpx.Response)
    active = client.runs.with_raw_response.list(active=True)

    (row,) = json.loads(listed.http_response.content)
    assert (row["id"], row["tags"], [block["value"] for block in row["blocks"]]) == (agent.id, ["course:x"], ["h0"])
    assert (counted.json(), json.loads(active.http_response.content)) == (1, [])


def test_tools_and_models_are_listed_and_made(client: Client):
    source = 'def hello(name: str):\n    """Greet.\n\n    Args:\n        name: who\n    """\n    return name\n'
    tool = client.tools.upsert(source_code=source)
    agent = agent_with(client, human="")

    client.agents.tools.attach(tool.id, agent_id=agent.id)

    assert client.tools.create(source_code=source).id == tool.id
    assert "hello" in [each.name for each in client.agents.tools.list(agent.id)]
    assert {"send_message", "hello"} <= {each.name for each in client.tools.list()}
    assert MODEL in [model.handle for model in client.models.list()]


REFUSALS = [
    ("GET", "/v1/agents/agent-00000000-0000-4000-8000-000000000000", None, 404),
    ("GET", "/v1/agents/nonsense", None, 422),
    ("GET", "/v1/agents?limit=x", None, 422),
    ("GET", "/v1/agents?limit=-1", None, 500),
    ("GET", "/v1/agents?order=up", None, 422),
    ("GET", "/v1/agents?include=agent.nope", None, 422),
    ("GET", "/v1/runs?limit=0", None, 422),
    ("GET", "/v1/runs/nonsense", None, 400),
    ("GET", "/v1/nonsense", None, 404),
    ("PUT", "/v1/blocks", {}, 405),
    ("POST", "/v1/blocks", [1], 422),
    ("POST", "/v1/blocks", {"value": "no label"}, 422),
    ("POST", "/v1/agents", {"model": "openai/none"}, 404),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), REFUSALS)
def test_what_is_wrong_is_refused_with_the_servers_status(
    server: Server, method: str, path: str, body: Any, status: int
):
    assert HTTP.request(method, server.url + path, json=body).status_code == status


def test_a_broken_body_is_refused_and_the_connection_lives_on(server: Server):
    with httpx.Client(base_url=server.url) as raw:
        broken = raw.post("/v1/blocks", content=b"{", headers={"Content-Type": "application/json"})

        assert (broken.status_code, raw.get("/v1/health/").json()["status"]) == (422, "ok")


# --- turns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"tool": "memory_insert", "args": {"label": "human", "new_string": "tea"}}',
        '[{"wait": 0}, {"tool": "memory_insert", "args": {"label": "human", "new_string": "tea"}}]',
        'call: memory_insert(label="human", new_string="tea")',
    ],
)
def test_a_message_can_make_the_agent_learn(client: Client, text: str):
    agent = agent_with(client, human="likes")

    answer = client.agents.messages.create(agent.id, messages=[{"role": "user", "content": text}])

    assert [each.message_type for each in answer.messages][-1] == "assistant_message"
    assert values(client, agent) == {"human": "likes\ntea"}
    (called,) = [each for each in client.agents.messages.list(agent.id) if each.message_type == "tool_call_message"]
    assert json.loads(str(called.tool_call.arguments)) == {"label": "human", "new_string": "tea"}


@pytest.mark.parametrize("text", ["hello", "{not json", "call: __import__('os')", "call: f(", '{"tool": 3}'])
def test_other_messages_are_only_talk(client: Client, text: str):
    agent = agent_with(client, human="h0")

    answer = client.agents.messages.create(agent.id, messages=[{"role": "user", "content": text}])

    assert [each.message_type for each in answer.messages] == ["assistant_message"]
    assert values(client, agent) == {"human": "h0"}


def test_the_trap_over_http(server: Server, client: Client):
    agent = agent_with(client, human="h0", persona="p0")
    persona = next(block.id for block in agent.blocks if block.label == "persona")
    run = control(server, "begin_turn", agent_id=agent.id)["run_id"]
    client.blocks.update(persona, value="from git")
    assert [each.id for each in client.runs.list(agent_id=agent.id, active=True)] == [run]

    control(server, "tool_call", run_id=run, tool="memory_insert", args={"label": "human", "new_string": "x"})
    control(server, "end_turn", run_id=run)

    assert values(client, agent) == {"human": "h0\nx", "persona": "p0"}
    assert list(client.runs.list(active=True)) == []


# --- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "applied"),
    [
        ({"status": 503}, letta_client.InternalServerError, False),
        ({"status": 409}, letta_client.ConflictError, False),
        ({"status": 500, "applied": True}, letta_client.InternalServerError, True),
        ({"cut": "before"}, letta_client.APIConnectionError, False),
        ({"cut": "after"}, letta_client.APIConnectionError, True),
    ],
)
def test_a_fault_strikes_once_before_or_after_the_effect(
    server: Server, client: Client, fault: dict[str, Any], error: type[Exception], applied: bool
):
    control(server, "fail", method="POST", path="/v1/blocks", **fault)
    assert client.health().status == "ok"

    with pytest.raises(error):
        client.blocks.create(label="l", value="lost?")

    assert len(client.blocks.list().items) == int(applied)
    client.blocks.create(label="l", value="well")


def test_faults_can_skip_and_repeat_and_be_called_off(server: Server):
    control(server, "fail", status=500, skip=1, count=2)

    def seen(times: int) -> list[int]:
        return [HTTP.get(f"{server.url}/v1/blocks").status_code for _ in range(times)]

    assert seen(4) == [200, 500, 500, 200]
    control(server, "fail", status=500, count=9)
    control(server, "calm")
    assert seen(1) == [200]


def test_the_state_can_be_taken_and_put_back(server: Server, client: Client):
    agent = agent_with(client, human="yesterday")
    backup = HTTP.get(f"{server.url}/_control/state").json()
    client.blocks.update(agent.blocks[0].id, value="today")
    control(server, "wipe")
    assert (list(client.agents.list()), list(client.blocks.list())) == ([], [])

    HTTP.put(f"{server.url}/_control/state", json=backup).raise_for_status()

    assert values(client, agent) == {"human": "yesterday"}


# --- who may ask ---------------------------------------------------------------------------------------------------


def test_a_password_is_asked_for_everything_but_health():
    with serve(password="s3cret") as server:
        with Client(base_url=server.url, api_key="wrong", max_retries=0) as stranger:
            assert stranger.health().status == "ok"
            with pytest.raises(letta_client.AuthenticationError):
                stranger.blocks.list()
        assert HTTP.post(f"{server.url}/_control/wipe").status_code == 401
        with Client(base_url=server.url, api_key="s3cret", max_retries=0) as friend:
            assert list(friend.blocks.list()) == []


@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_a_web_page_cannot_reach_it(server: Server, header: dict[str, str]):
    assert HTTP.get(f"{server.url}/v1/blocks", headers=header).status_code == 403


def test_many_threads_lose_nothing(server: Server, client: Client):
    def write(name: str) -> None:
        with Client(base_url=server.url, api_key="any", max_retries=0) as own:
            for number in range(10):
                own.blocks.create(label=name, value=str(number))

    threads = [threading.Thread(target=write, args=(f"t{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(client.blocks.list(limit=0).items) == 60


# --- the folder ----------------------------------------------------------------------------------------------------


def test_everything_is_there_after_a_restart(tmp_path: Path):
    with serve(tmp_path) as server, Client(base_url=server.url, api_key="any", max_retries=0) as client:
        agent = agent_with(client, human="h0", gone="g0")
        run = control(server, "begin_turn", agent_id=agent.id, text="hi")["run_id"]
        client.blocks.delete(next(block.id for block in agent.blocks if block.label == "gone"))
        tools = sorted(tool.id for tool in client.tools.list())

    with serve(tmp_path) as server, Client(base_url=server.url, api_key="any", max_retries=0) as client:
        assert values(client, agent) == {"human": "h0"}
        assert sorted(tool.id for tool in client.tools.list()) == tools
        control(server, "tool_call", run_id=run, tool="memory_insert", args={"label": "human", "new_string": "x"})
        assert values(client, agent) == {"human": "h0\nx"}


def test_a_stopped_server_answers_nobody(tmp_path: Path):
    server = serve(tmp_path)
    with httpx.Client(base_url=server.url) as kept_alive:
        kept_alive.get("/v1/health/")
        server.stop()

        with pytest.raises(httpx.TransportError):
            kept_alive.post("/v1/blocks", json={"label": "l", "value": ""})


def test_two_servers_never_share_a_folder(tmp_path: Path):
    with serve(tmp_path), pytest.raises(DamagedData, match="in use"):
        serve(tmp_path)


def started(folder: Path) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "reconciler.embedded.letta", "--data", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    return process, process.stdout.readline().removeprefix("listening on ").strip()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_acknowledged_survives_the_end_of_the_process(tmp_path: Path, number: signal.Signals):
    process, url = started(tmp_path)
    with process, Client(base_url=url, api_key="any", max_retries=0) as client:
        made = [client.blocks.create(label="l", value=str(each)).id for each in range(5)]
        os.kill(process.pid, number)
        assert process.wait(10) == (-signal.SIGKILL if number is signal.SIGKILL else 0)

    with serve(tmp_path) as server, Client(base_url=server.url, api_key="any", max_retries=0) as client:
        assert [block.id for block in client.blocks.list()] == made
