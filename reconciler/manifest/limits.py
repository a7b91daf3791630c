"""What a TOML text from outside may cost: checked before the parser sees it, because the parser does not.

`tomllib` recurses into brackets until Python's stack ends, and takes time quadratic in the parts of a
dotted key; both would let one learner's block stop everybody's pass.
"""

from __future__ import annotations

import re

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_FIELDS = 500
"""Of one document: each edit goes through its text, so writing a whole one is quadratic: under a second for 500."""

# Every alternative ends at the end of its line or of the text, so that an unclosed string cannot make
# the scan start again from each of its quotes (quadratic time); the parser then reports it properly.
_LINE_STRING = r'(?:"(?:[^"\\\n]|\\[^\n]?)*+(?:"|(?=\n)|\Z)|' r"'[^'\n]*+(?:'|(?=\n)|\Z))"
_PART = rf"(?:[A-Za-z0-9_-]++|{_LINE_STRING})"
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.?|"(?!""))*+(?:"{3,5}|\Z)'
    r"|'''(?:[^']|'(?!''))*+(?:'{3,5}|\Z)"
    r"|\#[^\n]*+"
    rf"|(?P<key>{_PART}(?:[ \t]*+\.[ \t]*+{_PART})*+)"
    r"|(?P<open>[\[{])|(?P<close>[\]}])",
    re.DOTALL,
)


def too_large(text: str) -> bool:
    """Whether the text exceeds the cap, in bytes as they would be stored."""
    if len(text) * 4 <= MAX_BYTES:
        return False
    return len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES


def too_deep(text: str) -> bool:
    """Whether brackets or dotted keys nest deeper than allowed, strings and comments aside."""
    if text.count("[") + text.count("{") + text.count(".") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        if token["open"]:
            depth += 1
        elif token["close"]:
            depth -= 1
        if depth > MAX_DEPTH or _dots(token["key"] or "") > MAX_DEPTH:
            return True
    return False


def _dots(key: str) -> int:
    """The dots between the parts of a key, not those inside a quoted part."""
    return re.sub(_LINE_STRING, "", key).count(".") if "." in key else 0
