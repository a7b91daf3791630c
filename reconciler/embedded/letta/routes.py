"""Which request calls what of the model. A table: the pattern's `{}` become the request's `parts`."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import unquote

from reconciler.embedded.letta.catalog import EMBEDDINGS, embedding_config
from reconciler.embedded.letta.listing import history
from reconciler.embedded.letta.model import Letta, Refused, Row
from reconciler.embedded.letta.request import Request, as_object

Handler = Callable[[Letta, Request], object]
_STATUSES = frozenset({"created", "running", "completed", "failed", "cancelled"})
_BLOCK_LABEL = re.compile("[a-zA-Z0-9_/-]{1,50}")


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler


def found(routes: list[Route], request: Request) -> tuple[Handler, Request]:
    """The handler, and the request with its path's parts; 404 for an unknown path, 405 for another method on it."""
    known = False
    for route in routes:
        if match := route.pattern.fullmatch(request.path):
            if route.method == request.method:
                return route.handler, replace(request, parts=tuple(map(unquote, match.groups())))
            known = True
    raise Refused(405, "Method Not Allowed") if known else Refused(404, "Not Found")


def table(entries: dict[str, Handler]) -> list[Route]:
    """From `"GET /v1/blocks/{}"` and its handler. More fixed words come first, so `count` is never read as an id."""
    routes: list[Route] = []
    for entry in sorted(entries, key=lambda each: each.count("{}")):
        method, path = entry.split(" ")
        pattern = re.compile(re.escape(path).replace(re.escape("{}"), "([^/]+)"))
        routes.append(Route(method, pattern, entries[entry]))
    return routes


def _list_blocks(letta: Letta, request: Request) -> list[Row]:
    label = request.text("label")
    if label is not None and not _BLOCK_LABEL.fullmatch(label):
        raise Refused(422, "String should match pattern '^[a-zA-Z0-9_/-]+$'")
    return letta.blocks.list(request.listing())


def _list_tools(letta: Letta, request: Request) -> list[Row]:
    names = request.texts("names")
    rows = letta.tools.list(request.listing())
    return [row for row in rows if row["name"] in names] if names else rows


def _list_runs(letta: Letta, request: Request) -> list[Row]:
    listing = request.listing(limit=100)
    if not 1 <= (listing.limit or 0) <= 1000:
        raise Refused(422, "Input should be greater than or equal to 1 and less than or equal to 1000: limit")
    unknown = set(request.texts("statuses")) - _STATUSES
    if unknown:
        raise Refused(400, f"{sorted(unknown)} is not a valid RunStatus")
    agent_id = request.text("agent_id")
    return letta.turns.page_of(listing, agent_id, statuses=request.texts("statuses"), active=request.flag("active"))


def _get_run(letta: Letta, request: Request) -> Row:
    try:
        return letta.turns.get(request.key)
    except Refused as refused:
        # This route alone checks the id by hand, and answers 400 where the others say 422.
        raise refused if refused.status != 422 else Refused(400, "INVALID_ARGUMENT: Invalid run ID format") from None


def _patch_labelled(letta: Letta, request: Request) -> Row:
    """With tags in it, this one writes the value and then fails."""
    block = letta.agents.block_labelled(request.key, request.part(1))
    body = as_object(request.body)
    patched = letta.blocks.update(block["id"], {name: value for name, value in body.items() if name != "tags"})
    if "tags" in body:
        raise Refused(409, "null value in column organization_id of relation blocks_tags")
    return patched


def _delete_agent(letta: Letta, request: Request) -> Row:
    letta.agents.delete(request.key)
    return {"message": f"Agent id={request.key} successfully deleted"}


def _change_tool(letta: Letta, request: Request) -> Row | None:
    agent_id, verb, tool_id = request.parts
    if verb not in ("attach", "detach"):
        raise Refused(404, "Not Found")
    change = letta.agents.attach_tool if verb == "attach" else letta.agents.detach_tool
    agent = change(agent_id, tool_id)
    return None if request.typed_client else agent


def _messages(letta: Letta, request: Request) -> list[Row]:
    return letta.turns.messages(request.key, request.listing(limit=100))


def _messages_of_run(letta: Letta, request: Request) -> list[Row]:
    return history(letta.turns.messages_of_run(request.key), request.listing(limit=100))


def _embedding_models(_letta: Letta, _request: Request) -> list[Row]:
    listed = ((handle, embedding_config(handle)) for handle in EMBEDDINGS)
    return [{**config, "name": config["embedding_model"], "model_type": "embedding"} for _handle, config in listed]


ROUTES = table(
    {
        "GET /v1/health": lambda letta, request: {"version": "0.16.8-embedded", "status": "ok"},
        "GET /v1/models": lambda letta, request: letta.catalog.listed(),
        "GET /v1/models/embedding": _embedding_models,
        "GET /v1/agents": lambda letta, request: letta.agents.list(request.listing()),
        "POST /v1/agents": lambda letta, request: letta.agents.create(request.body),
        "GET /v1/agents/count": lambda letta, request: letta.agents.count(request.listing()),
        "GET /v1/agents/{}": lambda letta, request: letta.agents.get(request.key, request.included()),
        "PATCH /v1/agents/{}": lambda letta, request: letta.agents.update(request.key, request.body),
        "DELETE /v1/agents/{}": _delete_agent,
        "POST /v1/agents/{}/recompile": lambda letta, request: letta.agents.recompile(request.key),
        "POST /v1/agents/{}/system-prompt/recompile": lambda letta, request: letta.agents.recompile(request.key),
        "GET /v1/agents/{}/context": lambda letta, request: letta.agents.context(request.key),
        "GET /v1/agents/{}/core-memory": lambda letta, request: letta.agents.memory(request.key),
        "GET /v1/agents/{}/core-memory/blocks": lambda letta, request: letta.agents.list_blocks(
            request.key, request.listing(100)
        ),
        "GET /v1/agents/{}/core-memory/blocks/{}": lambda letta, request: letta.agents.block_labelled(
            request.key, request.part(1)
        ),
        "PATCH /v1/agents/{}/core-memory/blocks/{}": _patch_labelled,
        "PATCH /v1/agents/{}/core-memory/blocks/attach/{}": lambda letta, request: letta.agents.attach_block(
            request.key, request.part(1)
        ),
        "PATCH /v1/agents/{}/core-memory/blocks/detach/{}": lambda letta, request: letta.agents.detach_block(
            request.key, request.part(1)
        ),
        "GET /v1/agents/{}/tools": lambda letta, request: letta.agents.list_tools(request.key, request.listing()),
        "PATCH /v1/agents/{}/tools/{}/{}": _change_tool,
        "GET /v1/agents/{}/messages": _messages,
        "GET /v1/blocks": _list_blocks,
        "POST /v1/blocks": lambda letta, request: letta.blocks.create(request.body),
        "GET /v1/blocks/count": lambda letta, request: letta.blocks.count(request.listing()),
        "GET /v1/blocks/{}": lambda letta, request: letta.blocks.get(request.key),
        "PATCH /v1/blocks/{}": lambda letta, request: letta.blocks.update(request.key, request.body),
        "DELETE /v1/blocks/{}": lambda letta, request: letta.blocks.delete(request.key),
        "GET /v1/blocks/{}/agents": lambda letta, request: letta.agents.holding(request.key, request.listing()),
        "GET /v1/tools": _list_tools,
        "POST /v1/tools": lambda letta, request: letta.tools.upsert(request.body),
        "PUT /v1/tools": lambda letta, request: letta.tools.upsert(request.body),
        "GET /v1/tools/count": lambda letta, request: letta.tools.count(request.listing()),
        "GET /v1/tools/{}": lambda letta, request: letta.tools.get(request.key),
        "DELETE /v1/tools/{}": lambda letta, request: letta.tools.delete(request.key),
        "GET /v1/runs": _list_runs,
        "GET /v1/runs/active": lambda letta, request: letta.turns.list(request.text("agent_id"), active=True),
        "GET /v1/runs/{}": _get_run,
        "GET /v1/runs/{}/messages": _messages_of_run,
    }
)
