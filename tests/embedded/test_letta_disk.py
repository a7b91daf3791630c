"""The folder: what is appended is loaded, whatever happened in between."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.embedded.letta.disk import Change, DamagedData, Disk
from reconciler.embedded.letta.model import Letta

KEYS = st.sampled_from(["a", "b", "c"])
CHANGES = st.lists(st.tuples(st.just("blocks"), KEYS, st.none() | st.builds(dict, value=st.text())), max_size=4)


def loaded(folder: Path) -> dict[str, dict[str, object]]:
    disk = Disk(folder)
    tables = disk.load()
    disk.close()
    assert tables is not None
    return {key: dict(row) for key, row in tables["blocks"].items()}


def applied(history: list[list[Change]]) -> dict[str, object]:
    there = {key: row for changes in history for _table, key, row in changes}
    return {key: row for key, row in there.items() if row is not None}


@settings(max_examples=40, deadline=None)
@given(history=st.lists(CHANGES, max_size=6), saves=st.sets(st.integers(0, 6)), torn=st.booleans())
def test_what_was_appended_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, history: list[list[Change]], saves: set[int], torn: bool
):
    folder = tmp_path_factory.mktemp("disk")
    disk = Disk(folder)
    disk.save({"blocks": {}})
    for number, changes in enumerate(history):
        assert disk.append(changes)
        if number in saves:
            disk.save({"blocks": applied(history[: number + 1])})
    disk.close()
    if torn:
        with (folder / "letta.journal").open("ab") as journal:
            journal.write(b'[["blocks","torn",{"val')

    assert loaded(folder) == applied(history)
    assert loaded(folder) == applied(history)


def test_a_crash_between_saving_and_emptying_the_journal_is_harmless(tmp_path: Path):
    disk = Disk(tmp_path)
    disk.save({"blocks": {}})
    disk.append([("blocks", "a", {"value": "1"})])
    disk.append([("blocks", "a", {"value": "2"}), ("blocks", "b", {"value": "x"})])
    disk.append([("blocks", "b", None)])
    journal = (tmp_path / "letta.journal").read_bytes()
    disk.save({"blocks": {"a": {"value": "2"}}})
    disk.close()
    (tmp_path / "letta.journal").write_bytes(journal)

    assert loaded(tmp_path) == {"a": {"value": "2"}}


@pytest.mark.parametrize(
    ("name", "text"),
    [("letta.json", "{"), ("letta.json", '{"version": 99}'), ("letta.json", "[]"), ("letta.journal", "{\n")],
)
def test_a_damaged_folder_is_never_taken_for_an_empty_one(tmp_path: Path, name: str, text: str):
    (tmp_path / name).write_text(text)
    disk = Disk(tmp_path)

    with pytest.raises(DamagedData):
        disk.load()
    disk.close()


def test_a_new_folder_holds_nothing(tmp_path: Path):
    disk = Disk(tmp_path)
    assert disk.load() is None
    disk.close()


def test_what_is_kept_is_for_this_account_only(tmp_path: Path):
    disk = Disk(tmp_path)
    disk.save({})
    disk.close()

    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_long_journal_asks_to_be_folded(tmp_path: Path):
    disk = Disk(tmp_path)
    disk.save({})

    assert not disk.append([("blocks", "a", {"value": "x" * 4_000_000})])
    disk.close()


def test_the_model_tells_what_changed_and_nothing_else():
    letta = Letta()
    assert letta.state.drain() is None
    block = letta.blocks.create({"label": "l", "value": "1"})
    letta.blocks.create({"label": "l", "value": "2"})
    letta.state.drain()

    letta.blocks.update(block["id"], {"value": "1"})
    assert letta.state.drain() == []
    letta.blocks.update(block["id"], {"value": "3"})
    (only,) = letta.state.drain() or []
    assert json.dumps(only[2]) == json.dumps(letta.blocks.get(block["id"]))
    letta.blocks.delete(block["id"])
    assert letta.state.drain() == [("blocks", block["id"], None)]
    letta.restore({})
    assert letta.state.drain() is None
