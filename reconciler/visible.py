"""Text from outside, made safe and short for a terminal: nothing invisible passes, nothing is mended in silence.

A learner's value may hold an escape sequence that clears the operator's screen, or a mark that turns the rest of the
line around: both are shown as the code points they are.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Final

from reconciler.core.base import Settled, Unsettled
from reconciler.core.value import Absent

_JOINERS: Final = frozenset("\u200c\u200d")
"""Invisible, harmless, and needed by Persian, by the scripts of India and by emoji."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})

SHORT: Final = 100
"""Characters of a value on one line."""


def visible(text: str) -> str:
    """The text with everything a terminal would act upon spelled out, line feeds too."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelled(c) if unicodedata.category(c) in _UNSEEN and c not in _JOINERS else c for c in text)


def shortened(text: str, limit: int = SHORT) -> str:
    """The beginning of the text, where it is longer than ``limit``."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def value_text(value: Settled) -> str:
    """A value as TOML would spell it, on one line, whole."""
    match value:
        case Absent():
            return "(not there)"
        case Unsettled():
            return "(not known)"
        case bool():
            return "true" if value else "false"
        case str():
            return visible(json.dumps(value, ensure_ascii=False))
        case datetime() | date() | time():
            return value.isoformat()
        case tuple():
            return f"[{', '.join(map(value_text, value))}]"
        case Mapping():
            pairs = (f"{visible(key)} = {value_text(held)}" for key, held in value.items())
            return f"{{{', '.join(pairs)}}}"
        case _:
            return str(value)


def brief(value: Settled, limit: int = SHORT) -> str:
    """A value on one line; of a long one its beginning and its size."""
    whole = value_text(value)
    if len(whole) <= limit:
        return whole
    if isinstance(value, str):
        return f'{shortened(whole, limit - 1)}" ({_size(value)})'
    if isinstance(value, tuple):
        return f"{shortened(whole, limit)} ({counted(len(value), 'item')})"
    return shortened(whole, limit)


def counted(number: int, noun: str) -> str:
    """``1 write``, ``2 writes``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _size(text: str) -> str:
    lines = text.rstrip("\n").count("\n") + 1
    characters = counted(len(text), "character")
    return f"{counted(lines, 'line')}, {characters}" if lines > 1 else characters


def _spelled(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
