"""A clock that never waits makes the same calls in the same order, each run."""

from __future__ import annotations

from local.group.clock import VirtualClock


def test_calls_of_one_moment_are_made_in_the_order_they_were_planned() -> None:
    clock, made = VirtualClock(), []
    for name in ("first", "second", "third"):
        clock.call_at(5.0, made.append, name)
    clock.call_at(4.0, made.append, "earlier")
    clock.run_until(5.0)
    assert made == ["earlier", "first", "second", "third"]


def test_a_cancelled_call_is_not_made() -> None:
    clock, made = VirtualClock(), []
    clock.timer_at(1.0, made.append, "cancelled").cancel()
    clock.call_at(2.0, made.append, "made")
    assert clock.next_at() == 2.0
    clock.advance(10.0)
    assert made == ["made"]


def test_a_call_planned_for_the_past_is_made_next_and_time_does_not_go_back() -> None:
    clock, seen = VirtualClock(start=100.0), []
    clock.call_at(50.0, lambda: seen.append(clock.now()))
    clock.advance(1.0)
    assert seen == [100.0]
    assert clock.now() == 101.0
