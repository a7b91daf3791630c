"""What people do in a real browser, and what the API then shows. Screenshots stay in RECONCILER_SCREENSHOTS."""

import os
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import webui
from tests.live.openwebui import OpenWebUIServer
from tests.live.webui import V1, Person

browsing = pytest.importorskip("tests.live.browser", reason="needs the package playwright")
pytestmark = pytest.mark.skipif(browsing.chromium() is None, reason="needs chromium (apt-get install chromium)")

HELP = "Your tutor remembers this. Change the **values** only."
TOML = """name = "Ann"
hobbies = [
  "chess",
  "rowing",
]
level = 3
# a comment
text = \"\"\"
first line

  second * line _with_ `marks` and a\ttab
\"\"\"
"""
ARRIVES_WITHIN_SECONDS = 2.0


def fenced(block: str, help_text: str = HELP) -> str:
    return f"{help_text}\n\n```toml\n{block}```\n"


def block_of(md: str) -> str:
    return md.partition("```toml\n")[2].rpartition("```")[0]


@pytest.fixture(scope="module")
def context() -> Iterator[object]:
    with browsing.browser() as opened:
        yield opened


@pytest.fixture
def ann(clean_openwebui: OpenWebUIServer) -> Person:
    return webui.person(clean_openwebui, "ann")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return Path(os.environ.get("RECONCILER_SCREENSHOTS") or tmp_path)


@pytest.fixture
def visit(clean_openwebui: OpenWebUIServer, context: object, ann: Person) -> Iterator[object]:
    """Ann at her browser."""
    visiting = browsing.Visit(context, clean_openwebui.url, ann.token)
    yield visiting
    visiting.page.close()


def seconds_until(webui_server: OpenWebUIServer, note_id: str, wanted: str) -> float:
    """How long until the API shows it."""
    began = time.monotonic()
    while wanted not in webui.text(webui.get_note(webui_server, note_id)):
        assert time.monotonic() - began < 10, f"{wanted!r} never arrived"
        time.sleep(0.02)
    return time.monotonic() - began


def rewritten(webui_server: OpenWebUIServer, visit: object, made: dict[str, object]) -> dict[str, object]:
    """The note once its editor has saved what it made of it."""
    visit.open_note(made["id"])
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        got = webui.get_note(webui_server, made["id"])
        if got["data"]["content"].get("json"):
            return got
        time.sleep(0.05)
    raise AssertionError("the editor never saved")


def test_opening_a_note_leaves_its_block_unchanged(
    clean_openwebui: OpenWebUIServer, visit: object, ann: Person, pictures: Path
) -> None:
    made = webui.note(clean_openwebui, fenced(TOML), webui.writer(ann))
    got = rewritten(clean_openwebui, visit, made)
    visit.screenshot(pictures / "note-opened.png")

    assert block_of(webui.text(got)) == TOML
    assert got["updated_at"] > made["updated_at"], "and yet it looks edited"
    assert webui.text(got) == fenced(TOML).rstrip("\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("```toml\n```\n\nBye.\n", "Bye."),
        ('```toml\na = "x\u00a0y"\n```\n', '```toml\na = "x y"\n```'),
        ("~~~toml\na = 1\n~~~\n", "```toml\na = 1\n```"),
        ("```toml\r\na = 1\r\n```\r\n", "```toml\na = 1\n```"),
        ("Some *help*: https://x.org\n", "Some _help_: [https://x.org](https://x.org)"),
        ("---\ntitle: x\n---\n\n- a\n- b\n", "* * *\n\n## title: x\n\n*   a\n    \n*   b"),
        ("````text\n``` inside\n````\n", "````text\n``` inside\n````"),
        ('```toml\na = "\u200b\u2028\ufeff"   \n\n\n\nb = "<b>&amp; $x$"\n```', None),
        ("> **Not saved**, line 2.\n\n```toml\na = 1\n```", None),
    ],
    ids=["empty", "nbsp", "tildes", "crlf", "help", "frontmatter", "backticks", "odd-characters", "message"],
)
def test_what_opening_a_note_makes_of_its_text(
    clean_openwebui: OpenWebUIServer, visit: object, ann: Person, before: str, after: str | None
) -> None:
    made = webui.note(clean_openwebui, before, webui.writer(ann))

    assert webui.text(rewritten(clean_openwebui, visit, made)) == (before if after is None else after)


def test_typing_arrives_at_the_api(
    clean_openwebui: OpenWebUIServer, visit: object, ann: Person, pictures: Path
) -> None:
    made = webui.note(clean_openwebui, fenced(TOML), webui.writer(ann))["id"]
    visit.open_note(made)
    visit.replace("level = 3", "level = 42")
    waited = seconds_until(clean_openwebui, made, "level = 42")
    visit.type_after('"rowing",', '\n  "fencing",')
    seconds_until(clean_openwebui, made, '"fencing",')
    visit.screenshot(pictures / "note-edited.png")

    block = tomllib.loads(block_of(webui.text(webui.get_note(clean_openwebui, made))))
    expected = tomllib.loads(TOML) | {"level": 42, "hobbies": ["chess", "rowing", "fencing"]}
    assert block == expected
    assert waited < ARRIVES_WITHIN_SECONDS


def test_a_write_appears_in_an_open_note_and_typing_keeps_it(
    clean_openwebui: OpenWebUIServer, visit: object, ann: Person
) -> None:
    made = webui.note(clean_openwebui, fenced("a = 1\nb = 1\n"), webui.writer(ann))
    rewritten(clean_openwebui, visit, made)
    webui.set_text(clean_openwebui, made["id"], fenced("a = 2\nb = 1\n"))
    visit.page.get_by_text("a = 2").wait_for()
    visit.replace("b = 1", "b = 3")
    seconds_until(clean_openwebui, made["id"], "b = 3")

    assert block_of(webui.text(webui.get_note(clean_openwebui, made["id"]))) == "a = 2\nb = 3\n"


def test_a_saved_model_is_a_version_with_the_admins_words(
    clean_openwebui: OpenWebUIServer, context: object, pictures: Path
) -> None:
    boss = webui.person(clean_openwebui, "boss", role="admin")
    meta = {"description": "d", "reconciler": {"ref": "model/c"}}
    first = webui.model(clean_openwebui, meta=meta, params={"system": "Old.", "own": 1})
    visit = browsing.Visit(context, clean_openwebui.url, boss.token)
    visit.open_model_editor("c")
    visit.save_model("Be patient.", "Sound kinder")
    visit.screenshot(pictures / "model-saved.png")
    visit.page.close()

    got = clean_openwebui.request("GET", f"{V1}/models/model", params={"id": "c"})
    versions = {row["id"]: row for row in webui.history(clean_openwebui)}
    saved = versions[got["version_id"]]
    assert got["params"] == {"system": "Be patient.", "own": 1}
    assert got["meta"]["reconciler"] == {"ref": "model/c"}
    assert got["meta"]["capabilities"], "the editor's own"
    assert (saved["commit_message"], saved["user_id"], saved["parent_id"]) == (
        "Sound kinder",
        boss.id,
        first["version_id"],
    )
