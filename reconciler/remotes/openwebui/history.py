"""The version history that Open WebUI keeps of a model: who saved what, upon which version, and in which words."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from reconciler.core.value import Fields
from reconciler.remotes.openwebui.client import Api, part
from reconciler.remotes.openwebui.models import shown_fields
from reconciler.remotes.openwebui.wire import Json, handle, number, table, text

VERSIONS_A_PAGE = 20
MOST_KEPT = 500


@dataclass(frozen=True)
class Version:
    """One save. ``parent``: the version it was made upon, or None. ``fields``: as of a `Live`, without settings
    that the history does not hold (who has access, hidden, active).
    """

    id: str
    parent: str | None
    user: str
    message: str
    when: datetime
    fields: Fields


class History:
    """Versions never change, so each is fetched once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._kept: OrderedDict[str, Fields] = OrderedDict()

    def of(self, model: str, limit: int = VERSIONS_A_PAGE) -> list[Version]:
        """Newest first."""
        return list(islice(self.walk(model), limit))

    def walk(self, model: str) -> Iterator[Version]:
        """Newest first; what a version held is fetched only when it is its turn."""
        page = 0
        while True:
            page += 1
            listed = [row for row in self._api.list("/models/model/history", id=model, page=page) if handle(row)]
            yield from (self._version(model, row) for row in in_order(listed))
            if len(listed) < VERSIONS_A_PAGE:
                return

    def _version(self, model: str, row: Json) -> Version:
        return Version(
            handle(row),
            text(row, "parent_id") or None,
            text(row, "user_id"),
            text(row, "commit_message"),
            datetime.fromtimestamp(number(row, "created_at"), UTC),
            self._fields(model, handle(row)),
        )

    def _fields(self, model: str, version: str) -> Fields:
        if version not in self._kept:
            row = self._api.row(f"/models/model/history/{part(version)}", id=model)
            shown = shown_fields(table(row.get("snapshot")))
            self._kept[version] = {name: value for name, value in shown.items() if name != "@hidden"}
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return self._kept[version]


def in_order(listed: list[Json]) -> list[Json]:
    """Newest first. Saves of one second come in any order (0.12.4): there, each stands before its parent."""
    parents = {handle(row): text(row, "parent_id") for row in listed}

    def steps(version: str) -> int:
        count = 0
        while (version := parents.get(version, "")) and count < len(parents):
            count += 1
        return count

    return sorted(listed, key=lambda row: (number(row, "created_at"), steps(handle(row))), reverse=True)
