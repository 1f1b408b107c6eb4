"""What peers remember: cool-downs, windows, alarms; and what no peer may ever do."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.contestants import CONTESTANTS
from simulator.peers import (
    azure_batch,
    buildkite,
    dask,
    deadline_cloud,
    gh_aws_runners,
    keda,
    sagemaker,
    target_tracking,
    taskscaler,
)
from simulator.rules import Contestant, Rule, View

EMPTY = View(
    now=0,
    visible=0,
    in_flight=0,
    desired=0,
    in_service=0,
    pending=0,
    idle=0,
    min_size=0,
    max_size=100,
    measured_at=0,
)


def at(now: float, visible: int = 0, in_flight: int = 0, *, running: int) -> View:
    """A settled group of `running` instances."""
    return replace(
        EMPTY,
        now=now,
        measured_at=now,
        visible=visible,
        in_flight=in_flight,
        desired=running,
        in_service=running,
        idle=max(0, running - in_flight),
    )


def capacities(rule: Rule, begin: float, every: float, looks: int, **queue: int) -> list[int]:
    """The capacities after each look at a constant queue, each reached before the next look."""
    running = queue.pop("running")
    found = []
    for look in range(looks):
        answer = rule.decide(at(begin + look * every, running=running, **queue))
        running = running if answer is None else answer
        found.append(running)
    return found


def test_buildkites_second_burst_waits_for_the_stacks_cooldown() -> None:
    scaler = buildkite.AgentScaler(buildkite.Settings(out_cooldown_seconds=300, scale_in=False))
    assert scaler.decide(at(0, 2, running=0)) == 2
    assert scaler.decide(at(299, 5, 2, running=2)) is None
    assert scaler.decide(at(300, 5, 2, running=2)) == 7


def test_kedas_autoscaler_doubles_every_sync_until_it_is_there() -> None:
    rule = keda.ScaledObject(keda.Settings(queue_length=1))
    assert capacities(rule, 0, 15, 7, visible=100, running=0) == [1, 5, 10, 20, 40, 80, 100]


def test_keda_shrinks_below_its_busy_replicas_after_the_stabilization_window() -> None:
    rule = keda.ScaledObject()
    rule.decide(at(0, 0, 11, running=3))
    assert capacities(rule, 15, 15, 20, in_flight=3, running=3) == [3] * 19 + [1]


def test_keda_goes_to_zero_only_after_the_cooldown_period_without_activity() -> None:
    rule = keda.ScaledObject()
    rule.decide(at(0, 0, 1, running=1))
    assert capacities(rule, 15, 15, 22, running=1) == [1] * 21 + [0]


def test_target_tracking_acts_on_the_third_high_data_point() -> None:
    rule = target_tracking.TargetTracking(target=100)
    assert capacities(rule, 0, 60, 4, visible=1500, running=10) == [10, 10, 15, 15]


def test_target_tracking_shrinks_on_the_fifteenth_low_data_point() -> None:
    rule = target_tracking.TargetTracking(target=2)
    assert capacities(rule, 0, 60, 15, visible=8, running=10) == [10] * 14 + [4]


def test_target_tracking_adds_nothing_for_what_warms_up() -> None:
    rule = target_tracking.TargetTracking()
    for now in (0, 60, 120, 180):
        view = replace(at(now, 30, 1, running=1), desired=30, pending=29)
        assert rule.decide(view) in (None, 30)


def test_target_tracking_cannot_leave_zero_without_the_metric_math() -> None:
    plain = target_tracking.TargetTracking()
    assert capacities(plain, 0, 60, 30, visible=9, running=0) == [0] * 30
    guarded = target_tracking.TargetTracking(metric=target_tracking.backlog_if_none_in_service)
    assert capacities(guarded, 0, 60, 3, visible=9, running=0) == [0, 0, 9]


def test_sagemaker_leaves_zero_by_one_and_then_follows_its_target() -> None:
    rule = sagemaker.AsyncEndpoint()
    assert capacities(rule, 0, 60, 5, visible=23, running=0) == [0, 1, 1, 1, 5]


def test_the_gitlab_taskscaler_removes_what_was_idle_for_its_idle_time_only() -> None:
    policy = taskscaler.Policy(idle_count=1, idle_time_seconds=60)
    rule = taskscaler.Taskscaler(policy)
    rule.decide(at(0, 0, 3, running=4))
    rule.decide(at(30, 0, 1, running=4))
    assert rule.decide(at(60, 0, 1, running=4)) == 3
    assert rule.decide(at(90, 0, 1, running=3)) == 2


def test_gh_aws_runners_take_ten_events_a_batch_and_spare_young_runners() -> None:
    rule = gh_aws_runners.Runners()
    assert rule.decide(at(0, 25, running=0)) == 10
    assert rule.decide(replace(at(5, 25, running=0), desired=10, pending=10)) == 20
    assert rule.decide(at(100, 0, 0, running=20)) == 20
    assert rule.decide(at(400, 0, 0, running=20)) == 0


def test_dask_closes_what_three_looks_in_a_row_agree_on() -> None:
    rule = dask.Adaptive()
    assert rule.decide(at(0, 0, 4, running=10)) is None
    assert rule.decide(at(1, 0, 8, running=10)) is None
    assert rule.decide(at(2, 0, 5, running=10)) == 8
    assert rule.decide(at(3, 0, 5, running=8)) == 8
    assert rule.decide(at(4, 0, 5, running=8)) == 5


def test_deadline_cloud_adds_ten_workers_a_minute() -> None:
    fleet = deadline_cloud.Fleet()
    assert capacities(fleet, 0, 30, 5, visible=100, running=0) == [10, 10, 20, 20, 30]


def test_azure_batch_evaluates_its_formula_every_fifteen_minutes() -> None:
    rule = azure_batch.AutoscaleFormula()
    rule.decide(at(0, 0, running=0))
    assert capacities(rule, 30, 30, 30, visible=6, running=0) == [0] * 29 + [6]


def named(contestant: Contestant) -> str:
    return contestant.name


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=named)
def test_a_lone_job_gets_its_instance_within_the_hour_from(contestant: Contestant) -> None:
    looks = int(3600 / contestant.every_seconds)
    rule = contestant.make()
    assert capacities(rule, 0, contestant.every_seconds, looks, visible=1, running=0)[-1] >= 1


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=named)
def test_an_idle_group_shrinks_by_rule_or_by_its_own_workers_at(contestant: Contestant) -> None:
    looks = int(2 * 3600 / contestant.every_seconds)
    rule = contestant.make()
    left = capacities(rule, 0, contestant.every_seconds, looks, running=40)[-1]
    assert left <= 1 or contestant.worker_idle_exit_seconds is not None


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=named)
def test_nothing_comes_of_looks_beyond_the_memory_of(contestant: Contestant) -> None:
    every = contestant.every_seconds
    found = capacities(contestant.make(), every, every, int(7200 / every), running=40)
    changes = [0] + [look for look in range(1, len(found)) if found[look] != found[look - 1]]
    gaps = [every * (later - earlier) for earlier, later in pairwise(changes)]
    assert max(gaps, default=0.0) <= contestant.memory_seconds + every


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=named)
@settings(max_examples=20)
@given(queues=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 100)), max_size=40))
def test_a_groups_bounds_are_respected_by(
    contestant: Contestant, queues: list[tuple[int, int]]
) -> None:
    rule, running = contestant.make(), 3
    for look, (visible, working) in enumerate(queues):
        now, in_flight = look * contestant.every_seconds, min(working, running)
        view = replace(at(now, visible, in_flight, running=running), min_size=2)
        capacity = rule.decide(view)
        if capacity is not None:
            assert 2 <= capacity <= 100
            running = capacity


def test_every_contestant_says_where_its_rule_comes_from_and_has_its_own_name() -> None:
    names = [contestant.name for contestant in CONTESTANTS]
    assert len(set(names)) == len(names)
    assert all(contestant.source for contestant in CONTESTANTS)
