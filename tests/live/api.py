"""Short words for what the live tests say to Letta. Not an adapter: raw JSON in and out."""

from typing import Any

from tests.live.server import EMBEDDING, MODEL, LettaServer

HUMAN = {"label": "human", "value": "h0"}
PERSONA = {"label": "persona", "value": "p0"}
ALL = {"include": ["agent.blocks", "agent.tags", "agent.tools"]}


def create_agent(letta: LettaServer, name: str = "a", **more: Any) -> Any:
    body = {"name": name, "model": MODEL, "embedding": EMBEDDING, "memory_blocks": [HUMAN, PERSONA]}
    return letta.request("POST", "/v1/agents/", json=body | more)


def create_block(letta: LettaServer, label: str, value: str, **more: Any) -> str:
    body = {"label": label, "value": value, **more}
    return letta.request("POST", "/v1/blocks/", json=body)["id"]


def agent(letta: LettaServer, agent_id: str) -> Any:
    return letta.request("GET", f"/v1/agents/{agent_id}", params=ALL)


def blocks(letta: LettaServer, agent_id: str) -> dict[str, Any]:
    return {block["label"]: block for block in agent(letta, agent_id)["blocks"]}


def value(letta: LettaServer, block_id: str) -> str:
    return letta.request("GET", f"/v1/blocks/{block_id}")["value"]


def patch_agent(letta: LettaServer, agent_id: str, **fields: Any) -> Any:
    return letta.request("PATCH", f"/v1/agents/{agent_id}", json=fields)


def patch_block(letta: LettaServer, block_id: str, **fields: Any) -> Any:
    return letta.request("PATCH", f"/v1/blocks/{block_id}", json=fields)


def messages(letta: LettaServer, agent_id: str) -> list[Any]:
    return letta.request("GET", f"/v1/agents/{agent_id}/messages", params={"limit": 50})


def compiled_prompt(letta: LettaServer, agent_id: str) -> str:
    (system,) = (
        message["content"] for message in messages(letta, agent_id) if message["message_type"] == "system_message"
    )
    return system


def labels(letta: LettaServer, path: str, **params: Any) -> list[str]:
    """What a list shows, by name, in no order."""
    rows = letta.request("GET", path, params=params)
    return sorted(row.get("label") or row["name"] for row in rows)
