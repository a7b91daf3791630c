"""The folder into which git's hooks drop the name of a scope that moved: an empty file per scope, its name the scope.

The name is all there is to read, so a file here can make us look, and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from reconciler.core.snapshot import Scope
from reconciler.manifest.names import NameRefused, check_user_id

SPOOL: Final = "state/spool"


def spool_name(scope: Scope) -> str:
    """``user/ann`` is ``user:ann``: no user id holds a colon."""
    return scope.replace("/", ":")


def dropped(folder: Path) -> Iterator[Scope]:
    """The scopes dropped since the last call; names that are none are removed and forgotten."""
    with suppress(FileNotFoundError):
        for name in sorted(os.listdir(folder)):
            with suppress(OSError):
                os.unlink(folder / name)
            if (scope := _scope(name)) is not None:
                yield scope


def _scope(name: str) -> Scope | None:
    kind, colon, user = name.partition(":")
    if not colon:
        return name if name == "courses" else None
    with suppress(NameRefused):
        return f"user/{check_user_id(user)}" if kind == "user" else None
    return None
