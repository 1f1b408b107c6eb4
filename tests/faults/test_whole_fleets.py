"""A fleet at once, at a size at which the functions' concurrency and AWS's limits bite."""

import pytest

from benchmarks.scale import EVERY_EVENT_LOST, all_at_once
from faults.fleet import FleetRun, Stage, shipped_code
from pilotlight.fleet.settle_waits import PER_CALL

INSTANCES = 300


def woken(**limits: float) -> Stage:
    run = FleetRun(INSTANCES)
    with shipped_code(run.world):
        run.fill_pool()
        return run.wake(**limits)


def test_a_fleet_that_wakes_as_one_needs_one_call_for_each_instance() -> None:
    stage = woken()

    assert stage.calls["autoscaling.CompleteLifecycleAction"] == INSTANCES
    assert stage.calls["autoscaling.SetDesiredCapacity"] == 1
    assert stage.calls["ssm.SendCommand"] == 0
    assert stage.seconds < 60.0
    assert stage.lost_events == 0


def test_a_throttled_auto_scaling_only_makes_a_wake_slower() -> None:
    stage = woken(calls_per_second=5.0)

    assert stage.throttled > 0
    assert stage.calls["autoscaling.CompleteLifecycleAction"] >= INSTANCES
    assert stage.lost_events == 0
    # What is asked in vain must not crowd out what is asked for the first time.
    assert stage.seconds < 2.0 * INSTANCES / 5.0


def test_starts_that_ec2_puts_off_wake_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.limits.STARTS_AT_ONCE", 100)

    stage = woken(starts_per_second=2.0)

    assert stage.seconds == pytest.approx((INSTANCES - 100) / 2.0, abs=60.0)
    # Such a wake is overdue when it comes to its hook: reconcile may complete it, too.
    assert INSTANCES <= stage.calls["autoscaling.CompleteLifecycleAction"] < 1.1 * INSTANCES
    assert stage.lost_events == 0


def test_a_launch_of_hundreds_proves_each_once() -> None:
    run = FleetRun(INSTANCES)
    with shipped_code(run.world):
        stage = run.fill_pool()

    assert stage.calls["autoscaling.CompleteLifecycleAction"] == INSTANCES
    assert stage.calls["ec2.CreateTags"] == INSTANCES
    assert stage.lost_events == 0


def test_a_launch_whose_events_are_all_lost_is_asked_by_few_commands() -> None:
    run = FleetRun(INSTANCES, EVERY_EVENT_LOST)
    with shipped_code(run.world):
        stage = run.fill_pool()

    assert stage.calls["ec2.CreateTags"] == INSTANCES
    # Who is asked already is among those whose turn it is, so not every command is for fifty.
    assert stage.calls["ssm.SendCommand"] <= 1.5 * INSTANCES / PER_CALL


def test_a_queue_that_fills_in_ten_seconds_is_worked_off_by_the_whole_fleet() -> None:
    result = all_at_once(20_000)

    assert result.unfinished == 0
    assert max(sample.in_service for sample in result.samples) == 5000
    assert result.cold_starts == 0
