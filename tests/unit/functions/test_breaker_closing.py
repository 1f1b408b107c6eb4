"""The breaker: what closes it again, and the tag that remembers its phase."""

from dataclasses import replace

import pytest
from breaker_sights import (
    POLICY,
    SUSPENDED,
    decided,
    failed,
    group_in,
    guarded,
)
from fleet_fakes import NOW, FakeAlerts, RefreshingGroup, group_of

from pilotlight.fleet.breaker import (
    BreakerStep,
    Setups,
    decide_breaker,
)
from pilotlight.fleet.breaker_state import BREAKER_TAG, BreakerState, Phase
from pilotlight.fleet.reconcile import Fleet, guard_setup

# Closing


HELD_UP = [Phase.OPEN, Phase.PREPARING, Phase.TRIAL, Phase.TRIED]


@pytest.mark.parametrize(
    "deployed",
    [
        pytest.param("1.3.7", id="other code for the instances"),
        pytest.param("1.2.8", id="a launch template that an instance refresh is to bring"),
    ],
)
def test_what_is_deployed_is_a_repair_before_the_group_has_it(deployed: str) -> None:
    setups = Setups(group_in(Phase.OPEN, 5), (), ())

    decision = decide_breaker(setups, replace(POLICY, deployed=deployed), NOW)

    assert (decision.step, decision.reason) == (BreakerStep.CLOSE, "ANOTHER_SETUP_DEPLOYED")


@pytest.mark.parametrize("phase", HELD_UP)
def test_a_deployed_repair_closes_it_before_launching_is_resumed(phase: Phase) -> None:
    deployed = group_in(phase, 5, largest=1, launch_template_version="8")

    group, alerts = guarded(deployed, failed(6), failed(7), failed(8))

    assert group.calls == [
        ("tag", BREAKER_TAG, "close 2026-09-27T12:00:00+00:00 0 0"),
        ("resume", "Launch"),
    ]
    assert alerts.published == []


def test_a_deploy_does_not_close_what_a_person_opened() -> None:
    opened = group_of(tags=((BREAKER_TAG, "open 2099-01-01T00:00:00Z"),))

    assert decided(opened).step is BreakerStep.NONE


def test_a_person_may_ask_for_launches_at_once() -> None:
    asked = group_of(tags=((BREAKER_TAG, "close"),), suspended_processes=SUSPENDED)

    group, _ = guarded(asked, failed(6), failed(7), failed(8))

    assert group.calls == [
        ("tag", BREAKER_TAG, "close 2026-09-27T12:00:00+00:00 0 0"),
        ("resume", "Launch"),
    ]


def test_launching_that_a_late_look_suspended_is_resumed_again() -> None:
    assert guarded(group_in(Phase.CLOSING, 1))[0].calls == [("resume", "Launch")]


def test_it_is_closed_when_nobody_can_suspend_launching_any_more() -> None:
    for minutes, calls in (
        (0.4, [("resume", "Launch")]),
        (1, [("pool", "1", "None"), ("tag", BREAKER_TAG, "closed 2026-09-27T11:59:00+00:00 0 0")]),
    ):
        closing = group_in(Phase.CLOSING, minutes, suspended_processes=frozenset())

        assert guarded(closing, failed(2), failed(3), failed(4))[0].calls == calls


def test_a_repair_that_is_none_opens_it_again() -> None:
    closing = group_in(Phase.CLOSING, 10, suspended_processes=frozenset())

    assert decided(closing, failed(1), failed(2), failed(3)).step is BreakerStep.OPEN


def test_an_instance_refresh_is_waited_for_and_is_no_error() -> None:
    fake = RefreshingGroup()
    closing = group_in(Phase.CLOSING, 10, suspended_processes=frozenset())
    fleet = Fleet(closing, (), ())

    [finding] = guard_setup(fleet, POLICY, "stack-workers", fake, FakeAlerts(), NOW)

    assert finding.fields["reason"] == "INSTANCE_REFRESH"
    assert fake.calls == []


# The tag


@pytest.mark.parametrize("tag", ["", "open now", "reset 2026-09-27T12:00:00Z", "open x y"])
def test_a_tag_that_somebody_garbled_counts_as_none(tag: str) -> None:
    assert BreakerState.read(tag) == BreakerState()


@pytest.mark.parametrize("tag", ["open 2026-09-27T12:00:00", "open 2026-09-27T12:00:00Z 0"])
def test_a_person_may_write_the_tag_in_short(tag: str) -> None:
    assert BreakerState.read(tag) == BreakerState(Phase.OPEN, NOW)


def test_opened_by_hand_without_a_time_it_has_cooled_down() -> None:
    assert decided(group_of(tags=((BREAKER_TAG, "open"),), desired_capacity=1)).step is (
        BreakerStep.PREPARE
    )


def test_the_tag_says_all_that_is_remembered() -> None:
    state = BreakerState(Phase.TRIAL, NOW, 2, 3, "12")

    assert BreakerState.read(str(state)) == state
