"""The whole stand-in as one pure state machine: no HTTP, no threads; ids and time come from outside.

`webui.people`, `notes`, `models`, `folders`, `chats` and `hooks` take a caller and request bodies and give response
bodies, or raise `Refused` with the status the real server answers. The same seed and calls give the same rows.
"""

from collections.abc import Callable
from uuid import UUID

from reconciler.embedded.openwebui.access import Access
from reconciler.embedded.openwebui.chats import Chats
from reconciler.embedded.openwebui.folders import Folders
from reconciler.embedded.openwebui.hooks import Hooks
from reconciler.embedded.openwebui.models import Models
from reconciler.embedded.openwebui.notes import Notes
from reconciler.embedded.openwebui.people import People
from reconciler.embedded.openwebui.state import Refused, Row, State, Table, seeded_uuids, ticking

__all__ = ["OpenWebUI", "Refused", "Row"]

ADMIN_PASSWORD = "correct horse battery staple"


class OpenWebUI:
    """One server's worth of people, notes, models, folders, chats and webhooks."""

    def __init__(
        self,
        seed: int = 0,
        *,
        new_uuid: Callable[[], UUID] | None = None,
        now: Callable[[], int] | None = None,
        password: str = ADMIN_PASSWORD,
    ) -> None:
        self._password = password
        self.state = State(new_uuid or seeded_uuids(seed), now or ticking())
        access = Access(self.state)
        self.people = People(self.state)
        self.notes = Notes(self.state, access)
        self.models = Models(self.state, access)
        self.folders = Folders(self.state, access)
        self.chats = Chats(self.state, self.folders, self.models)
        self.hooks = Hooks(self.state)
        self.admin = self.people.ensure_admin(self._password)

    def snapshot(self) -> dict[str, Table]:
        """Everything, to `restore` later. Cheap: rows are shared, since rows are replaced and never changed."""
        return self.state.snapshot()

    def restore(self, tables: dict[str, Table]) -> None:
        """As a server restored from a backup. Without any administrator in it, the present one is kept."""
        kept = self.state.find("users", self.admin["id"]) or self.admin
        self.state.load(tables)
        if not any(user["role"] == "admin" for user in self.state.rows("users")):
            self.state.put("users", kept)
        self.admin = self.people.ensure_admin(self._password)
