"""What the server has to offer that git can only ask for: tools, models, embeddings. Asked at most once a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from reconciler.errors import ReconcilerError, Terminal
from reconciler.remotes.letta.client import Api
from reconciler.remotes.letta.paging import walk
from reconciler.remotes.letta.wire import Json, handle, text

KEPT = timedelta(seconds=60)
_TOOLS_A_PAGE = 1000


class Offers:
    """A listing that failed is left out, and asked for again next time: not knowing is not "none"."""

    def __init__(self, api: Api, now: Callable[[], datetime]) -> None:
        self._api = api
        self._now = now
        self._kept: dict[str, tuple[datetime, Mapping[str, str]]] = {}

    def shown(self) -> tuple[Mapping[str, frozenset[str]], list[str]]:
        """Names per kind of offer, and a warning per listing that failed."""
        found: dict[str, frozenset[str]] = {}
        warnings: list[str] = []
        for kind in ("tools", "models", "embeddings"):
            try:
                found[kind] = frozenset(self._names(kind))
            except Terminal:
                raise
            except ReconcilerError as error:
                warnings.append(f"what {kind} Letta offers is unknown for now: {error}")
        return found, warnings

    def tool_ids(self, names: Iterable[str]) -> list[str]:
        """Ids of the tools by name. A tool the server lacks is left out: the engine warns of it, the rest converges."""
        wanted = sorted(set(names))
        if any(name not in self._names("tools") for name in wanted):
            self._kept.pop("tools", None)
        if not wanted:
            return []
        known = self._names("tools")
        return [known[name] for name in wanted if name in known]

    def forget(self) -> None:
        """Ask again next time: the server has just refused something that was read from it."""
        self._kept.clear()

    def _names(self, kind: str) -> Mapping[str, str]:
        kept = self._kept.get(kind)
        if kept and self._now() - kept[0] < KEPT:
            return kept[1]
        names = self._read(kind)
        self._kept[kind] = (self._now(), names)
        return names

    def _read(self, kind: str) -> Mapping[str, str]:
        if kind == "tools":
            found, _ = walk(self._api.tools, _TOOLS_A_PAGE, {})
            # Oldest first, so that of two tools with one name the older is kept.
            return {text(tool, "name"): handle(tool) for tool in reversed(found)}
        listed = self._api.models() if kind == "models" else self._api.embeddings()
        return {name: name for row in listed if (name := _handle_of(row))}


def _handle_of(model: Json) -> str:
    return text(model, "handle")
