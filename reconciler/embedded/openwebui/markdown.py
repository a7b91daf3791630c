"""What the note editor makes of Markdown when a note is merely opened, as far as it was seen in a real browser.

Not a Markdown implementation: the rules are those that matter for text which this project writes or people type.
"""

import re

_OPENER = re.compile(r"(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*")
_URL = re.compile(r"(?<![(\[<\w])<?(https?://[^\s<>)\]]+)>?")
_EMPHASIS = re.compile(r"(?<![*\w])\*([^*\s](?:[^*]*[^*\s])?)\*(?![*\w])")
_BULLET = re.compile(r"[-*+] +(?:\[[ xX]\] +)?(.*)")


def opened(md: str) -> str:
    """The text after the editor has read and written it. Opening that once more changes nothing."""
    lines = md.replace("\r\n", "\n").replace("\u00a0", " ").split("\n")
    blocks: list[str] = []
    prose: list[str] = []
    at = 0
    while at < len(lines):
        opener = _OPENER.fullmatch(lines[at])
        if opener is None:
            prose.append(lines[at])
            at += 1
            continue
        blocks += _prose(prose)
        prose = []
        end = _closed_at(lines, at + 1, opener[1])
        blocks += _fenced(lines[at + 1 : end], opener[2])
        at = end + 1
    return "\n\n".join([*blocks, *_prose(prose)])


def _closed_at(lines: list[str], start: int, fence: str) -> int:
    for at in range(start, len(lines)):
        text = lines[at].strip()
        if len(text) >= len(fence) and set(text) == {fence[0]}:
            return at
    return len(lines)


def _fenced(inside: list[str], language: str) -> list[str]:
    """An empty block disappears; of several blank lines at its end one is lost."""
    text = "\n".join(inside).removesuffix("\n")
    if not text.strip("\n"):
        return []
    longest = max((len(run) for run in re.findall(r"^`{3,}", text, re.MULTILINE)), default=2)
    fence = "`" * (longest + 1)
    return [f"{fence}{language}\n{text}\n{fence}"]


def _prose(lines: list[str]) -> list[str]:
    """Paragraphs, and the frontmatter that a heading is made of."""
    text = "\n".join(lines)
    front = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    blocks = ["* * *", f"## {front[1]}"] if front else []
    rest = text[front.end() :] if front else text
    return blocks + [_paragraph(block.strip("\n")) for block in re.split(r"\n\s*\n", rest) if block.strip()]


def _paragraph(block: str) -> str:
    bullets = [_BULLET.fullmatch(line) for line in block.split("\n")]
    items = [_inline(match[1]) for match in bullets if match]
    if items and len(items) == len(bullets):
        return "\n    \n".join(f"*   {item}" for item in items)
    return "\n".join(_inline(line) for line in block.split("\n"))


def _inline(line: str) -> str:
    return _EMPHASIS.sub(r"_\1_", _URL.sub(r"[\1](\1)", line.rstrip()))
