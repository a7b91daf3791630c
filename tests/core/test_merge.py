"""Merges lose nothing that either side added, and keep nothing that either side removed."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.merge import Items, merge_items, merge_text, merged, unique_items
from reconciler.core.value import ABSENT, Held, same
from tests.strategies import MOMENTS, held, items, prose


def keys(of: Items) -> set[object]:
    return {(type(item), item) for item in of}


# Lists.

ITEMS = [
    ("nobody touched it", "abc", "abc", "abc", "abc"),
    ("git added", "ab", "abc", "ab", "abc"),
    ("live added at the end", "ab", "ab", "abc", "abc"),
    ("live added at the start", "ab", "ab", "xab", "xab"),
    ("live added in between", "ab", "ab", "axb", "axb"),
    ("both added at the end: git's first", "a", "ag", "al", "agl"),
    ("both added at the start: git's first", "a", "ga", "la", "gla"),
    ("both added the same", "a", "ax", "ax", "ax"),
    ("both added the same in two places", "ab", "axb", "abx", "axb"),
    ("live added two", "a", "a", "axy", "axy"),
    ("live added two, git added one", "a", "ag", "axy", "agxy"),
    ("live added after what git removed", "ab", "a", "abx", "ax"),
    ("live added after what git removed, nothing left of it", "a", "", "ax", "x"),
    ("live removed", "abc", "abc", "ac", "ac"),
    ("live removed what git removed too", "abc", "ac", "ac", "ac"),
    ("each removed another", "abc", "ab", "bc", "b"),
    ("live removed, git added", "ab", "abg", "a", "ag"),
    ("live took everything away", "ab", "ab", "", ""),
    ("live took everything away, git added", "ab", "abg", "", "g"),
    ("git reordered, live added", "ab", "ba", "abx", "bxa"),
    ("from nothing: both lists", "", "ag", "al", "agl"),
    ("git removed, live reordered", "abc", "ac", "cba", "ac"),
]


@pytest.mark.parametrize(("base", "git", "live", "expected"), [case[1:] for case in ITEMS], ids=[c[0] for c in ITEMS])
def test_items(base: str, git: str, live: str, expected: str) -> None:
    assert merge_items(tuple(base), tuple(git), tuple(live)) == tuple(expected)


@given(items, items, items)
def test_a_merged_list_holds_exactly_what_nobody_removed(base: Items, git: Items, live: Items) -> None:
    b, g, n = keys(base), keys(git), keys(live)
    merge = merge_items(base, git, live)

    assert keys(merge) == (g & n) | (g - b) | (n - b)
    assert len(merge) == len(keys(merge))


@given(items, items, items)
def test_a_merged_list_keeps_gits_order(base: Items, git: Items, live: Items) -> None:
    merge = merge_items(base, git, live)

    assert [item for item in merge if (type(item), item) in keys(git)] == [
        item for item in git if (type(item), item) in keys(merge)
    ]


@given(items, items, items)
def test_merging_lists_again_changes_nothing(base: Items, git: Items, live: Items) -> None:
    merge = merge_items(base, git, live)

    assert same(merge_items(base, merge, live), merge)
    assert same(merge_items(live, merge, merge), merge)
    assert same(merge_items(live, merge, live), merge)


@given(items, items)
def test_a_list_that_only_one_side_touched_ends_with_its_items(base: Items, other: Items) -> None:
    assert same(merge_items(base, other, base), other)
    assert keys(merge_items(base, base, other)) == keys(other)


@given(items, items, items)
def test_both_sides_end_with_the_same_items_whoever_is_git(base: Items, git: Items, live: Items) -> None:
    assert keys(merge_items(base, git, live)) == keys(merge_items(base, live, git))


UNIQUE: list[tuple[Held, bool]] = [
    ((), True),
    (("a", "b"), True),
    (("a", "a"), False),
    ((1, True, 1.0), True),
    ((1, 1), False),
    (MOMENTS, True),
    ((("a",),), False),
    (({"k": 1},), False),
    ("ab", False),
    ({}, False),
    (ABSENT, False),
]


@pytest.mark.parametrize(("value", "expected"), UNIQUE)
def test_only_lists_of_unique_scalars_merge_by_item(value: Held, expected: bool) -> None:
    assert (unique_items(value) is not None) is expected


# Prose.

A, B, C, D, E = "a\n", "b\n", "c\n", "d\n", "e\n"
X, Y = "x\n", "y\n"
BASE = A + B + C + D + E

TEXTS = [
    ("nobody touched it", BASE, BASE, BASE, BASE),
    ("one line each, apart", BASE, X + B + C + D + E, A + B + C + D + Y, X + B + C + D + Y),
    ("the same line alike", BASE, X + B + C + D + E, X + B + C + D + E, X + B + C + D + E),
    ("the same line differently", BASE, A + X + C + D + E, A + Y + C + D + E, None),
    ("neighbouring lines", BASE, A + X + C + D + E, A + B + Y + D + E, None),
    ("one removed, one added apart", BASE, A + C + D + E, BASE + X, A + C + D + E + X),
    ("one removed what the other changed", BASE, A + C + D + E, A + X + C + D + E, None),
    ("both added at one place", BASE, BASE + X, BASE + Y, None),
    ("both added the same at one place", BASE, BASE + X, BASE + X, BASE + X),
    ("one emptied, one changed", BASE, "", A + X + C + D + E, None),
    ("both from nothing", "", X, Y, None),
    ("one from nothing", "", X, "", X),
    ("no newline at the end", A + B + "c", X + B + "c", A + B + "c", X + B + "c"),
    ("added after a last line without newline", "a\nb\nc\nd", "x\nb\nc\nd", "a\nb\nc\nd\ny", "x\nb\nc\nd\ny"),
    ("only the last newline differs", A + B, A + "b", A + B, A + "b"),
    ("windows line ends", "a\r\nb\r\nc\r\n", "x\r\nb\r\nc\r\n", "a\r\nb\r\ny\r\n", "x\r\nb\r\ny\r\n"),
]


@pytest.mark.parametrize(("base", "git", "live", "expected"), [case[1:] for case in TEXTS], ids=[c[0] for c in TEXTS])
def test_texts(base: str, git: str, live: str, expected: str | None) -> None:
    assert merge_text(base, git, live) == expected
    assert merge_text(base, live, git) == expected


@given(prose, prose)
def test_a_text_that_only_one_side_touched_is_that_sides(base: str, other: str) -> None:
    assert merge_text(base, other, base) == other
    assert merge_text(base, base, other) == other
    assert merge_text(base, other, other) == other


@given(prose, prose, prose)
def test_a_text_merges_alike_whoever_is_git(base: str, git: str, live: str) -> None:
    assert merge_text(base, git, live) == merge_text(base, live, git)


# Of lines that are all different nothing can be taken for something else, so each side's change can be followed.

edits = st.lists(st.sampled_from(["keep", "change", "remove", "add"]), min_size=8, max_size=8)


def edited(how: list[str], by: str) -> tuple[str, set[str], set[str]]:
    """A text of eight lines after one side's edits, and the lines it added and removed."""
    text, added, removed = "", set[str](), set[str]()
    for number, step in enumerate(how):
        line, new = f"{number}\n", f"{number} by {by}\n"
        text += {"keep": line, "change": new, "remove": "", "add": line + new}[step]
        added |= {new} if step in ("change", "add") else set()
        removed |= {line} if step in ("change", "remove") else set()
    return text, added, removed


@given(edits, edits)
def test_a_clean_merge_holds_what_both_added_and_nothing_that_either_removed(
    ours: list[str], theirs: list[str]
) -> None:
    base = "".join(f"{number}\n" for number in range(8))
    git, git_added, git_removed = edited(ours, "git")
    live, live_added, live_removed = edited(theirs, "live")
    merge = merge_text(base, git, live)
    if merge is not None:
        left = {f"{number}\n" for number in range(8)} - git_removed - live_removed
        assert set(merge.splitlines(keepends=True)) == left | git_added | live_added


@given(st.integers(0, 7), st.integers(0, 7))
def test_edits_two_lines_apart_always_merge_and_closer_ones_never(at: int, other: int) -> None:
    base = [f"{number}\n" for number in range(8)]
    git = "".join(["git\n" if number == at else line for number, line in enumerate(base)])
    live = "".join(["live\n" if number == other else line for number, line in enumerate(base)])
    merge = merge_text("".join(base), git, live)

    assert (merge is not None) is (abs(at - other) > 1)


@given(prose, prose, prose)
@example("a\nb\nc\n", "x\nb\nc\n", "a\nb\ny\n")
def test_no_merge_invents_a_line(base: str, git: str, live: str) -> None:
    merge = merge_text(base, git, live)
    if merge is not None:
        assert set(merge.splitlines()) <= {*base.splitlines(), *git.splitlines(), *live.splitlines()}
        assert "<<<" not in merge


@given(prose, prose, prose)
def test_merging_texts_again_changes_nothing(base: str, git: str, live: str) -> None:
    merge = merge_text(base, git, live)
    if merge is not None:
        assert merge_text(live, merge, live) == merge
        assert merge_text(git, merge, git) == merge


# Any type.

MERGES: list[tuple[Held, Held, Held, Held | None]] = [
    ("a", "b", "c", None),
    (1, 2, 3, None),
    (("a",), ("a", "g"), ("a", "l"), ("a", "g", "l")),
    (ABSENT, ("a", "g"), ("a", "l"), ("a", "g", "l")),
    (ABSENT, "g", "l", None),
    ("a", ("g",), ("l",), None),
    (("a",), ABSENT, ("a", "l"), None),
    (("a",), ("a", "g"), ABSENT, None),
    (("a", "a"), ("a",), ("a", "b"), None),
    (("a",), ("a", "a"), ("a", "b"), None),
    ({"k": 1}, {"k": 2}, {"k": 1, "l": 1}, None),
]


@pytest.mark.parametrize(("base", "git", "live", "expected"), MERGES)
def test_what_has_a_merge(base: Held, git: Held, live: Held, expected: Held | None) -> None:
    assert merged(base, git, live) == expected


@given(held, held, held)
def test_every_three_values_have_a_merge_or_none(base: Held, git: Held, live: Held) -> None:
    assert merged(base, git, live) is None or isinstance(merged(base, git, live), str | tuple)
