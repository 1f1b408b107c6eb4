"""The breaker: what stops launching, who is told, and how trials go."""

from datetime import timedelta

import pytest
from breaker_sights import (
    ABANDONED,
    POLICY,
    REFUSED,
    ago,
    decided,
    failed,
    group_in,
    guarded,
    running,
    setup,
)
from fleet_fakes import INSTANCE, NOW, FakeAlerts, FakeGroup, group_of

from pilotlight.fleet.breaker import (
    BreakerDecision,
    BreakerStep,
    cool_down,
)
from pilotlight.fleet.breaker_state import BREAKER_TAG, BreakerState, Phase
from pilotlight.fleet.group import Group, Member
from pilotlight.fleet.reconcile import Fleet, guard_setup
from pilotlight.fleet.trial import PoolSizes
from pilotlight.fleet.waits import Activity
from pilotlight.fleet.waking import largest_capacity
from pilotlight.scaling.capacity import observe

# Closed


def test_setup_that_fails_three_times_in_a_row_stops_launching_and_tells_a_person() -> None:
    failing = group_of(launch_template_version="7")

    group, alerts = guarded(failing, failed(1), failed(5), failed(9))

    assert group.calls == [
        ("suspend", "Launch"),
        ("tag", BREAKER_TAG, "open 2026-09-27T12:00:00+00:00 0 0 7.1.2.7"),
    ]
    [(subject, message)] = alerts.published
    assert "stack-workers" in subject
    assert f"Key={BREAKER_TAG},Value=open" in message
    assert "ABANDON Result" in message


@pytest.mark.parametrize(
    "activities",
    [
        pytest.param([failed(1), failed(2)], id="two are not enough"),
        pytest.param(
            [failed(1), failed(2), setup("Successful", 3), failed(4)], id="a success between"
        ),
        pytest.param([failed(1), failed(2), running(3)], id="one is not over yet"),
        pytest.param([REFUSED] * 3, id="lack of capacity is no setup failure"),
        pytest.param(
            [setup("Cancelled", it, ABANDONED, "from warm pool") for it in (1, 2, 3)],
            id="a wake is no setup",
        ),
    ],
)
def test_the_breaker_stays_closed(activities: list[Activity]) -> None:
    group, alerts = guarded(group_of(), *activities)

    assert (group.calls, alerts.published) == ([], [])


def test_a_wake_that_worked_does_not_excuse_setups_that_fail() -> None:
    wake = setup("Successful", 1, text="from warm pool")

    group, _ = guarded(group_of(), wake, failed(2), failed(3), failed(4))

    assert ("suspend", "Launch") in group.calls


def test_failures_before_it_was_closed_do_not_open_it_again() -> None:
    closed = group_of(tags=((BREAKER_TAG, str(BreakerState(Phase.CLOSED, ago(5)))),))
    old = (failed(6), failed(7), failed(8))

    assert decided(closed, failed(1), failed(2), *old).step is BreakerStep.NONE
    assert decided(closed, failed(1), failed(2), failed(3), *old).step is BreakerStep.OPEN


def test_an_alert_that_fails_is_sent_again_next_minute() -> None:
    class BrokenAlerts(FakeAlerts):
        def publish(self, subject: str, message: str) -> None:
            raise ConnectionError

    fake, fleet = FakeGroup(), Fleet(group_of(), (), (failed(1), failed(2), failed(3)))

    with pytest.raises(ConnectionError):
        list(guard_setup(fleet, POLICY, "stack-workers", fake, BrokenAlerts(), NOW))

    assert fake.calls == [("suspend", "Launch")]


def test_a_group_that_is_being_deleted_is_left_alone() -> None:
    deleted = group_of(is_being_deleted=True)

    assert decided(deleted, failed(1), failed(2), failed(3)).step is BreakerStep.NONE


# Open


def test_a_person_is_told_once() -> None:
    group, alerts = guarded(group_in(Phase.OPEN, 5), failed(6), failed(7), failed(8))

    assert (group.calls, alerts.published) == ([], [])


@pytest.mark.parametrize(
    ("failed_trials", "minutes"), [(0, 15), (1, 30), (2, 60), (3, 120), (4, 120), (999, 120)]
)
def test_each_trial_that_fails_puts_the_next_one_further_off(
    failed_trials: int, minutes: float
) -> None:
    assert cool_down(failed_trials) == timedelta(minutes=minutes)
    for age, step in ((minutes - 0.1, BreakerStep.NONE), (minutes, BreakerStep.PREPARE)):
        opened = group_in(Phase.OPEN, age, failed_trials=failed_trials)
        assert decided(opened, failed(200)).step is step


@pytest.mark.parametrize(
    ("group", "warm", "largest"),
    [
        pytest.param(
            group_in(Phase.OPEN, 15, desired_capacity=4), 0, 1, id="one for the jobs that wait"
        ),
        pytest.param(
            group_in(Phase.OPEN, 15, Member(INSTANCE, "InService"), desired_capacity=4),
            2,
            4,
            id="one more than work or can be woken",
        ),
        pytest.param(
            group_in(Phase.OPEN, 15, Member(INSTANCE, "InService"), desired_capacity=2),
            2,
            3,
            id="one into the pool, when the jobs have all they need",
        ),
        pytest.param(
            group_in(Phase.OPEN, 15, min_size=3, desired_capacity=4), 0, 3, id="least size"
        ),
        pytest.param(
            group_in(Phase.OPEN, 15, Member(INSTANCE, "Terminating:Wait"), desired_capacity=1),
            0,
            1,
            id="one that leaves does not count",
        ),
        pytest.param(
            group_in(Phase.OPEN, 15, max_size=3, desired_capacity=2),
            3,
            3,
            id="none but those that sleep, which nothing else would wake",
        ),
    ],
)
def test_a_trial_lets_the_group_desire_one_instance_more(
    group: Group, warm: int, largest: int
) -> None:
    decision = decided(group, warm=warm)

    assert decision.state == BreakerState(Phase.PREPARING, NOW, 0, largest, "7.1.2.7")


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        pytest.param(
            decided(group_in(Phase.OPEN, 15, max_size=5), running(20)),
            "SETUP_STILL_RUNS",
            id="a setup that began before",
        ),
        pytest.param(
            decided(group_in(Phase.OPEN, 15, Member(INSTANCE, "InService"), max_size=3), warm=2),
            "NOTHING_WANTED",
            id="no instance is missing",
        ),
    ],
)
def test_a_trial_waits(decision: BreakerDecision, reason: str) -> None:
    assert (decision.step, decision.reason) == (BreakerStep.NONE, reason)


def test_a_setup_that_succeeds_without_a_trial_closes_it() -> None:
    opened = group_in(Phase.OPEN, 5)

    assert decided(opened, setup("Successful", 4)).reason == "SETUP_SUCCEEDED"
    assert decided(opened, setup("Successful", 6)).step is BreakerStep.NONE


# A trial


def test_capacity_is_kept_down_while_a_trial_is_prepared_and_awaited() -> None:
    phases = {phase: largest_capacity(group_in(phase, 1, largest=2)) for phase in Phase}

    assert phases == {
        Phase.CLOSED: 5,
        Phase.OPEN: 5,
        Phase.PREPARING: 2,
        Phase.TRIAL: 2,
        Phase.TRIED: 5,
        Phase.CLOSING: 5,
    }


@pytest.mark.parametrize(
    ("minutes_ago", "desired", "step"),
    [
        pytest.param(0.4, 1, BreakerStep.NONE, id="somebody may still have read the old tag"),
        pytest.param(1, 4, BreakerStep.NONE, id="capacity is still too large"),
        pytest.param(1, 2, BreakerStep.TRY, id="capacity is low"),
        pytest.param(61, 4, BreakerStep.REOPEN, id="nobody lowers it"),
    ],
)
def test_launching_is_resumed_once_little_is_wanted(
    minutes_ago: float, desired: int, step: BreakerStep
) -> None:
    preparing = group_in(Phase.PREPARING, minutes_ago, largest=2, desired_capacity=desired)

    assert decided(preparing).step is step


def test_a_trial_is_written_down_before_launching_is_resumed() -> None:
    """Otherwise the next look at the queue would suspend it again."""
    group, _ = guarded(group_in(Phase.PREPARING, 1, failed_trials=2, largest=1))

    assert group.calls == [
        ("pool", "0", "1"),
        ("tag", BREAKER_TAG, "trial 2026-09-27T12:00:00+00:00 2 1 7.1.2.7"),
        ("resume", "Launch"),
    ]


@pytest.mark.parametrize(
    ("desired", "active", "warm", "prepared"),
    [
        pytest.param(1, 0, 0, 1, id="a job waits: none for the pool"),
        pytest.param(2, 2, 1, 4, id="one more for the pool"),
        pytest.param(3, 2, 1, 4, id="one is woken, and one replaces it"),
        pytest.param(5, 4, 0, 5, id="all of the largest size"),
        pytest.param(1, 3, 1, 3, id="two are to leave"),
    ],
)
def test_the_pool_of_a_trial_has_room_for_one_more_than_there_are(
    desired: int, active: int, warm: int, prepared: int
) -> None:
    members = [Member(f"i-{it:08x}", "InService") for it in range(active)]
    preparing = group_in(Phase.PREPARING, 1, *members, largest=5, desired_capacity=desired)

    assert decided(preparing, warm=warm).pool == PoolSizes(0, prepared)


def test_launching_stops_again_when_the_setup_of_a_trial_has_begun() -> None:
    trial = group_in(Phase.TRIAL, 1, largest=1, suspended_processes=frozenset())

    group, alerts = guarded(trial, running(0.5), failed(20))

    assert group.calls == [
        ("suspend", "Launch"),
        ("tag", BREAKER_TAG, "tried 2026-09-27T11:59:00+00:00 0 0 7.1.2.7"),
    ]
    assert alerts.published == []


def test_an_instance_that_ec2_refuses_is_awaited_and_not_for_ever() -> None:
    for minutes, step in ((5, BreakerStep.TRY), (6, BreakerStep.REOPEN)):
        trial = group_in(Phase.TRIAL, minutes, suspended_processes=frozenset())

        assert decided(trial, REFUSED).step is step


def test_a_group_that_loses_what_it_had_is_made_smaller() -> None:
    """Two of the pool could not be woken for lack of capacity, and were terminated."""
    trial = group_in(Phase.TRIAL, 1, largest=4, desired_capacity=4, min_size=0)

    decision = decided(trial, REFUSED)

    assert decision.state == BreakerState(Phase.TRIAL, ago(1), 0, 1, "7.1.2.7")


def test_launching_that_could_not_be_resumed_is_resumed_next_minute() -> None:
    assert guarded(group_in(Phase.TRIAL, 1))[0].calls[-1] == ("resume", "Launch")


def test_a_trial_that_succeeds_closes_the_breaker_and_a_person_is_told() -> None:
    group, alerts = guarded(group_in(Phase.TRIED, 5), setup("Successful", 4), failed(20))

    assert group.calls == [
        ("tag", BREAKER_TAG, "close 2026-09-27T12:00:00+00:00 0 0"),
        ("resume", "Launch"),
    ]
    assert [subject for subject, _ in alerts.published] == ["Setup works again: stack-workers"]


def test_a_trial_that_fails_opens_it_for_longer_and_nobody_is_told_again() -> None:
    group, alerts = guarded(group_in(Phase.TRIED, 5, failed_trials=1), failed(4), failed(20))

    assert group.calls == [
        ("suspend", "Launch"),
        ("tag", BREAKER_TAG, "open 2026-09-27T12:00:00+00:00 2 0 7.1.2.7"),
    ]
    assert alerts.published == []


@pytest.mark.parametrize(
    ("minutes_ago", "activity", "step", "failed_trials"),
    [
        pytest.param(5, running(4), BreakerStep.NONE, None, id="goes on"),
        pytest.param(61, running(60), BreakerStep.REOPEN, 1, id="takes too long"),
        pytest.param(5, setup("Cancelled", 4), BreakerStep.REOPEN, 0, id="its instance was lost"),
    ],
)
def test_a_trial_without_a_verdict_ends(
    minutes_ago: float, activity: Activity, step: BreakerStep, failed_trials: int | None
) -> None:
    decision = decided(group_in(Phase.TRIED, minutes_ago), activity)

    assert decision.step is step
    assert (decision.state.failed_trials if decision.state else None) == failed_trials


def test_whoever_sets_the_capacity_keeps_it_down_for_a_trial() -> None:
    trial = group_in(Phase.TRIAL, 1, largest=2)

    assert (observe(trial, None).max_size, observe(group_of(), None).max_size) == (2, 5)
