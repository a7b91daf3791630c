"""One-line text for commits: whatever a name, an address or a message brings, it cannot forge a header or a trailer."""

from __future__ import annotations

import unicodedata
from typing import Final

from reconciler.ports import Person

RECONCILER: Final = Person("reconciler", "reconciler@localhost")
"""The committer of everything we write, and the author of what nobody else wrote."""


def one_line(text: str) -> str:
    """The text as one line: control characters and line separators become spaces, runs of blanks become one.

    Surrogates go too: git stores UTF-8, and a lone surrogate has none.
    """
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    return " ".join(kept.split())


def person(name: str, email: str) -> Person:
    """A git identity made of whatever a live system calls somebody; git refuses an empty name, so there is none."""
    return Person(_identity(name) or "unknown", _identity(email).replace(" ", "") or "unknown@localhost")


def _identity(text: str) -> str:
    # Git itself strips these from both ends of a name ("crud" in its ident.c); we do, so that what we wrote is
    # what we read back.
    return one_line(text.replace("<", " ").replace(">", " ")).strip(" .,:;\"'\\")


def trailer(key: str, value: str) -> str:
    """One line of a trailer block."""
    return f"{one_line(key)}: {one_line(value)}"


def clean_message(text: str) -> str:
    """A commit message without control characters but line feeds and tabs, without blank lines around it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs") else " " for c in text)
    return kept.strip("\n").rstrip()
