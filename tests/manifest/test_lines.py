"""The line of a key is the line it stands on, however the table around it is written."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifest.reading.notes import Notes, dotted, key_lines
from reconciler.manifest.spans import Path
from reconciler.manifest.spelling import spell, spell_key

TEXT = '''
a = 1
"b c".d = """
x = 1
[no]
""" # [comment]
[t.u]
v = [
  1,
  { w = 2, x = [
    3] },
]
[[l]]
y = 1
[[l]]
[l.inner]
y = 2
[[l.deep]]
z = { "q.r" = 1 }
'''

LINES = {
    ("a",): 2,
    ("b c",): 3,
    ("b c", "d"): 3,
    ("t",): 7,
    ("t", "u"): 7,
    ("t", "u", "v"): 8,
    ("t", "u", "v", 0): 9,
    ("t", "u", "v", 1): 10,
    ("t", "u", "v", 1, "w"): 10,
    ("t", "u", "v", 1, "x"): 10,
    ("t", "u", "v", 1, "x", 0): 11,
    ("l",): 13,
    ("l", 0): 13,
    ("l", 0, "y"): 14,
    ("l", 1): 15,
    ("l", 1, "inner"): 16,
    ("l", 1, "inner", "y"): 17,
    ("l", 1, "deep"): 18,
    ("l", 1, "deep", 0): 18,
    ("l", 1, "deep", 0, "z"): 19,
    ("l", 1, "deep", 0, "z", "q.r"): 19,
}


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n")], ids=["newlines", "windows"])
def test_every_key_table_and_item_has_its_line(text: str) -> None:
    assert key_lines(text) == LINES


@pytest.mark.parametrize(
    ("path", "line"),
    [(("l", 1, "missing"), 15), (("t", "u", "v", 9), 8), (("nothing",), None), ((), None)],
)
def test_what_is_missing_has_the_line_of_what_it_is_missing_from(path: Path, line: int | None) -> None:
    assert Notes("f", TEXT).line(path) == line


def test_paths_are_written_as_people_write_them() -> None:
    assert dotted(("task", 1, "queries", 0, "a.b")) == 'task[2].queries[1]."a.b"'
    assert dotted(()) == ""


keys = st.text('ab." #', max_size=3)
documents = st.recursive(
    st.integers(0, 9) | st.text("a\n\"'#[]", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: frozen(inner) for key, inner in value.items()}
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def paths_of(value: Any, path: Path = ()) -> set[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path, *(found for key, each in inner for found in paths_of(each, (*path, key)))}


@given(st.dictionaries(keys, documents, max_size=3))
def test_nothing_in_a_document_is_without_a_line(document: dict[str, Any]) -> None:
    text = "".join(f"{spell_key(key)} = {spell(frozen(value))}\n" for key, value in document.items())
    assert tomllib.loads(text) == document
    assert set(key_lines(text)) == paths_of(document) - {()}
