"""Many instances at once: nothing lost, and no more calls for each than for one."""

from collections import Counter

from faults.plan import Fault, JobSpec, Plan, Settings
from faults.run import run

INSTANCES = 60


def test_a_pool_that_wakes_as_one_makes_few_calls_for_each_instance() -> None:
    jobs = tuple(JobSpec(600.0 + it / 1000, f"job-{it}", 60.0) for it in range(INSTANCES))
    settings = Settings(min_size=0, max_size=INSTANCES, idle_seconds=60, real_setup_seconds=60.0)

    result = run(Plan(1, settings, jobs))

    assert (result.broken, result.results, result.launches) == ("", INSTANCES, INSTANCES)
    calls = Counter[str]()
    for (_, operation), number in result.calls.items():
        calls[operation] += number
    # Setup, wake and drain complete one action each; a command is sent for two of the three, and
    # once more each time that an instance is not registered yet.
    assert calls["autoscaling.CompleteLifecycleAction"] == 3 * INSTANCES
    assert calls["ssm.GetCommandInvocation"] == 2 * INSTANCES
    assert calls["ssm.SendCommand"] <= 5 * INSTANCES
    assert calls["autoscaling.SetInstanceProtection"] <= 3 * INSTANCES


def test_a_wake_whose_event_is_lost_waits_for_none_of_many_long_setups() -> None:
    """One sleeps while 130 are set up for ten minutes, long beyond their due."""
    sent_at, setups = 400.0, 130
    settings = Settings(
        min_size=0, max_size=setups + 1, setup_timeout_seconds=900, target_wait_seconds=300.0
    )
    faults = (
        Fault(0.0, "setup_slow", seconds=600.0, count=setups),
        Fault(sent_at, "event_lost", what="aws.autoscaling"),
    )

    result = run(Plan(1, settings, (JobSpec(sent_at, "job"),), faults, quiet_at=600.0))

    assert (result.broken, result.tally["event_lost"]) == ("", 1)
    assert result.longest_wait_seconds < 120.0
