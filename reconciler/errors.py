"""The two kinds of trouble: what is worth another try, and what needs a person.

Adapters translate every foreign exception into one of these, once; anything else that is raised is a bug.
"""

from __future__ import annotations


class ReconcilerError(Exception):
    """The message says what happened, where, and what to do next; it never holds a secret."""


class Transient(ReconcilerError):
    """Worth another try later: a time-out, a 5xx, a cut connection, a lock held by somebody."""


class Terminal(ReconcilerError):
    """Will not mend by itself: bad input, bad credentials, damaged state."""


class MovedOn(Terminal):
    """Refused, because what a person decided on is no longer what is there: they must look again."""
