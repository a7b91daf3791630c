"""The pages agree with the code: links lead somewhere, and commands, settings, words and files named are there."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from reconciler.cli import app
from reconciler.settings import SECTIONS

PROJECT = Path(__file__).parents[1]
PAGES = [
    *(path for path in sorted(PROJECT.glob("*.md"))),
    *sorted((PROJECT / "docs").rglob("*.md")),
    PROJECT / "users" / "README.md",
    PROJECT / "state" / "README.md",
]
README = (PROJECT / "README.md").read_text()
OPERATING = (PROJECT / "docs" / "operating.md").read_text()
REST = r"[\w./-]*"
GLOSSARY = (PROJECT / "docs" / "glossary.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            name, _, anchor = target.partition("#")
            found = page.parent / name if name else page
            assert found.exists(), target
            assert not anchor or anchor in _anchors(found), target


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_source_file_named_is_there(page: Path) -> None:
    for name in re.findall(rf"`((?:reconciler|tests|systemd|courses|docs)/{REST})`", page.read_text()):
        assert (PROJECT / name).exists(), name
    for name in re.findall(rf"`((?:core|manifest|store|sync|remotes|controller|commands)/{REST})`", page.read_text()):
        assert (PROJECT / "reconciler" / name).exists(), name


def test_the_files_to_read_in_order_are_there() -> None:
    order = README.partition("### Read the source in this order")[2]
    for line in re.findall(r"^\d+\. (.+?):", order, re.MULTILINE):
        first, *rest = re.findall(r"`([\w/.]+)`", line)
        folder = (PROJECT / first).parent
        for path in (PROJECT / first, *(folder / name for name in rest)):
            assert path.is_file(), path


def test_every_decision_is_listed() -> None:
    folder = PROJECT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text())
    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))


# -------------------------------------------------------------------------- commands


def _commands(found: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in getattr(found, "commands", {}).items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


ROOT = typer.main.get_command(app)
COMMANDS = dict(_commands(ROOT))


def test_the_readme_names_every_command_and_no_other() -> None:
    """In a row of its table the words after the first command leave out what they share with it."""
    table = README.partition("## Commands")[2].partition("\n## ")[0]
    named: set[str] = set()
    for row in re.findall(r"^\| (`reconciler.*?) \|", table, re.MULTILINE):
        group = ""
        for words in re.findall(r"`(?:reconciler)?\s*([^`]*)`", row):
            plain = " ".join(word for word in words.split() if re.fullmatch(r"[a-z-]+", word) and word[0] != "-")
            full = plain if plain in COMMANDS or not group else f"{group} {plain}"
            named |= {full} if full else set()
            group = full.rpartition(" ")[0] or group
    assert named == set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_option_named_exists(page: Path) -> None:
    options = {name for command in (ROOT, *COMMANDS.values()) for param in command.params for name in param.opts}
    text = page.read_text()
    for words in re.findall(r"`reconciler ([^`]*)`|^\$? ?reconciler ([^#\n]*)", text, re.MULTILINE):
        for name in re.findall(r"(?<!\S)(--[a-z][a-z-]+)", " ".join(words).partition("|")[0]):
            assert name in options | {"--help"}, name


# -------------------------------------------------------------------------- settings


def test_the_settings_table_is_the_settings() -> None:
    """A new setting gets its row in docs/operating.md; what it means is for whoever adds it to say."""
    table = OPERATING.partition("## Settings")[2].partition("\n## ")[0]
    told = set(re.findall(r"^(\| `\w+` \| `\w+` \| `.*?` \|)", table, re.MULTILINE))
    real = {
        f"| `{section}` | `{name}` | `{_as_toml(field.default)}` |"
        for section, model in SECTIONS.items()
        for name, field in model.model_fields.items()
    }
    assert sorted(real - told) == [], "rows that docs/operating.md lacks"
    assert sorted(told - real) == [], "rows of docs/operating.md that no setting has"


def _as_toml(default: Any) -> str:
    value = default.get_secret_value() if hasattr(default, "get_secret_value") else default
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case tuple() | list():
            return "[" + ", ".join(_as_toml(each) for each in value) + "]"
        case dict():
            return "{}"
        case _:
            return str(value)


# -------------------------------------------------------------------------- words


def _words() -> list[tuple[str, str]]:
    rows = re.findall(r"^\| ([\w, -]+) \| .* \| (.+) \|$", GLOSSARY, re.MULTILINE)
    return [(word, place) for word, place in rows if word not in ("word", "---")]


@pytest.mark.parametrize(("word", "places"), _words(), ids=[word for word, _ in _words()])
def test_every_word_of_the_glossary_is_in_the_code(word: str, places: str) -> None:
    module = ""
    for place in re.findall(r"`([\w.]+)`", places):
        path = place if "." in place else f"{module}.{place}"
        module = _resolved(path)


def _resolved(path: str) -> str:
    """The module in which the name was found; an error names what is not there."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(f"reconciler.{'.'.join(parts[:end])}")
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            fields = getattr(found, "__dataclass_fields__", {})
            found = fields[name] if name in fields else getattr(found, name)
        return ".".join(parts[:end])
    raise AssertionError(f"there is no {path}")


def test_the_glossary_is_in_order() -> None:
    words = [word for word, _ in _words()]
    assert words == sorted(words)
    assert len(words) > 30


# -------------------------------------------------------------------------- the package


def test_the_changelog_tells_of_the_version_at_hand() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert re.search(rf"^## .*\b{re.escape(version)}\b", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
