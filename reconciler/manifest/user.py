"""A learner as their `user.toml` says, read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.core.value import Value
from reconciler.manifest.names import NameRefused, check_display_name, check_name, check_user_id
from reconciler.manifest.problems import ManifestError, Problem
from reconciler.manifest.reading.notes import Notes
from reconciler.manifest.reading.section import Section, open_section
from reconciler.manifest.reading.toml import parse
from reconciler.manifest.spelling import spell, spell_key
from reconciler.manifest.tables.user import USER_FILE


@dataclass(frozen=True)
class User:
    """One learner: the repo is theirs alone, and is named by `id`."""

    id: str
    name: str = ""
    email: str = ""
    open_webui_id: str | None = None
    courses: tuple[str, ...] = ()


def load_user(text: bytes, where: str) -> User:
    """The user of a `user.toml`; `ManifestError` where it has an error. `where` is the file's name in messages."""
    user, problems = read_user(text, where)
    if user is None:
        raise ManifestError(problem for problem in problems if problem.severity == "error")
    return user


def read_user(text: bytes, where: str) -> tuple[User | None, tuple[Problem, ...]]:
    """The user, None where there is an error, and every problem, warnings included."""
    parsed = parse(text, where)
    if isinstance(parsed, Problem):
        return None, (parsed,)
    section = open_section(parsed.tables, USER_FILE, (), Notes(where, parsed.text))
    assert section is not None, "a TOML document is a table"
    user = _user(section)
    problems = section.notes.problems
    return (None if any(problem.severity == "error" for problem in problems) else user), problems


def render_user(user: User) -> str:
    """`user` as a `user.toml` that reads back as the same user; what is not set is not written."""
    written: Mapping[str, Value | None] = {
        "id": user.id,
        "name": user.name or None,
        "email": user.email or None,
        "open_webui_id": user.open_webui_id,
        "courses": user.courses,
    }
    return "".join(f"{spell_key(name)} = {spell(value)}\n" for name, value in written.items() if value is not None)


def _user(section: Section) -> User:
    courses = section.texts("courses")
    for at, course in enumerate(courses):
        _check(section, (*section.where("courses"), at), lambda course=course: check_name(course, "course id"))
        if course in courses[:at]:
            section.notes.error((*section.where("courses"), at), f'"{course}" is listed twice; keep one')
    return User(
        id=_text(section, "id", check_user_id),
        name=_text(section, "name", lambda name: check_display_name(name, "name")),
        email=_text(section, "email", lambda email: check_display_name(email, "email")),
        open_webui_id=_text(section, "open_webui_id", lambda given: check_name(given, "Open WebUI id")) or None,
        courses=courses,
    )


def _text(section: Section, name: str, check: Callable[[str], str]) -> str:
    found = section.text(name)
    if found:
        _check(section, section.where(name), lambda: check(found))
    return found


def _check(section: Section, where: tuple[str | int, ...], check: Callable[[], str]) -> None:
    try:
        check()
    except NameRefused as refused:
        section.notes.error(where, str(refused))
