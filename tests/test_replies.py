"""A reply is made into something once, for as long as its bytes stay the same."""

from __future__ import annotations

from reconciler.remotes.replies import MOST_REPLIES, Replies

LONG = b"x" * 5_000


def counted(replies: Replies[int], *asked: tuple[str, bytes]) -> list[int]:
    """What was made for each, where the n-th making gives n."""
    made: list[None] = []
    return [replies.made(key, content, lambda: made.append(None) or len(made)) for key, content in asked]


def test_the_same_bytes_are_made_into_something_once() -> None:
    assert counted(Replies(), ("a", LONG), ("a", LONG), ("a", LONG + b"y"), ("a", LONG)) == [1, 1, 2, 3]


def test_the_same_bytes_of_another_question_are_another_matter() -> None:
    assert counted(Replies(), ("a", LONG), ("b", LONG), ("a", LONG)) == [1, 2, 1]


def test_a_short_reply_is_not_worth_keeping() -> None:
    assert counted(Replies(), ("a", b"[]"), ("a", b"[]")) == [1, 2]


def test_the_questions_asked_last_are_kept() -> None:
    many = [(str(at), LONG) for at in range(MOST_REPLIES + 1)]
    again = counted(Replies(), *many, ("0", LONG), (str(MOST_REPLIES), LONG))[-2:]
    assert again == [MOST_REPLIES + 2, MOST_REPLIES + 1]
