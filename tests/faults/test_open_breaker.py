"""The breaker is open, two proven instances sleep, and jobs come."""

import math
from dataclasses import replace

import pytest

from faults.plan import Fault, JobSpec, Plan, Settings
from faults.run import Result, run
from local.group import capacity as group_capacity
from local.group.sizing import Plan as Moves
from local.group.sizing import plan
from pilotlight.fleet.waking import NO_WAKING, WakeStep, Waking
from pilotlight.scaling import capacity

Patch = pytest.MonkeyPatch
# Three are set up and sleep. One is lost, what replaces it fails three times, and nobody looks in.
SETTINGS = Settings(min_size=0, max_size=3, watch_seconds=5, person_seconds=math.inf)
SET_UP, FAILED = 3, 3
SENT_AT = 700.0
OPEN = Plan(
    1,
    SETTINGS,
    tuple(JobSpec(SENT_AT, f"job-{number}", 30.0) for number in range(2)),
    (Fault(150.0, "setup_fails", count=FAILED), Fault(160.0, "instance_terminated")),
    quiet_at=900.0,
)


def with_fault(fault: Fault) -> Plan:
    return replace(OPEN, faults=(*OPEN.faults, fault))


def seconds_of(result: Result, words: str) -> list[float]:
    """When the story says so."""
    return [float(line.split()[0]) for line in result.story if words in line]


def test_what_sleeps_is_woken_within_seconds_and_nothing_new_is_launched_before_the_trial() -> None:
    result = run(OPEN, listens=True)

    started = seconds_of(result, "job_started")
    [alerted, again] = seconds_of(result, "ALERT")
    assert (result.broken, result.results) == ("", 2)
    assert alerted < SENT_AT < max(started) < SENT_AT + 40 < again
    assert result.launches == SET_UP + FAILED + 1


def test_without_a_watch_the_minutes_look_wakes_it() -> None:
    result = run(replace(OPEN, settings=SETTINGS.changed({"watch_seconds": 0})), listens=True)

    assert (result.broken, result.results) == ("", 2)
    assert max(seconds_of(result, "job_started")) < SENT_AT + 60 + 40


@pytest.mark.parametrize("kind", ["crash_before_call", "crash_after_call", "call_throttled"])
@pytest.mark.parametrize("call", ["PutWarmPool", "ResumeProcesses", "SuspendProcesses"])
def test_a_look_that_dies_on_the_way_is_made_up_for_by_the_next(kind: str, call: str) -> None:
    fault = Fault(SENT_AT - 1, kind, seconds=60.0, who="functions", what=f"autoscaling.{call}")

    result = run(with_fault(fault), listens=True)

    assert (result.broken, result.results) == ("", 2)
    assert max(seconds_of(result, "job_started")) < SENT_AT + 60
    assert result.launches == SET_UP + FAILED + 1


def test_what_dies_at_work_is_replaced_by_what_sleeps() -> None:
    result = run(with_fault(Fault(SENT_AT + 40, "spot_notice")), listens=True)

    assert (result.broken, result.results) == ("", 2)


@pytest.mark.parametrize(
    ("update", "replaced"),
    [
        pytest.param(34, 0, id="other layers alone"),
        pytest.param(36, 3, id="another launch template: two sleepers, and one while it works"),
    ],
)
def test_a_deployed_repair_is_launched_within_two_minutes(update: int, replaced: int) -> None:
    """The trial would come a quarter of an hour after the alert, at 1,340 seconds."""
    result = run(with_fault(Fault(500.0, "stack_updated", index=update)), listens=True)

    launched = [it for it in seconds_of(result, "EC2 -> WarmPool") if it > 500.0]
    assert (result.broken, result.alerts) == ("", 1)
    assert min(launched) < 500.0 + 120
    assert result.launches == SET_UP + FAILED + 1 + replaced


def test_what_is_launched_during_the_look_that_opens_it_closes_it_once_proven() -> None:
    """The second setup fails at 315 seconds, and is replaced before the look of 320 is through."""
    plan = replace(
        OPEN,
        settings=SETTINGS.changed({"watch_seconds": 0, "max_setup_failures": 2}),
        jobs=(),
        faults=(
            Fault(130.0, "setup_fails", count=2),
            Fault(143.0, "instance_terminated"),
            Fault(310.0, "answer_late", who="functions", what="sqs.GetQueueAttributes"),
        ),
    )

    result = run(plan, listens=True)

    [opened] = seconds_of(result, "SETUP_FAILS_AGAIN_AND_AGAIN")
    [closed] = seconds_of(result, "SETUP_SUCCEEDED")
    assert (result.broken, result.alerts, result.launches) == ("", 2, SET_UP + 2 + 1)
    assert opened < closed < opened + 180


# The template keeps one asleep. Two work when the setups of a third fail; one of them sleeps when
# the last job comes, and is woken; then both fall asleep.
KEEPS_BOTH = Plan(
    1,
    SETTINGS.changed(
        {"max_size": 2, "pool_min_size": 1, "max_prepared": 1, "max_setup_failures": 2}
    ),
    tuple(
        JobSpec(sent_at, f"job-{sent_at:.0f}", seconds)
        for sent_at, seconds in (
            (200.0, 170),
            (350.0, 170),
            (351.0, 170),
            (520.0, 170),
            (660.0, 30),
        )
    ),
    (Fault(340.0, "setup_fails", count=2),),
)


def test_what_was_there_at_a_wake_may_sleep_on_beyond_the_sizes_of_the_template() -> None:
    result = run(KEEPS_BOTH, listens=True)

    [opened] = seconds_of(result, "SETUP_FAILS_AGAIN_AND_AGAIN")
    [woken] = seconds_of(result, "launching resumed to wake")
    asleep = [it for it in seconds_of(result, "AutoScalingGroup -> WarmPool") if it > woken]
    trimmed = [it for it in seconds_of(result, "WarmPool -> EC2") if it > woken]
    assert (result.broken, result.results, result.launches) == ("", 5, 2 + 2)
    assert opened < woken < min(asleep)
    assert trimmed == []


def test_more_sleepers_than_the_pool_is_kept_at_are_noticed(monkeypatch: Patch) -> None:
    """A group that trims no pool, while the breaker is closed."""

    def trimming_nothing(*seen: object) -> Moves:
        return plan(*seen)._replace(trim_pool=0)  # type: ignore[arg-type]

    monkeypatch.setattr(group_capacity, "plan", trimming_nothing)

    one_job = replace(KEEPS_BOTH, jobs=KEEPS_BOTH.jobs[:1], faults=())
    assert "2 rest in the pool, and 1 to 1 should" in run(one_job).broken


def test_sleepers_that_nobody_wakes_are_noticed(monkeypatch: Patch) -> None:
    monkeypatch.setattr(capacity, "may_concern", lambda *_: False)

    assert "2 instances sleep on" in run(OPEN).broken


def test_launches_beside_the_wakes_are_noticed(monkeypatch: Patch) -> None:
    """The pool keeps the sizes of the template while launching goes on."""
    decide = capacity.decide_waking

    def wake_only(*seen: object) -> Waking:
        waking = decide(*seen)  # type: ignore[arg-type]
        return Waking(WakeStep.WAKE) if waking.step is WakeStep.WAKE else NO_WAKING

    monkeypatch.setattr(capacity, "decide_waking", wake_only)

    assert "the breaker is open, and" in run(OPEN).broken
