"""Every setting, read once and frozen: ``reconciler.toml``, then the environment over it.

A setting ``name`` of a section is also ``RECONCILER_<SECTION>__<NAME>``. Secrets come from there or from systemd
credentials alone: a file that is edited, copied and committed is no place for them. Which words a person reads
about a wrong one is ``settings_errors``'.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from reconciler.errors import Terminal
from reconciler.policy import Limits, Policy, WebPolicy
from reconciler.settings_errors import explained, read_file, refuse_unknown_environment

FILE = "reconciler.toml"
CREDENTIALS = {"letta_token": ("letta", "token"), "openwebui_token": ("openwebui", "token")}
"""Names of systemd credentials, and the settings they are."""

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LettaSettings(Section):
    """Where Letta is. Without a url the embedded stand-in serves."""

    url: str = ""
    token: SecretStr = SecretStr("")
    timeout_seconds: Seconds = 30
    model_aliases: dict[str, str] = {}
    agent_name: str = "youlab_{user}_{course}"
    grace_seconds: float = Field(default=2.0, ge=0, le=60)
    writers: int = Field(default=4, ge=1, le=32)

    @field_validator("url")
    @classmethod
    def _url_without_secrets(cls, url: str) -> str:
        return _checked_url(url, "http://127.0.0.1:8283", "RECONCILER_LETTA__TOKEN")

    @field_validator("agent_name")
    @classmethod
    def _template_of_user_and_course(cls, template: str) -> str:
        if {name for _, name, _, _ in Formatter().parse(template) if name is not None} != {"user", "course"}:
            raise ValueError("expected {user} and {course} in it, and nothing else in braces")
        return template


def _checked_url(url: str, example: str, variable: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError(f"expected an address such as {example}")
    if parts.username or parts.password:
        raise ValueError(f"holds a name or a password; give the token as {variable} instead")
    return url.rstrip("/")


class OpenWebUISettings(Section):
    """Where Open WebUI is; without a url it has no part in anything, unless ``embedded`` has the stand-in serve.

    token: the service account's API key. base_model: what a course's model is built on; with the stand-in, one of its
    own unless said otherwise. default_courses: for everybody with an account. groups: courses by
    the name of the group whose members take them. staff: names of the groups of a course's staff.
    record_chats: of people's chats, "metadata" or "full" (what was said too). poll_seconds: how often the loop looks.
    events_host and events_port: where we listen for events (0: any free port). events_url: how Open WebUI reaches that,
    the secret aside; without one, events are asked for only of an Open WebUI on this machine.
    """

    url: str = ""
    embedded: bool = False
    token: SecretStr = SecretStr("")
    timeout_seconds: Seconds = 30
    quiet_seconds: float = Field(default=2.0, ge=0, le=60)
    base_model: str = ""
    default_courses: tuple[str, ...] = ()
    groups: dict[str, tuple[str, ...]] = {}
    staff: dict[str, tuple[str, ...]] = {}
    record_chats: Literal["metadata", "full"] = "metadata"
    poll_seconds: Seconds = 2
    events_host: str = "127.0.0.1"
    events_port: int = Field(default=0, ge=0, le=65_535)
    events_url: str = ""

    @property
    def is_used(self) -> bool:
        return bool(self.url) or self.embedded

    @field_validator("url")
    @classmethod
    def _url_without_secrets(cls, url: str) -> str:
        return _checked_url(url, "http://127.0.0.1:8080", "RECONCILER_OPENWEBUI__TOKEN")

    @field_validator("embedded")
    @classmethod
    def _embedded_or_elsewhere(cls, embedded: bool, info: ValidationInfo) -> bool:
        if embedded and info.data.get("url"):
            raise ValueError("there is an openwebui.url as well; keep the address or the stand-in, not both")
        return embedded

    @field_validator("events_url")
    @classmethod
    def _events_url_as_an_address(cls, url: str) -> str:
        return _checked_url(url, "https://reconciler.example.org/events", "RECONCILER_OPENWEBUI__TOKEN")


class GuardSettings(Section):
    """When a listing looks like an accident: more than this share or this many of a kind, from ``floor`` on."""

    share: float = Field(default=0.2, gt=0, le=1)
    count: int = Field(default=10, ge=1)
    floor: int = Field(default=2, ge=1)


class LoopSettings(Section):
    """How often the loop looks, in seconds."""

    recent_seconds: Seconds = 5
    values_seconds: Seconds = 60
    full_seconds: Seconds = 3600
    debounce_seconds: float = Field(default=0.5, ge=0, le=60)
    refs_seconds: Seconds = 1


class GitSettings(Section):
    """Whom commits of ours name. autocommit: what was saved, and is valid, is committed in the saver's name.
    fsync: objects and refs are flushed to the disk as they are written."""

    name: str = "reconciler"
    email: str = "reconciler@localhost"
    autocommit: bool = False
    fsync: bool = True


class Settings(BaseSettings):
    """All of it. Read with ``load``, handed down from the composition root, never looked up."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="RECONCILER_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    letta: LettaSettings = LettaSettings()
    openwebui: OpenWebUISettings = OpenWebUISettings()
    guard: GuardSettings = GuardSettings()
    loop: LoopSettings = LoopSettings()
    git: GitSettings = GitSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then systemd's credentials, then the file (which ``load`` hands in)."""
        return env_settings, InitSettingsSource(settings_cls, _credentials(os.environ)), init_settings

    def policy(self) -> Policy:
        """The part of the settings that a pass decides by."""
        return Policy(
            agent_name=self.letta.agent_name,
            model_aliases=self.letta.model_aliases,
            grace_seconds=self.letta.grace_seconds,
            writers=self.letta.writers,
            limits=Limits(self.guard.share, self.guard.count, self.guard.floor),
            web=self._web() if self.openwebui.is_used else None,
        )

    def _web(self) -> WebPolicy:
        web = self.openwebui
        base_model = web.base_model or ("gpt-4o" if web.embedded else "")
        return WebPolicy(base_model, web.default_courses, web.groups, web.staff, web.record_chats == "full")


SECTIONS: Mapping[str, type[Section]] = {
    "letta": LettaSettings,
    "openwebui": OpenWebUISettings,
    "guard": GuardSettings,
    "loop": LoopSettings,
    "git": GitSettings,
}


def load(workspace: Path) -> Settings:
    """The settings of a workspace; Terminal names the file or the variable, the key, and what was expected."""
    known = {section: set(model.model_fields) for section, model in SECTIONS.items()}
    refuse_unknown_environment(os.environ, known)
    written: dict[str, Any] = read_file(workspace / FILE, known, frozenset(CREDENTIALS.values()))
    try:
        return Settings(**written)
    except ValidationError as error:
        raise Terminal(explained(error, written, os.environ)) from None
    except SettingsError as error:
        raise Terminal(f"{error} (a table is given in the environment as JSON)") from None


def _credentials(environ: Mapping[str, str]) -> dict[str, Any]:
    """What systemd's LoadCredential= gave us: a file per secret in a folder that only this service can read."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    given: dict[str, Any] = {}
    for name, (section, key) in CREDENTIALS.items():
        path = Path(folder, name) if folder else None
        if path and path.is_file():
            given.setdefault(section, {})[key] = path.read_text().strip()
    return given
