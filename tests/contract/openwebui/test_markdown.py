"""A note's Markdown, without a server: the fence is exact, and around it only words count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.remotes.openwebui.markdown import (
    NO_FENCE,
    NOTHING,
    OPEN_FENCE,
    TWO_FENCES,
    Sheet,
    compose,
    parse,
    words,
)

BODIES = st.one_of(
    st.text(alphabet="a`~\n =⚠#", max_size=40).map(lambda text: text.rstrip("\n")),
    st.sampled_from([NOTHING, f"{NOTHING}\n{NOTHING}\na = 1", f"{NOTHING} at all"]),
)
PLAIN = st.sampled_from(["", "Some help.", "# Head\n\n- one\n- two"])


@given(PLAIN, st.sampled_from(["", "line 2: no such option"]), BODIES, st.sampled_from(["toml", "text"]))
def test_what_is_put_together_comes_apart_as_it_was(help: str, message: str, body: str, info: str) -> None:
    sheet = Sheet(help, message, body, info)

    assert parse(compose(sheet)) == sheet


@given(BODIES, st.sampled_from(["", "And a word after it.", "# More\n\nof it"]))
def test_what_follows_the_fence_is_kept(body: str, after: str) -> None:
    sheet = Sheet("Some help.", "", body, "toml", after)

    assert parse(compose(sheet)) == sheet


@pytest.mark.parametrize(
    ("markdown", "why"),
    [
        ("", NO_FENCE),
        ("a = 1\n", NO_FENCE),
        ("an inline ```a = 1``` is no box", NO_FENCE),
        ("```toml\na = 1\n", OPEN_FENCE),
        ("```toml\na = 1\n```\n\n```\nb = 2\n```\n", TWO_FENCES),
        ("```toml\na = 1\n```\n\n```", TWO_FENCES),
    ],
)
def test_a_note_without_exactly_one_fence_says_what_to_do(markdown: str, why: object) -> None:
    assert parse(markdown) == why


@pytest.mark.parametrize("mark", ["```", "```python", "~~~", "   ````toml", "```toml   \t", "``` toml \r"])
def test_any_one_fence_will_do(mark: str) -> None:
    closing = mark.strip().rstrip("tomlpyhn \t\r")
    found = parse(f"Help.\n{mark}\na = 1\n{closing}")

    assert isinstance(found, Sheet)
    assert found.body == "a = 1"


@pytest.mark.parametrize(
    ("ours", "editors"),
    [
        ("- one\n- two", "*   one\n*   two"),
        ("one\n\n\n\ntwo", "one\n\ntwo"),
        ("a **bold** word", "a __bold__ word"),
        ("don't & do", "don't &amp; do"),
        ("do_this", "do\\_this"),
        ("---\ntitle: x\n---", "## title: x"),
    ],
)
def test_the_editors_rewriting_leaves_the_words(ours: str, editors: str) -> None:
    assert words(ours) == words(editors)


def test_another_word_is_another_text() -> None:
    assert words("Write here.") != words("Write nothing here.")
