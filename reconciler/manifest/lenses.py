"""How the fields of a resource stand in its file: one small object for each way, chosen once in ``desired.py``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol, cast

from reconciler.core.value import ABSENT, Fields, Held, Value
from reconciler.manifest.lens import InvalidBlock, edit_block, parse_block
from reconciler.manifest.tomledit import EditError, remove_value, set_value


class Lens(Protocol):
    """Between a file's text and the fields of one resource.

    travels: whether live systems hold the text itself; otherwise they hold the fields, and the file is git's alone.
    blank_is_empty: whether a text without content is one with no fields, and not a mistake.
    """

    travels: bool
    blank_is_empty: bool

    def parse(self, text: str) -> dict[str, Value]:
        """The fields; raises InvalidBlock."""
        ...

    def edit(self, text: str, changes: Mapping[str, Held]) -> str:
        """The text with these fields set, ABSENT ones removed, and nothing else changed; raises InvalidBlock."""
        ...


class BlockLens:
    """A block's document, TOML or prose: the same text in git, in Letta and in the note."""

    travels = True

    def __init__(self, *, prose: bool) -> None:
        self.blank_is_empty = self._prose = prose

    def parse(self, text: str) -> dict[str, Value]:
        return parse_block(text, self._prose)

    def edit(self, text: str, changes: Mapping[str, Held]) -> str:
        return edit_block(text, changes, self._prose)


BLOCK = BlockLens(prose=False)
PROSE = BlockLens(prose=True)

Path = tuple[str, ...]

COURSE_KEYS: Mapping[str, tuple[Path, ...]] = {
    "name": (("agent", "name"), ("course", "name")),
    "description": (("agent", "description"), ("course", "description")),
    "system": (("agent", "system"),),
    "welcome_first": (("messages", "welcome_first"),),
    "suggestion_prompts": (("messages", "suggestion_prompts"),),
}
"""Where the fields that people see of a course stand in its file: the v2 place first, then the v1 one."""


EMPTY: tuple[Value, ...] = ("", ())
"""What a live model holds of a field that nobody declared: the same as nothing."""


class CourseLens:
    """The fields of a course's workspace model, in its ``course.toml``: a field not declared, or empty, is absent."""

    travels = False
    blank_is_empty = False

    def parse(self, text: str) -> dict[str, Value]:
        data = _data(text)
        found = {name: _first(data, paths) for name, paths in COURSE_KEYS.items()}
        return {name: value for name, value in found.items() if value is not ABSENT and value not in EMPTY}

    def edit(self, text: str, changes: Mapping[str, Held]) -> str:
        for name, value in changes.items():
            path = _place(_data(text), COURSE_KEYS[name])
            try:
                text = _changed(text, path, value)
            except EditError as error:
                raise InvalidBlock(f"{'.'.join(path)}: {error}") from error
        return text


COURSE = CourseLens()


def _changed(text: str, path: Path, value: Held) -> str:
    if value is not ABSENT:
        return set_value(text, path, value)
    return remove_value(text, path) if _at(_data(text), path) is not ABSENT else text


@lru_cache(maxsize=64)
def _data(text: str) -> Mapping[str, object]:
    """Nobody changes what is given out. A course's file is asked for many times in one pass, and seldom another."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidBlock(str(error)) from error


def _first(data: Mapping[str, object], paths: tuple[Path, ...]) -> Held:
    return next((value for path in paths if (value := _at(data, path)) is not ABSENT), ABSENT)


def _place(data: Mapping[str, object], paths: tuple[Path, ...]) -> Path:
    """The place a field stands at; where it does not stand yet, the first whose table is there."""
    standing = [path for path in paths if _at(data, path) is not ABSENT]
    tables = [path for path in reversed(paths) if path[0] in data]
    return (standing or tables or list(paths))[0]


def _at(data: Mapping[str, object], path: Path) -> Held:
    found: object = data
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return ABSENT
        found = cast("Fields", found)[key]
    return tuple(cast("list[Value]", found)) if isinstance(found, list) else cast("Value", found)
