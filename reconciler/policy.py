"""The choices of one pass, as values: how long, how much, and which ways on a person has opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NO_ALIASES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Limits:
    """When a bulk observation looks like an accident: more than this share, or more than this many, of one kind.

    floor: fewer than this many are never an accident.
    """

    share: float = 0.2
    count: int = 10
    floor: int = 2


@dataclass(frozen=True)
class Ways:
    """Ways on after a halt, opened by a person for one pass."""

    recreate: bool = False
    accept_loss: bool = False
    accept_rewind: bool = False
    prune: bool = False


NO_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True)
class WebPolicy:
    """Open WebUI's part of the settings.

    base_model: what a course's model is built on there. default_courses: for everybody with an account.
    groups: courses by the name of the group whose members take them. staff: names of groups by course.
    records_words: of people's chats not only that they are, but what was said.
    """

    base_model: str = ""
    default_courses: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_GROUPS)
    staff: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_GROUPS)
    records_words: bool = False


@dataclass(frozen=True)
class Policy:
    """What the engine needs of the settings.

    grace_seconds: how long after a write the runs are listed. writers: threads for live writes. web: None where no
    Open WebUI is configured.
    """

    agent_name: str = "youlab_{user}_{course}"
    model_aliases: Mapping[str, str] = field(default_factory=lambda: NO_ALIASES)
    grace_seconds: float = 2.0
    writers: int = 4
    limits: Limits = Limits()
    web: WebPolicy | None = None
