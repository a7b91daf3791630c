"""An Open WebUI that answers, whichever it is: its address, its service account, and requests in anybody's name."""

from typing import Any, Protocol

import httpx

PASSWORD = "correct horse battery staple"  # of every account made here


class HasId(Protocol):
    @property
    def id(self) -> str: ...


class WebUI:
    """What tests of the API need of a server. Not an adapter: raw JSON in and out."""

    url: str
    admin: HasId
    admin_key: str
    """The service account's API key."""
    admin_email = "service@example.org"

    def __init__(self) -> None:
        self.client = httpx.Client(timeout=120)

    @property
    def admin_token(self) -> str:
        """What the service account's browser would hold: some routes refuse a key."""
        body = {"email": self.admin_email, "password": PASSWORD}
        return self.client.post(f"{self.url}/api/v1/auths/signin", json=body).raise_for_status().json()["token"]

    def request(self, method: str, path: str, token: str | None = None, **options: Any) -> Any:
        """One call of the API, as JSON; an error answer raises with its text. `token`: whose, else the admin key's."""
        answer = self.call(method, path, token, **options)
        if answer.is_error:
            told = f"{method} {path}: {answer.status_code} {answer.text}"
            raise httpx.HTTPStatusError(told, request=answer.request, response=answer)
        return answer.json() if answer.content else None

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> httpx.Response:
        """The same, for tests that look at the status."""
        headers = {"Authorization": f"Bearer {token or self.admin_key}"}
        return self.client.request(method, self.url + path, headers=headers, **options)

    def add_user(self, name: str, email: str = "", role: str = "user") -> tuple[str, str]:
        """A new account's id and token. Its password is `PASSWORD`."""
        email = email or f"{name.lower().replace(' ', '.')}@example.org"
        body = {"name": name, "email": email, "password": PASSWORD, "role": role}
        made = self.request("POST", "/api/v1/auths/add", json=body)
        return made["id"], made["token"]

    def refresh_models(self) -> None:
        """The server answers completions from a list that only this request renews."""
        self.request("GET", "/api/models", params={"refresh": "true"})
