"""The stand-in for Open WebUI as people use it: accounts, notes and the model editor, over its HTTP API alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from reconciler.demo.shell import check
from reconciler.demo.stage import json_of
from reconciler.ports import Person

V1 = "/api/v1"


@dataclass(frozen=True)
class Account:
    """Somebody who is signed in."""

    person: Person
    role: str
    token: str
    http: httpx.Client

    def note(self, title: str) -> Mapping[str, Any]:
        """One of the notes they find in their list, whole."""
        listed = self._ask("GET", "/notes/")
        found = [row["id"] for row in listed if row["title"] == title]
        check(len(found) == 1, f"{self.person.name} has one note {title!r}")
        return self._ask("GET", f"/notes/{found[0]}")

    def text(self, title: str) -> str:
        return self.note(title)["data"]["content"]["md"]

    def edits_note(self, title: str, before: str, after: str) -> None:
        """Change a line of a note, as in the browser."""
        row = self.note(title)
        text: str = row["data"]["content"]["md"]
        check(text.count(before) == 1, f"the note {title!r} holds {before!r} once")
        body = {"data": {"content": {"md": text.replace(before, after)}}}
        self._ask("POST", f"/notes/{row['id']}/update", body)

    def edits_prompt(self, model: str, before: str, after: str, words: str) -> None:
        """Save a model with another system prompt. The editor sends the whole form back."""
        rows: list[dict[str, Any]] = self._ask("GET", "/models/list")["items"]
        found = [row for row in rows if row["name"] == model]
        check(len(found) == 1 and before in found[0]["params"]["system"], f"the model {model!r} says {before!r}")
        params = {**found[0]["params"], "system": found[0]["params"]["system"].replace(before, after)}
        self._ask("POST", "/models/model/update", {**found[0], "params": params, "commit_message": words})

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return json_of(self.http.request(method, V1 + path, json=body, headers=headers))


def sign_up(http: httpx.Client, who: Person, role: str) -> Account:
    """An account made by the service account, whose key ``http`` carries."""
    body = {"name": who.name, "email": who.email, "password": f"{who.email}'s", "role": role}
    return Account(who, role, json_of(http.post(f"{V1}/auths/add", json=body))["token"], http)
