"""The cache remembers, and losing or spoiling it at any time is harmless."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.store.ledger import Ledger, PassSummary
from tests.store.hands import NOW

ANN = ("user/ann", "block/essay/student")
BOB = ("user/bob", "block/essay/student")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "cache.sqlite3"


def a_pass(count: int) -> PassSummary:
    return PassSummary(f"p{count}", NOW, NOW + timedelta(seconds=count), {"pending": count})


def test_what_is_remembered_comes_back_in_another_process(path: Path) -> None:
    Ledger(path).remember_handles("letta", {ANN: "block-1", BOB: "block-2"})
    Ledger(path).remember_handles("letta", {ANN: "block-3", BOB: None})
    Ledger(path).remember_fingerprints({"user/ann": "x", "user/bob": "y"})
    Ledger(path).remember_fingerprints({"user/bob": None})
    Ledger(path).record(a_pass(1))

    assert Ledger(path).handles("letta") == {ANN: "block-3"}
    assert Ledger(path).handles("openwebui") == {}
    assert Ledger(path).fingerprints() == {"user/ann": "x"}
    assert Ledger(path).passes() == [a_pass(1)]


def test_the_newest_passes_are_kept(path: Path) -> None:
    ledger = Ledger(path)
    for count in range(510):
        ledger.record(a_pass(count))

    assert [done.id for done in ledger.passes(2)] == ["p509", "p508"]
    assert len(ledger.passes(1000)) == 500


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda p: p.write_bytes(b"no database" * 999), lambda p: p.write_bytes(b"")]
)
def test_a_spoiled_file_is_an_empty_cache(path: Path, spoil: object) -> None:
    ledger = Ledger(path)
    ledger.remember_fingerprints({"user/ann": "x"})
    assert callable(spoil)
    spoil(path)

    assert Ledger(path, read_only=True).fingerprints() == {}
    assert ledger.fingerprints() == {}
    ledger.remember_fingerprints({"user/ann": "z"})
    assert ledger.fingerprints() == {"user/ann": "z"}


def test_a_file_cut_short_is_an_empty_cache_or_a_right_one(path: Path) -> None:
    Ledger(path).remember_fingerprints({f"user/{count}": "x" * 100 for count in range(1000)})
    whole = path.read_bytes()
    for size in range(0, len(whole), 9_001):
        path.write_bytes(whole[:size])
        assert set(Ledger(path).fingerprints().values()) <= {"x" * 100}
        Ledger(path).remember_fingerprints({"user/ann": "x" * 100})
        assert Ledger(path).fingerprints()["user/ann"] == "x" * 100


def test_a_plan_leaves_no_trace(path: Path) -> None:
    reader = Ledger(path, read_only=True)
    reader.remember_fingerprints({"user/ann": "x"})
    assert reader.fingerprints() == {}
    assert not path.parent.exists()

    Ledger(path).remember_fingerprints({"user/ann": "x"})
    before = path.read_bytes()
    reader.record(a_pass(1))
    assert reader.fingerprints() == {"user/ann": "x"}
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_without_a_place_to_write_there_is_no_cache(path: Path) -> None:
    path.mkdir(parents=True)
    ledger = Ledger(path)
    ledger.remember_fingerprints({"user/ann": "x"})

    assert ledger.fingerprints() == {}
