"""What is wrong with the settings, as one sentence per mistake: where it stands, what was found, what was expected.

The value of a secret is never part of a sentence.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Set
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from reconciler.errors import Terminal

_PREFIX = "RECONCILER_"
_LARGEST_BYTES = 1_000_000

Known = Mapping[str, Set[str]]


def read_file(path: Path, known: Known, secrets: Set[tuple[str, str]]) -> dict[str, Any]:
    """The file's tables, of known sections and keys only, without secrets. A missing file is an empty one."""
    written = _parsed(path)
    for section, keys in written.items():
        if section not in known:
            raise Terminal(f"{path}: there is no section [{section}]; {_meant(section, known)}")
        if not isinstance(keys, dict):
            raise Terminal(f"{path}: {section} is a section: write [{section}] and its settings below")
        for key in cast("dict[str, Any]", keys):
            if (section, key) in secrets:
                raise Terminal(_secret_in_file(path, section, key))
            if key not in known[section]:
                raise Terminal(f"{path}: there is no setting {section}.{key}; {_meant(key, known[section])}")
    return written


def refuse_unknown_environment(environ: Mapping[str, str], known: Known) -> None:
    """A misspelt variable is an error, not a setting that quietly does nothing."""
    for name in environ:
        section, found, key = name.removeprefix(_PREFIX).partition("__")
        if not name.startswith(_PREFIX) or not found:
            continue
        if key.lower() not in known.get(section.lower(), ()):
            everything = [_variable(s, k) for s, keys in known.items() for k in keys]
            raise Terminal(f"the environment has {name}, which is no setting; {_meant(name, everything)}")


def explained(error: ValidationError, written: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """Every wrong value, one sentence each."""
    return "\n".join(
        f"{_place(each['loc'], written, environ)}: {_found(each)}{_expected(each)}" for each in error.errors()
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise Terminal(f"{path} is larger than {_LARGEST_BYTES:,} bytes; settings are a few lines")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise Terminal(f"{path} cannot be read: {error}") from error


def _secret_in_file(path: Path, section: str, key: str) -> str:
    return (
        f"{path} holds {section}.{key}, which is a secret: take it out of the file, and give it as "
        f"{_variable(section, key)} or as the systemd credential {section}_{key}; "
        "if the file was ever shared or committed, change the secret too"
    )


def _variable(section: str, key: str) -> str:
    return f"{_PREFIX}{section}__{key}".upper()


def _meant(found: str, known: Iterable[str]) -> str:
    near = get_close_matches(found, known, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"


def _place(loc: tuple[int | str, ...], written: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    section, key = str(loc[0]), str(loc[1]) if len(loc) > 1 else ""
    variables = {name.upper(): name for name in environ}
    if (variable := variables.get(_variable(section, key))) is not None:
        return variable
    return f"reconciler.toml: {section}.{key}" if key in written.get(section, {}) else f"{section}.{key}"


def _found(each: Any) -> str:
    """The value, unless it may be a secret, or an address with one in it."""
    is_secret = any(part in ("token", "url") for part in each["loc"])
    return "" if is_secret else f"found {str(each['input'])[:100]!r}; "


def _expected(each: Any) -> str:
    return str(each["msg"]).removeprefix("Value error, ").removeprefix("Input ").replace("should be", "it should be")
