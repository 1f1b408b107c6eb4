"""Setup that fails for a while: the breaker opens, tries, and closes without a person."""

import math

import pytest

from faults.plan import Fault, JobSpec, Plan, Settings
from faults.run import Result, run
from faults.stack import Stack
from faults.world import World
from pilotlight.aws.autoscaling import AutoScalingGroup
from pilotlight.fleet import breaker
from pilotlight.fleet.breaker import BreakerDecision, BreakerStep
from pilotlight.fleet.trial import PoolSizes

Patch = pytest.MonkeyPatch
# Three instances are wanted, and jobs wait for two of them. All setups fail at first.
JOBS = tuple(JobSpec(100.0 + number, f"job-{number}", 30.0) for number in range(2))
QUIET_AT = 1500.0


def failing(setups: int, **settings: int) -> Plan:
    """Nobody looks in."""
    fleet = {"min_size": 0, "max_size": 3} | settings
    return Plan(
        1,
        Settings(person_seconds=math.inf, **fleet),
        JOBS,
        (Fault(0.0, "setup_fails", count=setups),),
        QUIET_AT,
    )


def alerts_and_results(result: Result) -> tuple[str, int, int]:
    return result.broken, result.alerts, result.results


def test_a_breaker_closes_by_itself_when_a_trial_succeeds() -> None:
    result = run(failing(5))

    assert alerts_and_results(result) == ("", 2, len(JOBS))
    assert result.launches == 5 + 3


def test_a_trial_that_fails_launches_one_instance_and_another_follows_later() -> None:
    result = run(failing(7))  # six before launching stops, and the first trial

    assert alerts_and_results(result) == ("", 2, len(JOBS))
    assert result.launches == 7 + 3
    assert result.at > 900 + 1800


def test_a_trial_brings_a_fleet_to_its_least_size() -> None:
    result = run(failing(5, min_size=2))

    assert alerts_and_results(result) == ("", 2, len(JOBS))


def deploy_pool(monkeypatch: Patch, at_seconds: float) -> None:
    """The last step of a deploy, as CloudFormation takes it: the template's sizes."""
    make = Stack.__init__

    def make_and_deploy(stack: Stack, world: World) -> None:
        make(stack, world)
        at = world.clock.now() + at_seconds
        world.clock.call_at(at, lambda: stack._deploy_pool(world.settings))

    monkeypatch.setattr(Stack, "__init__", make_and_deploy)


def test_a_pool_deployed_during_a_trial_is_filled_once_and_the_trial_ends(
    monkeypatch: Patch,
) -> None:
    """The first trial begins at 1,040 seconds. All three fail; the next is half an hour on."""
    deploy_pool(monkeypatch, 1041.0)

    result = run(failing(9))

    assert alerts_and_results(result) == ("", 2, len(JOBS))
    assert result.launches == 9 + 3
    assert result.at > 900 + 1800


def test_a_pool_deployed_before_a_trial_excuses_nothing(monkeypatch: Patch) -> None:
    monkeypatch.setattr(breaker, "trial_capacity", lambda group, _: group.max_size)
    monkeypatch.setattr(breaker, "trial_pool", lambda _group, _there, pool: pool)
    deploy_pool(monkeypatch, 400.0)

    assert "a trial sets up 3 instances at once" in run(failing(9)).broken


def test_a_trial_that_launches_all_that_is_wanted_is_noticed(monkeypatch: Patch) -> None:
    monkeypatch.setattr(breaker, "trial_capacity", lambda group, _: group.max_size)
    monkeypatch.setattr(breaker, "trial_pool", lambda _group, _there, pool: pool)

    assert "a trial sets up 3 instances at once" in run(failing(9)).broken


def test_a_trial_that_launches_on_and_on_is_noticed(monkeypatch: Patch) -> None:
    held = breaker._await_launch

    def never_hold(*seen: object) -> BreakerDecision:
        decision = held(*seen)  # type: ignore[arg-type]
        is_hold = decision.step is BreakerStep.HOLD
        return BreakerDecision(BreakerStep.NONE, "NOTHING_LAUNCHED") if is_hold else decision

    monkeypatch.setattr(breaker, "_await_launch", never_hold)

    assert "and goes on" in run(failing(99)).broken


def test_a_trial_without_end_is_noticed(monkeypatch: Patch) -> None:
    endless = BreakerDecision(BreakerStep.NONE, "TRIAL_RUNS")
    monkeypatch.setattr(breaker, "_await_verdict", lambda *_: endless)

    assert "a trial has been going on for" in run(failing(5)).broken


def test_a_pool_that_stays_small_after_a_trial_is_noticed(monkeypatch: Patch) -> None:
    resize = AutoScalingGroup.resize_pool

    def narrow_only(group: AutoScalingGroup, sizes: PoolSizes) -> None:
        if sizes.min_size == 0:  # the template's is one
            resize(group, sizes)

    monkeypatch.setattr(AutoScalingGroup, "resize_pool", narrow_only)

    assert "the pool is kept at" in run(failing(5, pool_min_size=1)).broken
