"""Whose name stands on a commit that somebody makes here by hand."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
from pathlib import Path

from reconciler.ports import Person
from reconciler.store.people import person

_IDENT = re.compile(r"(?P<name>.*?) <(?P<email>[^>]*)> \d+ [+-]\d{4}")


def who_commits(folder: Path) -> Person:
    """Who git would say is committing in the folder: by its settings, else the user of this machine."""
    asked = subprocess.run(
        ["git", "var", "GIT_AUTHOR_IDENT"], cwd=folder, capture_output=True, text=True, errors="replace", check=False
    )
    found = _IDENT.match(asked.stdout)
    if asked.returncode == 0 and found:
        return person(found["name"], found["email"])
    name = getpass.getuser()
    return person(name, f"{name}@{os.uname().nodename}")
