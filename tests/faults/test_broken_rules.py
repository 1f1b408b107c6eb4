"""The fault run has teeth: a copy of the code with one rule broken does not pass it.

Each rule is broken here, in the test; seeds are tried one after the other until one notices.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from faults.draw import draw
from faults.plan import Fault, JobSpec, Plan, Settings
from faults.run import run
from pilotlight.aws import jobs_table
from pilotlight.aws.autoscaling import AutoScalingGroup
from pilotlight.errors import NotRegisteredError
from pilotlight.fleet import answer, command_result, dead_workers, reconcile, settle_waits
from pilotlight.fleet.breaker import BreakerDecision, BreakerStep
from pilotlight.fleet.command_result import Conclusion, Verb
from pilotlight.fleet.completion import complete
from pilotlight.fleet.lifecycle_action import Pause
from pilotlight.fleet.outcome import Outcome, Result
from pilotlight.jobs.checkpoints import AttemptCheckpoints
from pilotlight.settings import queue_depth
from pilotlight.worker import agent, lease, surroundings
from pilotlight.worker.belongings import Belongings
from pilotlight.worker.code import CodeUpdate
from pilotlight.worker.loop_state import Action, Observation, Policy, Reason, State, Step

MOST_SEEDS = 60
Patch = pytest.MonkeyPatch


def is_noticed(words: str) -> bool:
    """Whether a seed says so: one after the other is tried."""
    return any(words in run(draw(seed)).broken for seed in range(1, MOST_SEEDS + 1))


def complete_by_instance_id(patch: Patch) -> None:
    by_token = AutoScalingGroup._action
    patch.setattr(
        AutoScalingGroup,
        "_action",
        lambda group, pause: by_token(group, Pause(pause.instance_id, pause.hook, token=None)),
    )


def forget_the_heartbeat(patch: Patch) -> None:
    patch.setattr(AutoScalingGroup, "record_heartbeat", lambda _group, _pause: None)


def abandon_what_is_pending(patch: Patch) -> None:
    patient = answer.answer_lifecycle_action

    def hasty(action, actions, *rest) -> Outcome:
        try:
            return patient(action, actions, *rest)
        except NotRegisteredError:
            return complete(actions, action.pause, Result.ABANDONED, "NOT_REGISTERED")

    patch.setattr(answer, "answer_lifecycle_action", hasty)


def reconcile_no_waits(patch: Patch) -> None:
    patch.setattr(settle_waits.WaitCare, "settle_all", lambda _care, _waits, _now: iter(()))


def continue_unproven(patch: Patch) -> None:
    passed = Conclusion(Verb.CONTINUE, "CHECKS_PASSED", proof_tags={"pilotlight:proven-at": "now"})
    patch.setattr(command_result, "_conclude_readiness", lambda _invocation: passed)


def record_results_unconditionally(patch: Patch) -> None:
    anything = jobs_table._Condition(
        "attribute_exists(job_id) OR attribute_not_exists(job_id)", names=(), values={}
    )
    patch.setattr(jobs_table, "NO_RESULT_YET", anything)


def extend_no_visibility(patch: Patch) -> None:
    patch.setattr(lease.Lease, "keep", lambda _lease: None)


def never_open_the_breaker(patch: Patch) -> None:
    closed = BreakerDecision(BreakerStep.NONE, "SETUP_WORKS")
    patch.setattr(reconcile, "decide_breaker", lambda *_: closed)


def spend_without_limit(patch: Patch) -> None:
    patch.setattr(queue_depth, "affordable_instances", lambda *_: None)


def begin_anew(patch: Patch) -> None:
    patch.setattr(AttemptCheckpoints, "restore", lambda _: None)


def keep_old_code(patch: Patch) -> None:
    patch.setattr(CodeUpdate, "_update", lambda *_: None)


def clear_the_payload_of_what_failed(patch: Patch) -> None:
    read = Belongings.complete

    def reads_and_clears(belongings, job):
        complete = read(belongings, job)
        belongings.clear(job, may_have_saved=False)
        return complete

    patch.setattr(Belongings, "complete", reads_and_clears)


def work_while_warming(patch: Patch) -> None:
    patch.setattr(surroundings.Surroundings, "target", lambda _: "InService")


@pytest.mark.parametrize(
    ("break_rule", "words"),
    [
        (forget_the_heartbeat, "was well, and its launch was abandoned"),
        (abandon_what_is_pending, "was well, and its launch was abandoned"),
        (reconcile_no_waits, ":Wait for"),
        (continue_unproven, "never passed its checks"),
        (record_results_unconditionally, "written twice"),
        (extend_no_visibility, "runs elsewhere already"),
        (spend_without_limit, "are affordable"),
        (work_while_warming, "begins on"),
        (begin_anew, "s were saved"),
        (keep_old_code, "of the code of"),
        (clear_the_payload_of_what_failed, "its payload is gone"),
    ],
)
def test_a_broken_rule_is_noticed(
    monkeypatch: Patch, break_rule: Callable[[Patch], None], words: str
) -> None:
    break_rule(monkeypatch)

    assert is_noticed(words)


# The setup of every instance fails.
BAD_SETUP = Plan(1, Settings(min_size=1, max_size=3), faults=(Fault(0.0, "setup_fails", count=99),))


def test_a_breaker_that_never_opens_is_noticed(monkeypatch: Patch) -> None:
    never_open_the_breaker(monkeypatch)

    assert "setups failed in a row, and launching goes on" in run(BAD_SETUP).broken


# An instance returns to the pool, and the result of its drain is five minutes late. Meanwhile it
# was woken, has a job, and somebody marks it unhealthy: the job may go on while it is drained.
LATE_RESULT = Plan(
    1,
    Settings(min_size=0, max_size=1, watch_seconds=5, idle_seconds=15, drain_seconds=90),
    jobs=(JobSpec(200.0, "first", 1.0), JobSpec(480.0, "second", 120.0)),
    faults=(
        Fault(210.0, "event_late", seconds=200.0, what="aws.ssm", index=239),
        Fault(515.0, "marked_unhealthy"),
    ),
)


def test_a_late_result_completes_nothing_but_its_own_action() -> None:
    assert run(LATE_RESULT).broken == ""


def test_completion_by_instance_id_is_noticed(monkeypatch: Patch) -> None:
    complete_by_instance_id(monkeypatch)

    assert "is let go with jobs that may still run" in run(LATE_RESULT).broken


# Two workers have given up their protection and wait for work. The calls by which they would
# protect themselves again fail while somebody lowers the capacity.
NO_PROTECTION = Plan(
    1,
    Settings(min_size=1, max_size=2, watch_seconds=0, idle_seconds=10),
    jobs=(JobSpec(425.0, "first", 120.0), JobSpec(425.1, "second", 120.0)),
    faults=(
        Fault(381.0, "capacity_set_by_hand", index=1),  # two
        Fault(
            424.0,
            "call_throttled",
            seconds=60.0,
            count=1000,
            who="workers",
            what="autoscaling.SetInstanceProtection",
        ),
        Fault(430.0, "capacity_set_by_hand", index=0),  # one
    ),
)


def protect_after_the_receive(patch: Patch) -> None:
    careful = agent.decide

    def careless(state: State, seen: Observation, now: float, policy: Policy) -> Step:
        step = careful(state, seen, now, policy)
        if step.action is not Action.PROTECT or step.reason is not Reason.WORK_WAITING:
            return step
        if seen.running:
            return step
        if seen.receiving:
            return Step(Action.WAIT, Reason.RECEIVING, state)
        return Step(Action.RECEIVE, Reason.RECEIVING, state)

    patch.setattr(agent, "decide", careless)


def test_work_waits_until_its_worker_is_protected() -> None:
    assert run(NO_PROTECTION).broken == ""


def test_protection_after_the_receive_is_noticed(monkeypatch: Patch) -> None:
    protect_after_the_receive(monkeypatch)

    assert "leaves by scale-in with 1 running jobs" in run(NO_PROTECTION).broken


# One worker's disk is damaged while a job waits for it: its agent lives, and it cannot start.
DEAD_WORKER = Plan(
    1,
    Settings(min_size=1, max_size=1),
    jobs=(JobSpec(380.0, "first", 60.0), JobSpec(380.1, "second", 60.0)),
    faults=(Fault(400.0, "worker_cannot_start"),),
)


def hear_no_heartbeats(patch: Patch) -> None:
    patch.setattr(dead_workers.WorkerCare, "find_dead", lambda *_: [])


def test_a_job_is_not_left_to_an_instance_whose_worker_cannot_start() -> None:
    result = run(DEAD_WORKER)

    assert (result.broken, result.results) == ("", 2)


def test_a_reconcile_that_hears_no_heartbeats_is_noticed(monkeypatch: Patch) -> None:
    hear_no_heartbeats(monkeypatch)

    assert "nothing in service works" in run(DEAD_WORKER).broken


# Of two instances one sleeps for long and takes a minute to boot: its last heartbeat is an old one.
LONG_SLEEP = Plan(
    1,
    Settings(min_size=1, max_size=2, real_boot_seconds=50.0),
    jobs=tuple(JobSpec(at + it, f"job-{at}-{it}", 60.0) for at in (300.0, 1100.0) for it in (0, 1)),
)


def judge_by_heartbeats_of_before(patch: Patch) -> None:
    careful = dead_workers.judge

    def rash(group, silent, running_since, overdue_before):
        long_ago = dict.fromkeys(running_since, overdue_before - timedelta(days=1))
        return careful(group, silent, long_ago, overdue_before)

    patch.setattr(dead_workers, "judge", rash)


def test_a_worker_that_wakes_is_not_judged_by_heartbeats_of_before() -> None:
    assert run(LONG_SLEEP).broken == ""


def test_judging_by_heartbeats_of_before_is_noticed(monkeypatch: Patch) -> None:
    judge_by_heartbeats_of_before(monkeypatch)

    assert "is called unhealthy" in run(LONG_SLEEP).broken
