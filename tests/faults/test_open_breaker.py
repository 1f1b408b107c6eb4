"""The breaker is open, two proven instances sleep, and jobs come."""

import math
from dataclasses import replace

import pytest

from faults.plan import Fault, JobSpec, Plan, Settings
from faults.run import Result, run
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
        pytest.param(36, 2, id="another launch template, whose refresh replaces the sleepers"),
    ],
)
def test_a_deployed_repair_is_launched_within_two_minutes(update: int, replaced: int) -> None:
    """The trial would come a quarter of an hour after the alert, at 1,340 seconds."""
    result = run(with_fault(Fault(500.0, "stack_updated", index=update)), listens=True)

    deployed = seconds_of(result, "the stack is updated")
    launched = [it for it in seconds_of(result, "EC2 -> WarmPool") if it > 500.0]
    assert (result.broken, result.alerts) == ("", 1)
    assert max(*deployed, min(launched)) < 500.0 + 120
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
