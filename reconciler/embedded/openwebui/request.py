"""One HTTP request, read, and the table that says which request calls what."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from reconciler.embedded.openwebui.model import OpenWebUI
from reconciler.embedded.openwebui.state import Refused, Row


@dataclass(frozen=True, slots=True)
class Request:
    """`bearer`: the key or token that came with it; `caller`: whose it is, once that is known."""

    method: str
    path: str
    query: Mapping[str, str]
    body: object = None
    bearer: str = ""
    parts: tuple[str, ...] = ()
    caller: Row = field(default_factory=dict[str, object])

    @property
    def key(self) -> str:
        """The first part of the path that varies: mostly an id."""
        return self.parts[0]

    @property
    def id(self) -> str:
        """The id in the query, where models have theirs."""
        if "id" not in self.query:
            raise Refused(422, "Field required: id")
        return self.query["id"]

    def flag(self, name: str, default: bool) -> bool:
        return self.query[name].lower() in ("true", "1", "yes", "on") if name in self.query else default

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.query.get(name, default))
        except ValueError as error:
            raise Refused(422, f"Input should be a valid integer: {name}") from error

    @property
    def page(self) -> int:
        return max(1, self.page_if_any or 1)

    @property
    def page_if_any(self) -> int | None:
        return self.number("page", 1) if "page" in self.query else None


Handler = Callable[[OpenWebUI, Request], object]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler


class NoPage(Exception):
    """The path is none of the API's: the real server answers 200 with the page of its front end."""


def table(entries: Mapping[str, Handler]) -> list[Route]:
    """From `"GET /notes/{}"` and its handler. More fixed words come first, so `search` is never read as an id."""
    routes: list[Route] = []
    for entry in sorted(entries, key=lambda each: each.count("{}")):
        method, path = entry.split(" ")
        path = path if path.startswith(("/api/", "/_control/")) else f"/api/v1{path}"
        pattern = re.compile(re.escape(path).replace(re.escape("{}"), "([^/]+)"))
        routes.append(Route(method, pattern, entries[entry]))
    return routes


def found(routes: list[Route], request: Request) -> tuple[Handler, Request]:
    """The handler, and the request with its path's parts; 405 for another method on a known path."""
    known = False
    for route in routes:
        if match := route.pattern.fullmatch(request.path):
            if route.method == request.method:
                return route.handler, replace(request, parts=tuple(map(unquote, match.groups())))
            known = True
    if known:
        raise Refused(405, "Method Not Allowed")
    raise NoPage
