"""Where a base lives: the ref ``refs/reconciler/<remote>/base``, one JSON file per resource.

A base that cannot be read is Terminal. It is never taken for an empty one: that would forget what both sides
agreed on, and turn every later difference into a guess.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TypeVar

from reconciler.core.base import Base, FieldBase, FieldBases, Link, Origin
from reconciler.errors import Terminal, Transient
from reconciler.ports import Draft, Person, Repo
from reconciler.store.people import RECONCILER
from reconciler.store.values import Json, from_json, held_from_json, to_json

_MAIN = "main"
_SUFFIX = ".json"
_KEYS = {"settled", "chain", "waits", "round", "rewrites"}
T = TypeVar("T")


@dataclass(frozen=True)
class StoredBase(Base):
    """A base, and the commit it was read from or written as: what the next save must still find there."""

    commit: str | None = None


def base_ref(remote: str) -> str:
    """The ref that holds the base between git and one remote."""
    return f"refs/reconciler/{remote}/base"


def load_base(repo: Repo, remote: str) -> StoredBase:
    """The base as last saved; an empty one only where none was ever saved."""
    commit = repo.ref(base_ref(remote))
    if commit is None:
        return StoredBase()
    files = repo.files(commit)
    if strange := [*repo.odd(commit), *(p for p in files if p != _MAIN and not p.endswith(_SUFFIX))]:
        raise _damaged(remote, strange[0], "no such file belongs in a base")
    main = _read(repo, remote, _MAIN, files[_MAIN], _main) if _MAIN in files else None
    resources = {
        path.removesuffix(_SUFFIX): _read(repo, remote, path, blob, _fields)
        for path, blob in files.items()
        if path != _MAIN
    }
    return StoredBase(main, resources, commit)


def save_base(
    repo: Repo, remote: str, base: Base, previous: StoredBase, when: datetime, author: Person = RECONCILER
) -> StoredBase:
    """Save the base over the ``previous`` one, and return it as saved. Nothing changed: nothing is written.

    Raises Transient where somebody else saved meanwhile: what was decided here rests on a base that is gone.
    """
    changes = _changes(repo, base, previous)
    if not changes:
        return StoredBase(base.main, base.resources, previous.commit)
    parents = (previous.commit,) if previous.commit else ()
    commit = repo.commit(Draft(previous.commit, parents, changes, author, f"Base of git and {remote}", when))
    if not repo.move(base_ref(remote), previous.commit, commit):
        raise Transient(f"{base_ref(remote)} was moved by another process meanwhile; try again, as the loop does")
    return StoredBase(base.main, base.resources, commit)


def _changes(repo: Repo, base: Base, previous: StoredBase) -> dict[str, bytes | None]:
    """What must be written to turn the stored tree into this base.

    Told by the stored bytes, not by ``==``: to Python, 1, 1.0 and true are equal. Resources that are the very
    objects that were loaded or saved before need no look at all, which keeps the cost with the change.
    """
    files: Mapping[str, str] = repo.files(previous.commit) if previous.commit else {}
    wanted = {
        ref + _SUFFIX: _fields_text(fields)
        for ref, fields in base.resources.items()
        if previous.resources.get(ref) is not fields
    }
    if base.main is not None and base.main != previous.main:
        wanted[_MAIN] = f"{base.main}\n".encode()
    kept = {ref + _SUFFIX for ref in base.resources} | ({_MAIN} if base.main is not None else set[str]())
    changes: dict[str, bytes | None] = dict.fromkeys(files.keys() - kept)
    changes.update((path, text) for path, text in wanted.items() if path not in files or repo.read(files[path]) != text)
    return changes


def _read(repo: Repo, remote: str, path: str, blob: str, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(repo.read(blob))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _damaged(remote, path, str(error)) from error


def _damaged(remote: str, path: str, why: str) -> Terminal:
    ref = base_ref(remote)
    return Terminal(
        f"{path} of {ref} cannot be read ({why}). Point the ref back at a good commit of its history "
        f"(git log {ref}); or delete it (git update-ref -d {ref}), and every difference becomes a question"
    )


def _main(text: bytes) -> str:
    commit = text.decode().removesuffix("\n")
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise ValueError("it does not hold the id of a commit")
    return commit


def _fields_text(fields: FieldBases) -> bytes:
    found = {name: _field_json(fields[name]) for name in sorted(fields)}
    try:
        return _dump(found, ascii_only=False).encode()
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can say
        return _dump(found, ascii_only=True).encode()


def _dump(found: Json, ascii_only: bool) -> str:
    return json.dumps(found, ensure_ascii=ascii_only, indent=1, allow_nan=False) + "\n"


def _field_json(field: FieldBase) -> Json:
    return {
        "settled": to_json(field.settled),
        "chain": [[to_json(link.value), str(link.origin)] for link in field.chain],
        "waits": None if field.waits is None else list[Json](sorted(field.waits)),
        "round": field.round,
        "rewrites": field.rewrites,
    }


@lru_cache(maxsize=4096)
def _fields(text: bytes) -> FieldBases:
    found = _mapping(json.loads(text))
    return MappingProxyType({name: _field(_mapping(field)) for name, field in found.items()})


def _field(found: Mapping[str, Json]) -> FieldBase:
    if set(found) != _KEYS:
        raise ValueError(f"a field has the keys {sorted(found)}, expected {sorted(_KEYS)}")
    waits = found["waits"]
    return FieldBase(
        settled=from_json(found["settled"]),
        chain=tuple(map(_link, _list(found["chain"]))),
        waits=None if waits is None else frozenset(map(_text, _list(waits))),
        round=_count(found["round"]),
        rewrites=_count(found["rewrites"]),
    )


def _link(found: Json) -> Link:
    value, origin = _list(found)
    return Link(held_from_json(value), Origin(_text(origin)))


def _mapping(found: Json) -> Mapping[str, Json]:
    if not isinstance(found, dict):
        raise TypeError(f"expected an object, found {type(found).__name__}")
    return found


def _list(found: Json) -> list[Json]:
    if not isinstance(found, list):
        raise TypeError(f"expected a list, found {type(found).__name__}")
    return found


def _text(found: Json) -> str:
    if not isinstance(found, str):
        raise TypeError(f"expected text, found {type(found).__name__}")
    return found


def _count(found: Json) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise ValueError(f"expected a count, found {found!r}")
    return found
