"""The queue's laws: one place per key, the earliest time wins, no key in two hands, nothing lost, nothing starved."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.controller.queue import Queue, is_wide


class Time:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


A, B, ALL = "user/a", "user/b", "recent"


def test_a_key_has_one_place_and_the_earliest_time_wins() -> None:
    time = Time()
    queue = Queue(time)
    queue.add(A, 10)
    queue.add(A, 2)
    queue.add(A, 5)

    assert queue.take() == frozenset()
    assert queue.wait_seconds() == 2
    time.now += 2
    assert queue.take() == {A}
    assert queue.take() == frozenset()
    assert queue.wait_seconds() is None


def test_a_key_in_hand_is_not_given_again_until_it_is_back() -> None:
    queue = Queue(Time())
    queue.add(A)
    taken = queue.take()
    queue.add(A)

    assert queue.take() == frozenset()
    assert queue.wait_seconds() is None
    queue.done(taken)
    assert queue.wait_seconds() == 0
    assert queue.take() == {A}


def test_others_go_on_beside_a_key_in_hand() -> None:
    queue = Queue(Time())
    queue.add(A)
    queue.take()
    queue.add(B)

    assert queue.take() == {B}


def test_a_wide_key_waits_for_all_hands_and_then_goes_alone_with_all_that_is_due() -> None:
    queue = Queue(Time())
    queue.add(A)
    hand = queue.take()
    queue.add(ALL)
    queue.add(B)

    assert queue.take() == frozenset()
    queue.done(hand)
    wide = queue.take()
    assert wide == {ALL, B}
    queue.add(A)
    assert queue.take() == frozenset()
    queue.done(wide)
    assert queue.take() == {A}


def test_whoever_sleeps_on_the_queue_is_woken_by_an_add_and_by_a_return() -> None:
    rung: list[str] = []
    queue = Queue(Time(), on_change=lambda: rung.append("ring"))
    queue.add(A)
    queue.done(queue.take())

    assert rung == ["ring", "ring"]


moves = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from([A, B, ALL, "courses"]), st.integers(0, 3)),
        st.tuples(st.just("take"), st.just(""), st.just(0)),
        st.tuples(st.just("done"), st.just(""), st.just(0)),
        st.tuples(st.just("pass"), st.just(""), st.integers(1, 3)),
    )
)


@given(moves)
def test_no_key_is_lost_or_in_two_hands_and_a_wide_one_is_alone(made: list[tuple[str, str, int]]) -> None:
    time = Time()
    queue = Queue(time)
    hands: list[frozenset[str]] = []
    owed: set[str] = set()
    for move, key, number in made:
        if move == "add":
            queue.add(key, number)
            owed.add(key)
        elif move == "pass":
            time.now += number
        elif move == "done" and hands:
            queue.done(hands.pop())
        elif move == "take" and (taken := queue.take()):
            assert not any(taken & hand for hand in hands)
            hands.append(taken)
            owed -= taken
            assert len(hands) == 1 or not any(map(is_wide, frozenset().union(*hands)))
    for hand in hands:
        queue.done(hand)
    time.now += 10
    assert owed == queue.take()
