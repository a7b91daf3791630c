"""One HTTP request, read: its query as a `Listing`, its values checked the way the server checks them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from reconciler.embedded.letta.listing import Listing
from reconciler.embedded.letta.shown import EVERYTHING, INCLUDABLE
from reconciler.embedded.letta.state import Refused, Row

_ORDERS = {"asc": True, "desc": False}
_COLUMNS = ("created_at", "updated_at", "last_run_completion")


def as_object(body: object) -> Row:
    """The body if it is a JSON object, and an empty one otherwise."""
    return cast(Row, body) if isinstance(body, dict) else {}


@dataclass(frozen=True, slots=True)
class Request:
    """`typed_client` is whether a generated client sent it: to others, lists show every relation by default."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: object = None
    typed_client: bool = True
    parts: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The first part of the path that varies: mostly an id."""
        return self.parts[0]

    def part(self, number: int) -> str:
        return self.parts[number]

    def text(self, name: str) -> str | None:
        return self.query[name][-1] if name in self.query else None

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self.query.get(name, ()))

    def flag(self, name: str) -> bool:
        return (self.text(name) or "").lower() in ("true", "1", "yes", "on")

    def number(self, name: str, default: int) -> int:
        text = self.text(name)
        try:
            return default if text is None else int(text)
        except ValueError as error:
            raise Refused(422, f"Input should be a valid integer: {name}") from error

    def included(self) -> tuple[str, ...]:
        asked = self.texts("include")
        if not INCLUDABLE.issuperset(asked):
            raise Refused(422, f"Input should be one of {sorted(INCLUDABLE)}")
        return asked if asked or self.typed_client else EVERYTHING

    def listing(self, limit: int = 50) -> Listing:
        order_by = self.text("sort_by") or self.text("order_by") or "created_at"
        order = self.text("order")
        if order_by not in _COLUMNS or order not in (None, *_ORDERS):
            raise Refused(422, f"Input should be one of {_COLUMNS}, in the order 'asc' or 'desc'")
        ascending = _ORDERS[order] if order else (True if self.flag("ascending") else None)
        return Listing(
            tags=self.texts("tags"),
            match_all_tags=self.flag("match_all_tags"),
            name=self.text("name"),
            label=self.text("label"),
            text=self.text("query_text") or self.text("search"),
            after=self.text("after"),
            before=self.text("before"),
            limit=self.number("limit", limit),
            ascending=ascending,
            order_by=order_by,
            include=self.included(),
        )
