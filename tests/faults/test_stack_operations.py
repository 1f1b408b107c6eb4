"""The stack is updated and deleted while it works, and jobs that are sent oddly come to an end."""

from dataclasses import replace

import pytest

from faults.deployment import UPDATE_POLICY
from faults.plan import Fault, JobSpec, Plan, Settings
from faults.run import run
from faults.stack import Stack

SLEEPING = Settings(min_size=0, max_size=3, pool_min_size=1)


def jobs(at: float, count: int, seconds: float) -> tuple[JobSpec, ...]:
    return tuple(JobSpec(at + it / 10, f"job-{it}", seconds) for it in range(count))


DELETED_AT_WORK = Plan(
    1, SLEEPING, jobs(300.0, 6, 120.0), (Fault(360.0, "stack_deleted"),), quiet_at=400.0
)


def test_a_stack_that_is_deleted_at_work_leaves_its_jobs_in_the_queue_or_recorded() -> None:
    result = run(DELETED_AT_WORK, listens=True)

    assert result.broken == ""
    assert any("the stack is deleted" in line for line in result.story)
    assert result.results + result.left == 6
    assert result.left > 0


def test_functions_that_are_deleted_before_the_group_are_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_order = Stack._delete

    def helpers_first(stack: Stack) -> None:
        stack._minutes.close()
        for mapping in stack._mappings.values():
            mapping.close()
        in_order(stack)

    monkeypatch.setattr(Stack, "_delete", helpers_first)

    assert ":Wait for" in run(DELETED_AT_WORK).broken


@pytest.mark.parametrize("index", range(4))
def test_a_stack_that_is_updated_at_work_goes_on(index: int) -> None:
    faults = (Fault(320.0, "stack_updated", index=index), Fault(1500.0, "stack_updated", index=9))

    sent = jobs(300.0, 6, 60.0) + jobs(800.0, 3, 10.0)
    result = run(Plan(1, SLEEPING, sent, faults, quiet_at=1600.0))

    assert (result.broken, result.results) == ("", 6)
    assert result.tally["stack_updated"] == 2


NEW_TEMPLATE = Plan(
    1, SLEEPING, jobs(300.0, 3, 90.0), (Fault(330.0, "stack_updated", index=3),), quiet_at=600.0
)


def test_a_new_launch_template_reaches_the_pool_too_and_ends_no_job() -> None:
    result = run(NEW_TEMPLATE)

    assert (result.broken, result.results, result.ran_again) == ("", 3, 0)
    assert result.effects["stack_updated", "with a new launch template"] == 1
    assert result.tally["stack_rolled_back"] == 0
    assert result.launches >= 6


def test_an_update_policy_that_waits_for_nobody_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once = {
        "MinHealthyPercentage": 0,
        "MaxHealthyPercentage": 100,
        "ScaleInProtectedInstances": "Refresh",
    }
    monkeypatch.setitem(UPDATE_POLICY, "Preferences", at_once)

    assert "leaves by scale-in with 1 running jobs" in run(NEW_TEMPLATE).broken


def test_a_pool_that_keeps_its_old_template_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "_refresh", lambda _: True)

    assert "has an old launch template" in run(NEW_TEMPLATE).broken


def test_an_update_whose_instances_cannot_be_set_up_rolls_back_and_all_are_as_before() -> None:
    """Nothing works from the new template: the breaker opens, and an hour later it is given up."""
    setups_fail = Fault(335.0, "setup_fails", count=100)
    plan = replace(NEW_TEMPLATE, faults=(*NEW_TEMPLATE.faults, setups_fail), quiet_at=4500.0)

    result = run(plan, listens=True)

    assert (result.broken, result.results) == ("", 3)
    assert result.tally["stack_rolled_back"] == 1
    assert result.tally["rollback_failed"] == 0


def test_a_job_that_is_interrupted_goes_on_from_its_checkpoint() -> None:
    job = JobSpec(300.0, "training", 150.0, saves_every_seconds=15.0)
    faults = tuple(Fault(at, "worker_killed") for at in (400.0, 520.0))

    result = run(Plan(1, Settings(job_timeout_seconds=180), (job,), faults, quiet_at=600.0))

    assert (result.broken, result.results) == ("", 1)
    # Begun anew after the second kill it would take until 670 and what the message stays hidden.
    assert result.tally["worker_killed"] == 2


def test_a_job_that_fails_and_was_sent_twice_is_not_tried_without_end() -> None:
    twins = tuple(JobSpec(at, "poison", 40.0, "raise") for at in (300.0, 320.0))

    result = run(Plan(1, Settings(jobs_per_instance=2, max_attempts=3), twins, quiet_at=400.0))

    assert (result.broken, result.dead_letters) == ("", 1)
    assert result.at < 700.0  # twenty attempts would take until 1,140
