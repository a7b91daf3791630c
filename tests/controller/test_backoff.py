"""Back-off: longer each time up to a limit, spread by chance, forgotten on success, per key."""

from __future__ import annotations

from reconciler.controller.backoff import Backoff


def test_it_doubles_up_to_the_limit() -> None:
    backoff = Backoff(random=lambda: 1.0, first_seconds=1, most_seconds=10)

    assert [backoff.delay_seconds("a") for _ in range(6)] == [1, 2, 4, 8, 10, 10]


def test_chance_spreads_the_second_half_of_the_wait() -> None:
    assert Backoff(random=lambda: 0.0, first_seconds=8).delay_seconds("a") == 4
    assert Backoff(random=lambda: 0.5, first_seconds=8).delay_seconds("a") == 6


def test_keys_do_not_share_their_failures_and_success_forgets() -> None:
    backoff = Backoff(random=lambda: 1.0)
    backoff.delay_seconds("a")
    backoff.delay_seconds("a")

    assert backoff.delay_seconds("b") == 1
    backoff.forget("a")
    assert backoff.delay_seconds("a") == 1


def test_a_thousand_failures_do_not_overflow() -> None:
    backoff = Backoff(random=lambda: 1.0)

    assert {backoff.delay_seconds("a") for _ in range(1100)} >= {300.0}
