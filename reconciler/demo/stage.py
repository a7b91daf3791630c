"""Where the demo plays: the folder it may remove, the courses it starts from, and the stand-in as seen from outside."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from reconciler.demo.shell import check
from reconciler.embedded.host import Address
from reconciler.errors import Terminal
from reconciler.lock import loop_pid
from reconciler.settings import FILE

COURSE = "intro-statistics"
OURS = "# Made by the demo, which removes this folder when it runs again. Delete this line to keep the folder."

SETTINGS = f"""\
{OURS}

[letta]
grace_seconds = 0    # the stand-in lists an agent's run at once; a real server takes a moment

[openwebui]
embedded = true      # the stand-in; for a real one, its url
quiet_seconds = 0    # nobody is in the middle of typing
default_courses = ["{COURSE}"]
"""


def clear(folder: Path) -> None:
    """Make way for a new workspace; Terminal where the folder is not one that an earlier demo made."""
    if folder.is_symlink() or (folder.exists() and not _is_ours(folder)):
        raise Terminal(f"{folder} was not made by the demo, so it stays as it is; move it away, or name another folder")
    if folder.exists() and (pid := loop_pid(folder)) is not None:
        raise Terminal(f"process {pid} is keeping {folder} in sync; stop it first")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / FILE).write_text(SETTINGS)


def _is_ours(folder: Path) -> bool:
    settings = folder / FILE
    return settings.is_file() and settings.read_text(errors="replace").startswith(OURS)


def example_courses(checkout: Path) -> Path:
    """The courses that come with the source."""
    courses = checkout / "courses"
    if not (courses / COURSE / "course.toml").is_file():
        raise Terminal(f"{courses} holds no example courses; run the demo from a checkout of the source")
    return courses


@dataclass(frozen=True)
class Agent:
    """A learner's agent on the stand-in, reached over its HTTP API like any other client would."""

    id: str
    name: str
    http: httpx.Client

    def says(self, text: str) -> Mapping[str, Any]:
        """One whole turn. The tool's return message; an empty mapping where no tool was called."""
        answer = json_of(self.http.post(f"/v1/agents/{self.id}/messages", json={"messages": [_user(text)]}))
        returns = [each for each in answer["messages"] if each["message_type"] == "tool_return_message"]
        return returns[-1] if returns else {}

    def block(self, label: str) -> str:
        """The text of one of its memory blocks, as Letta holds it."""
        return json_of(self.http.get(f"/v1/agents/{self.id}/core-memory/blocks/{label}"))["value"]

    def prompt(self) -> str:
        return json_of(self.http.get(f"/v1/agents/{self.id}"))["system"]


def client(at: Address) -> httpx.Client:
    headers = {"Authorization": f"Bearer {at.token}"}
    return httpx.Client(base_url=at.url, headers=headers, timeout=10, follow_redirects=True, trust_env=False)


def agent_of(http: httpx.Client, user: str, course: str) -> Agent:
    """The one agent that carries our tags for this learner and course."""
    tags = {"tags": ["reconciler", f"user:{user}", f"course:{course}"], "match_all_tags": True}
    found = json_of(http.get("/v1/agents/", params=tags))
    check(len(found) == 1, f"{user} has one agent for {course}")
    return Agent(found[0]["id"], found[0]["name"], http)


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def json_of(response: httpx.Response) -> Any:
    """The answer of a request that did what it should."""
    check(response.is_success, f"{response.request.method} {response.request.url.path} is answered with 200")
    return response.json()
