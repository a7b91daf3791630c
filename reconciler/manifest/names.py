"""Names and ids from outside, checked against an allow-list before they become paths, refs, flags or trailers.

A name is refused rather than mended: two learners whose ids were mended to one would share a repo.
"""

from __future__ import annotations

import re
import unicodedata

from reconciler.errors import Terminal

MAX_LENGTH = 128

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_USER_ID = re.compile(r"[A-Za-z0-9_@+][A-Za-z0-9._@+-]*")
_KEBAB = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}|[{}]")


class NameRefused(Terminal):
    """A name that must not be used; the message says which, why, and what a good one looks like."""


def check_user_id(user_id: str) -> str:
    """`user_id` where it is safe as a folder, as part of a git ref and as an argument; else `NameRefused`."""
    _check(user_id, "user id", _USER_ID, "ASCII letters, digits and . _ - @ +, beginning with neither - nor .")
    for part in ("..", "@{"):
        if part in user_id:
            raise NameRefused(f"{_quoted('user id', user_id)} contains {part}, which git does not allow in a name")
    if user_id.lower().endswith((".", ".lock", ".git")) or user_id == "@":
        raise NameRefused(f"{_quoted('user id', user_id)} is or ends in something git keeps for itself: . .lock .git @")
    return user_id


def check_name(name: str, what: str) -> str:
    """`name` where it is a safe kebab-case or snake_case name; `what` says in the error what it names."""
    return _check(name, what, _NAME, "ASCII letters, digits, - and _, not beginning with -")


def is_kebab(name: str) -> bool:
    return _KEBAB.fullmatch(name) is not None


def check_display_name(name: str, what: str) -> str:
    """`name` in any script, where it is one line of plain text that cannot forge an author or a trailer."""
    if len(name) > MAX_LENGTH:
        raise NameRefused(f"{_quoted(what, name)} has {len(name)} characters; use at most {MAX_LENGTH}")
    if any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in name):
        raise NameRefused(f"{_quoted(what, name)} contains a line break or a control character; write it on one line")
    if "<" in name or ">" in name:
        raise NameRefused(f"{_quoted(what, name)} contains < or >, which git keeps for the address; leave them out")
    return name


def check_label(label: str, what: str = "label") -> str:
    """`label` where Letta can find a block by it: a label with a slash in it cannot be reached by its route."""
    check_display_name(label, what)
    if not label.strip() or "/" in label:
        raise NameRefused(f"{_quoted(what, label)} is blank or contains /; Letta could not find the block by it")
    return label


_NOT_IN_AGENT_NAMES = re.compile(r"[^\w' -]", re.ASCII)
"""Letta 0.16.8 answers 500 to a name with any other character (measured). Names need not be unique there."""


def letta_agent_name(template: str, user: str, course: str) -> str:
    """The agent's name in Letta: `template` with {user} and {course} filled in, and nothing else understood."""
    parts = {"user": check_user_id(user), "course": check_name(course, "course id")}

    def filled(found: re.Match[str]) -> str:
        if found[1] not in parts:
            raise NameRefused(
                f"the agent name template {template!r} contains {found[0]}; use only {{user}} and {{course}}"
            )
        return parts[found[1]]

    name = check_display_name(_PLACEHOLDER.sub(filled, template), "agent name")
    return _NOT_IN_AGENT_NAMES.sub("_", name)


def _check(name: str, what: str, pattern: re.Pattern[str], allowed: str) -> str:
    if not name:
        raise NameRefused(f"the {what} is empty; use {allowed}")
    if len(name) > MAX_LENGTH:
        raise NameRefused(f"{_quoted(what, name)} has {len(name)} characters; use at most {MAX_LENGTH}")
    if not pattern.fullmatch(name):
        raise NameRefused(f"{_quoted(what, name)} cannot be used as a name; use {allowed}")
    return name


def _quoted(what: str, name: str) -> str:
    """The name with everything invisible escaped, so that an error cannot be forged through it."""
    return f"{what} {name if len(name) <= 40 else name[:40] + '...'!a}"
