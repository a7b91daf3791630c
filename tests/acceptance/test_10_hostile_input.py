"""Point 10: hostile input gets a clear error each; nothing outside the workspace is read or written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.core.outcome import NEEDS_A_PERSON, Report
from reconciler.errors import Terminal
from tests.acceptance.place import Place

LIVE = {"test_a_huge_live_value_is_left_where_it_is_and_stops_nothing_else"}
SECRET = "outside and nobody's business"
NAMES = {
    "climbing": "../../outside",
    "a parent": "..",
    "a slash": "a/b",
    "absolute": "/etc/passwd",
    "a NUL": "a\0b",
    "a line break": "a\nAuthor: somebody",
    "a flag": "--upload-pack=touch",
    "a dash": "-rf",
    "300 characters": "a" * 300,
    "Cyrillic": "ада",
    "right to left": "\u202eada",
    "a lookalike": "аda",
    "git's own": ".git",
    "a lock": "ada.lock",
    "empty": "",
}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.toml").write_text(f'notes = "{SECRET}"\n')
    (folder / "secret.md").write_text(SECRET)
    return folder


def _everything_but(workspace: Path) -> Mapping[str, bytes]:
    around = workspace.parent
    found = (path for path in around.rglob("*") if path.is_file() and not path.is_relative_to(workspace))
    return {str(path): path.read_bytes() for path in found}


def _assert_kept_out(place: Place) -> None:
    """The text outside is nowhere in Letta, and in no ref."""
    assert all(SECRET not in row["value"] for row in place.system.blocks())
    for who in place.workspace.users():
        assert not place.ever_observed(who, SECRET)


def _assert_said(report: Report, *words: str) -> None:
    sentences = [f"{each.where}: {each.message}" for each in (*report.errors, *report.warnings)]
    sentences += [f"{each.scope} {each.ref}: {each.reason}" for each in report.unknown]
    sentences += [f"{each.scope} {each.ref}: {field.reason}" for each in report.conflicts for field in each.fields]
    sentences += [each.reason for each in report.halts]
    assert any(all(word in each for word in words) for each in sentences), sentences
    assert all(len(each) < 3000 for each in sentences)


# ------------------------------------------------------------------ names


@pytest.mark.parametrize("kind", NAMES)
def test_a_hostile_user_id_is_refused_by_name(bare: Place, outside: Path, kind: str) -> None:
    before = {**_everything_but(bare.root)}, sorted(os.listdir(bare.root / "users"))
    with pytest.raises(Terminal) as refused:
        bare.add_user(NAMES[kind])
    assert "\n" not in str(refused.value)
    assert "\0" not in str(refused.value)
    assert (_everything_but(bare.root), sorted(os.listdir(bare.root / "users"))) == before


def test_folders_with_hostile_names_stop_only_themselves(place: Place, outside: Path) -> None:
    for name in ("-rf", "a b", "ада", "x" * 200, "new\nline", "ada.lock"):
        (place.root / "users" / name).mkdir()
    (place.root / "users" / "linked").symlink_to(outside)
    before = _everything_but(place.root)
    place.commit_as("Tess Teacher", "ada", "journey", notes="goes on")
    report = place.again().one_pass()

    assert report.exit_code == 1
    assert len(report.errors) == 7
    assert place.in_letta("ada", "journey")["notes"] == "goes on"
    assert _everything_but(place.root) == before


@pytest.mark.parametrize("said", ["../bob", "bob", "ada\\nbob", "-x"])
def test_a_users_file_cannot_claim_another_id(place: Place, said: str) -> None:
    place.commit_text("ada", "user.toml", f'id = "{said}"\ncourses = ["{place.course}"]\n')
    before = place.system.everything()
    report = place.again().one_pass()

    assert report.exit_code == 1
    _assert_said(report, "user.toml")
    assert place.system.everything() == before


@pytest.mark.parametrize("kind", [kind for kind, name in NAMES.items() if "\0" not in name])
def test_a_hostile_block_name_stops_its_course_with_file_and_reason(place: Place, outside: Path, kind: str) -> None:
    path = f"{place.course}/course.toml"
    quoted = NAMES[kind].replace("\n", "\\n")
    more = f'\n[block."{quoted}"]\nlabel = "sly"\nfield.x = {{ type = "string", default = "" }}\n'
    before, files = place.system.everything(), _everything_but(place.root)
    place.commit_text("courses", path, (place.folder("courses") / path).read_text() + more)
    report = place.again().one_pass()

    assert report.exit_code == 1, report
    _assert_said(report, "course.toml")
    assert place.system.everything() == before
    assert _everything_but(place.root) == files


# ------------------------------------------------------------------ links


def test_a_link_in_a_learners_repo_is_neither_read_nor_written_through(place: Place, outside: Path) -> None:
    before = _everything_but(place.root)
    for block, target in (("journey", "secret.toml"), ("diary", "secret.md")):
        path = place.folder("ada") / place.path("ada", block)
        path.unlink()
        path.symlink_to(outside / target)
        place.git("ada", "add", "-A")
    place.git("ada", "commit", "-qm", "Link out")
    place.api_edits("ada", "journey", blockers="captured where?")
    place.commit_as("Tess Teacher", "bob", "journey", notes="goes on")
    alive = place.again()
    for _ in range(3):
        report = alive.one_pass()

    _assert_said(report, "journey.toml", "not")
    assert place.in_letta("bob", "journey")["notes"] == "goes on"
    _assert_kept_out(place)
    assert _everything_but(place.root) == before


def test_a_linked_folder_in_the_work_tree_is_not_written_through(place: Place, outside: Path) -> None:
    before = _everything_but(place.root)
    folder = place.folder("ada") / "blocks"
    folder.rename(place.folder("ada") / "kept")
    folder.symlink_to(outside)
    (outside / place.course).mkdir()
    place.api_edits("ada", "journey", notes="captured")
    place.again().one_pass()

    assert _everything_but(place.root) == before
    assert os.listdir(outside / place.course) == []


def test_a_course_file_that_is_a_link_is_not_followed(place: Place, outside: Path) -> None:
    path = place.folder("courses") / place.course / "course.toml"
    (outside / "course.toml").write_text(path.read_text().replace("ask what the writer hears", SECRET))
    path.unlink()
    path.symlink_to(outside / "course.toml")
    place.git("courses", "commit", "-qam", "Link out")
    before = place.system.everything()
    report = place.again().one_pass()

    assert report.exit_code in (1, 3)
    assert place.system.everything() == before


# ------------------------------------------------------------------ size

DEEP = 100_000
BOMBS = {
    "50 MB of text": 'notes = "' + "x" * 50_000_000 + '"\n',
    "nested lists": "notes = " + "[" * DEEP + "]" * DEEP + "\n",
    "nested tables": "notes = " + "{a = " * DEEP + "1" + "}" * DEEP + "\n",
    "a dotted key": ".".join(["a"] * DEEP) + " = 1\n",
    "many tables": "".join(f"[t{number}]\n" for number in range(60_000)),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_huge_file_in_git_stops_only_its_learner(place: Place, bomb: str) -> None:
    place.commit_text("ada", place.path("ada", "journey"), BOMBS[bomb])
    place.commit_as("Tess Teacher", "bob", "journey", notes="goes on")
    before = place.text("ada", "journey")
    report = place.again().one_pass()

    assert report.exit_code == 1
    _assert_said(report, "journey.toml")
    assert place.text("ada", "journey") == before
    assert place.in_letta("bob", "journey")["notes"] == "goes on"


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_huge_course_file_stops_the_course_and_changes_no_agent(place: Place, bomb: str) -> None:
    path = f"{place.course}/course.toml"
    before = place.system.everything()
    place.commit_text("courses", path, (place.folder("courses") / path).read_text() + "\n[junk]\n" + BOMBS[bomb])
    report = place.again().one_pass()

    if bomb != "many tables":
        assert report.exit_code in (1, 3)
        _assert_said(report, place.course)
    assert place.system.everything()["agents"].keys() == before["agents"].keys()
    for key, agent in before["agents"].items():
        assert place.system.agent(key)["system"] == agent["system"]


LIVE_BOMBS = {
    "3 MB": ('notes = "' + "x" * 3_000_000 + '"\n', "3,000,011"),
    "nested lists": ("notes = " + "[" * 5000 + "]" * 5000 + "\n", "journey"),
    "nested tables": ("notes = " + "{a = " * 5000 + "1" + "}" * 5000 + "\n", "journey"),
    "a dotted key": (".".join(["a"] * 5000) + " = 1\n", "journey"),
    "many tables": ("".join(f"[t{number}]\n" for number in range(60_000)), "60,000"),
}


@pytest.mark.parametrize("bomb", LIVE_BOMBS)
def test_a_huge_live_value_is_left_where_it_is_and_stops_nothing_else(place: Place, bomb: str) -> None:
    text, word = LIVE_BOMBS[bomb]
    place.api_writes("ada", "journey", text)
    place.commit_as("Tess Teacher", "ada", "student", profile="goes on")
    before = place.in_git("ada", "journey")
    alive = place.again()
    for _ in range(2):
        report = alive.one_pass()

    assert report.exit_code in (1, 3)
    _assert_said(report, word)
    assert place.text("ada", "journey") == text
    assert place.in_git("ada", "journey") == before
    assert place.in_letta("ada", "student")["profile"] == "goes on"


@pytest.mark.parametrize("line", ["x" * 79, "\\x01" * 40], ids=["plain", "escaped"])
def test_two_sides_of_the_most_that_a_document_may_hold_are_a_question_that_can_be_answered(
    place: Place, line: str
) -> None:
    if place.system.is_live:
        pytest.skip("Letta's limit of a block is its own")
    base, ours, theirs = (
        f"{word}\n" + f"{word} {line}\n" * (900_000 // (len(line) + 7)) for word in ("then", "ours", "hers")
    )
    place.commit_text("ada", place.path("ada", "diary"), base)
    assert place.sync().exit_code == 0
    place.commit_text("ada", place.path("ada", "diary"), ours)
    place.api_writes("ada", "diary", theirs)
    assert place.one_pass().exit_code == NEEDS_A_PERSON

    place.review("approved")
    assert place.sync().exit_code == 0
    assert place.text("ada", "diary") == theirs
    place.assert_at_rest()
