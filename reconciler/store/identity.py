"""Which workspace this is: ``workspace.toml``, committed with the courses, so that clones know what is theirs."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from reconciler.errors import Terminal, Transient
from reconciler.ports import Draft, Person
from reconciler.store.gitio import MAIN, GitRepo

FILE = "workspace.toml"
_TEXT = """# What is ours in the live systems carries this id. Keep it: with another one, nothing there would be ours.
uuid = "{uuid}"
"""


def read_uuid(courses: GitRepo) -> str | None:
    """The id of the workspace as committed; None where none is."""
    main = courses.ref(MAIN)
    blob = courses.files(main).get(FILE) if main else None
    return _parsed(courses.read(blob), courses.folder / FILE) if blob else None


def _parsed(text: bytes, where: Path) -> str:
    try:
        found: dict[str, Any] = tomllib.loads(text.decode())
        return str(UUID(found["uuid"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Terminal(
            f'{where} is damaged: expected one line, uuid = "…"; `git log {FILE}` shows it as it was'
        ) from error


def give_uuid(courses: GitRepo, author: Person, when: datetime) -> None:
    """Commit a new id, where there is none."""
    courses.heal()
    if read_uuid(courses) is not None:
        return
    main = courses.ref(MAIN)
    text = _TEXT.format(uuid=uuid4()).encode()
    parents = (main,) if main else ()
    first = courses.commit(Draft(main, parents, {FILE: text}, author, "Give the workspace its id", when))
    if not courses.move(MAIN, main, first):
        raise Transient(f"{courses.path}: somebody else committed just now; run it again")
