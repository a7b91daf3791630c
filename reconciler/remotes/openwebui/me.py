"""The service account: its id, and the secret with which it seals the marks on its notes.

The secret lives in the account's own ``info``, which only it and admins can read: it outlives a change of the API
key, and goes with the database that holds the notes.
"""

from __future__ import annotations

import secrets
import threading

from reconciler.errors import Terminal
from reconciler.remotes.openwebui.client import Api, Refused
from reconciler.remotes.openwebui.wire import rows, table, text

INFO = "/users/user/info"


class Me:
    """Asked once; an answer that was not there is asked for again."""

    def __init__(self, api: Api, workspace: str) -> None:
        self._api = api
        self._key = f"reconciler-{workspace}"
        self._lock = threading.Lock()
        self._id = ""
        self._secret = ""

    def id(self) -> str:
        """Empty while the server will not say and nothing of ours is there to tell by."""
        with self._lock:
            self._id = self._id or self._asked_id()
            return self._id

    def secret(self) -> str:
        """Empty where none was made yet: then nothing is sealed. Reading makes none: a dry run writes nothing."""
        with self._lock:
            self._secret = self._secret or text(self._api.row(INFO), self._key)
            return self._secret

    def secret_to_write_with(self) -> str:
        """Made at the first write; what the account holds afterwards is it, whoever was quicker."""
        if found := self.secret():
            return found
        self._api.post(f"{INFO}/update", {self._key: secrets.token_hex(32)})
        found = self.secret()
        if not found:
            raise Terminal("Open WebUI did not keep the secret of the service account; is its account writable?")
        return found

    def forget(self) -> None:
        """After the database was wiped or restored, the id and the secret may be others."""
        with self._lock:
            self._id = self._secret = ""

    def _asked_id(self) -> str:
        try:
            return text(self._api.row("/users/user/status"), "id")
        except Refused as error:
            if error.status != 403:
                raise
        # User status is switched off. Both listings give the account's own things only.
        for path in ("/notes/search", "/models/list"):
            for row in rows(table(self._api.get(path, view_option="created")).get("items")):
                return text(row, "user_id")
        return ""
