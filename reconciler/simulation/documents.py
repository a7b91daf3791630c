"""The documents of the simulated world: which file holds which resource, and what its text says.

A course's model has no text of its own where it lives; here it is written as the part of a course file that it is.
"""

from __future__ import annotations

from functools import lru_cache
from json import dumps

from reconciler.core.snapshot import Ref, Scope
from reconciler.core.value import Fields
from reconciler.manifest.lens import InvalidBlock, parse_block
from reconciler.manifest.lenses import COURSE, COURSE_KEYS, EMPTY

WEB = "openwebui"


def document_of(scope: Scope, path: str, remote: str) -> Ref | None:
    """What a path holds that the remote holds too: a block; in Open WebUI also a course."""
    if remote == WEB and scope == "courses" and path.endswith("/course.toml"):
        return f"model/{path.partition('/')[0]}"
    return ref_of(scope, path)


def path_of_model(ref: Ref) -> str:
    return f"{ref.partition('/')[2]}/course.toml"


def model_text(fields: Fields) -> str:
    """The course file of these fields and no others."""
    lines: dict[str, list[str]] = {}
    for name, places in COURSE_KEYS.items():
        if (value := fields.get(name, "")) not in EMPTY:
            table, key = places[0]
            lines.setdefault(table, []).append(f"{key} = {dumps(value)}\n")
    return "".join(f"[{table}]\n{''.join(own)}" for table, own in lines.items())


def ref_of(scope: Scope, path: str) -> Ref | None:
    """The ref of a block's path; None for every other file."""
    folders, _, name = path.rpartition("/")
    stem, _, suffix = name.rpartition(".")
    if suffix not in ("toml", "md"):
        return None
    if scope == "courses":
        course, _, folder = folders.partition("/")
        return f"block/{course}/{stem}" if folder == "shared" else None
    return "/".join(["block", *folders.split("/")[1:], stem]) if folders.split("/")[0] == "blocks" else None


def is_prose(ref: Ref) -> bool:
    return ref.endswith("/diary")


def fields_of(ref: Ref, text: str | None) -> Fields | None:
    """The fields of a document's text; None where it is none."""
    if text is None or (not is_prose(ref) and not text.strip()):
        return None
    if ref.startswith("model/"):
        return _course_fields(text)
    try:
        return parse_block(text, is_prose(ref))
    except InvalidBlock:
        return None


@lru_cache(maxsize=4096)
def _course_fields(text: str) -> Fields | None:
    try:
        return COURSE.parse(text)
    except InvalidBlock:
        return None
