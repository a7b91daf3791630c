"""Filters, order and cursors: what every list route has in common."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from reconciler.embedded.letta.state import Refused, Row


@dataclass(frozen=True, slots=True)
class Listing:
    """One list request. `limit=0` is everything; `ascending=None` is the route's own default."""

    tags: tuple[str, ...] = ()
    match_all_tags: bool = False
    name: str | None = None
    label: str | None = None
    text: str | None = None
    after: str | None = None
    before: str | None = None
    limit: int | None = 50
    ascending: bool | None = None
    order_by: str = "created_at"
    include: tuple[str, ...] = ()


ALL = Listing(limit=0)


def matching(rows: Iterable[Row], listing: Listing) -> list[Row]:
    return [row for row in rows if _matches(row, listing)]


def page(rows: Iterable[Row], listing: Listing, *, ascending: bool) -> list[Row]:
    """The page asked for. `ascending` is the route's default; rows come in the order they were created."""
    ordered = matching(rows, listing)
    if listing.order_by != "created_at":
        ordered.sort(key=lambda row: row.get(listing.order_by) or "")
    if not (ascending if listing.ascending is None else listing.ascending):
        ordered.reverse()
    return _limited(_within(ordered, listing), listing.limit)


def history(rows: list[Row], listing: Listing) -> list[Row]:
    """A page of what happened, always oldest first; `rows` come so. Cursors mean earlier and later in any order.

    Descending takes the newest of the window, ascending the oldest. Here an unknown cursor is 404.
    """
    keys = [row["id"] for row in rows]
    for cursor in (listing.after, listing.before):
        if cursor is not None and cursor not in keys:
            raise Refused(404, f"No message found with id {cursor!r}")
    window = _within(rows, listing)
    if listing.limit is not None and listing.limit < 0:
        raise Refused(500, "LIMIT must not be negative")
    limit = len(window) if listing.limit is None else listing.limit
    return window[:limit] if listing.ascending else window[max(0, len(window) - limit) :]


def _matches(row: Row, listing: Listing) -> bool:
    if listing.tags and not _has_tags(row, listing):
        return False
    if listing.name is not None and row.get("name") != listing.name:
        return False
    if listing.label is not None and row.get("label") != listing.label:
        return False
    return listing.text is None or listing.text.lower() in str(row.get("name") or "").lower()


def _has_tags(row: Row, listing: Listing) -> bool:
    there: list[str] = row.get("tags") or []
    return (all if listing.match_all_tags else any)(tag in there for tag in listing.tags)


def _within(rows: list[Row], listing: Listing) -> list[Row]:
    """Between the cursors. An unknown or deleted cursor is no cursor: the real server answers page 1 again."""
    keys = list(map(itemgetter("id"), rows)) if listing.after or listing.before else []
    start = keys.index(listing.after) + 1 if listing.after in keys else 0
    end = keys.index(listing.before) if listing.before in keys else len(rows)
    return rows[start:end]


def _limited(rows: list[Row], limit: int | None) -> list[Row]:
    if limit is not None and limit < 0:
        raise Refused(500, "LIMIT must not be negative")
    return rows[:limit] if limit else rows
