"""What each peer's rule answers to numbers that its own source or documentation settles."""

from collections.abc import Callable

import pytest

from simulator.peers import (
    azure_batch,
    beta9,
    buildkite,
    clearml,
    gh_aws_runners,
    keda,
    keda_jobs,
    ray,
    runs_on,
    sagemaker,
    target_tracking,
    taskscaler,
)
from simulator.peers.keda_jobs import Jobs
from simulator.rules import View


def seen(
    visible: int = 0,
    in_flight: int = 0,
    *,
    desired: int,
    in_service: int | None = None,
    delayed: int = 0,
    max_size: int = 1000,
    now: float = 0.0,
    measured_at: float | None = None,
) -> View:
    working = desired if in_service is None else in_service
    return View(
        now=now,
        visible=visible,
        in_flight=in_flight,
        delayed=delayed,
        desired=desired,
        in_service=working,
        pending=max(0, desired - working),
        idle=max(0, working - in_flight),
        min_size=0,
        max_size=max_size,
        measured_at=now if measured_at is None else measured_at,
    )


def settings(**given: object) -> buildkite.Settings:
    return buildkite.Settings(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("view", "given", "expected"),
    [
        pytest.param(seen(5, 10, desired=8), {}, 15, id="scheduled and running jobs are counted"),
        pytest.param(
            seen(5, 10, desired=8), {"jobs_per_instance": 4}, 4, id="four agents share an instance"
        ),
        pytest.param(seen(desired=3), {}, 0, id="without a job all go"),
        pytest.param(seen(40, desired=0, max_size=10), {}, 10, id="never beyond the maximum"),
        pytest.param(seen(5, desired=0), {"instance_buffer": 3}, 8, id="a buffer on top"),
        pytest.param(
            seen(desired=0), {"instance_buffer": 3}, None, id="no buffer while there is no job"
        ),
        pytest.param(
            seen(1, desired=0), {"instance_buffer": 3}, 2, id="a buffer no larger than the jobs"
        ),
        pytest.param(
            seen(8, desired=0, max_size=10),
            {"out_factor": 2.0},
            10,
            id="a factor exaggerates the change up to the maximum",
        ),
        pytest.param(
            seen(8, desired=4),
            {"out_factor": 0.5},
            6,
            id="half a change is added with half a factor",
        ),
        pytest.param(
            seen(1, 2, desired=2, delayed=30),
            {"include_waiting": True},
            31,
            id="more waiting than running jobs count instead of them when asked for",
        ),
        pytest.param(
            seen(1, 2, desired=2, delayed=30), {}, 3, id="waiting jobs do not count unasked"
        ),
        pytest.param(
            seen(8, desired=8, in_service=3), {}, None, id="the group is on its way: hold"
        ),
        pytest.param(
            seen(0, 3, desired=6), {"in_factor": 0.5}, 4, id="half of a surplus of three, floored"
        ),
        pytest.param(seen(desired=3), {"scale_in": False}, None, id="scale-in disabled"),
        pytest.param(
            seen(desired=3, in_service=2),
            {"waits_for_pending": True},
            None,
            id="scale-in waits for pending instances in Elastic CI mode",
        ),
        pytest.param(
            seen(9, desired=3, now=121.0, measured_at=0.0),
            {"max_metrics_age_seconds": 120.0},
            None,
            id="metrics older than two minutes are not acted on in Elastic CI mode",
        ),
    ],
)
def test_buildkite_sets(view: View, given: dict[str, object], expected: int | None) -> None:
    assert buildkite.AgentScaler(settings(**given)).decide(view) == expected


def test_buildkite_adds_an_instance_when_under_half_of_the_agents_registered() -> None:
    scaler = buildkite.AgentScaler(settings(jobs_per_instance=4))
    assert scaler.decide_with_agents(seen(1, 1, desired=2), agents=3) == 3


@pytest.mark.parametrize(
    ("visible", "in_flight", "desired", "expected"),
    [
        pytest.param(50, 0, 0, 1, id="activation wakes one replica only"),
        pytest.param(50, 0, 1, 5, id="from one by four pods"),
        pytest.param(50, 0, 2, 6, id="from two by four pods, more than twice"),
        pytest.param(50, 0, 5, 10, id="from five to twice as many"),
        pytest.param(48, 0, 10, 10, id="four percent less is tolerated"),
        pytest.param(54, 0, 10, 10, id="eight percent more is tolerated"),
        pytest.param(56, 0, 10, 12, id="twelve percent more is not"),
    ],
)
def test_keda_sets(visible: int, in_flight: int, desired: int, expected: int) -> None:
    assert keda.ScaledObject().decide(seen(visible, in_flight, desired=desired)) == expected


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        pytest.param(keda_jobs.default, 7, id="default leaves out the running"),
        pytest.param(keda_jobs.accurate, 8, id="accurate leaves out the pending"),
        pytest.param(keda_jobs.eager, 10, id="eager leaves out none while there is room"),
        pytest.param(
            keda_jobs.custom(2, 0.5), 7, id="custom leaves out a deduction and a share of running"
        ),
    ],
)
def test_a_keda_scaled_job_may_create(strategy: keda_jobs.Strategy, expected: int) -> None:
    wanted = keda_jobs.wanted_jobs(queue_length=10, target=1, maximum=20)
    allowed = strategy(Jobs(wanted=wanted, running=3, pending=2, maximum=20))
    assert keda_jobs.jobs_to_create(10, allowed) == expected


def test_a_keda_scaled_job_fills_only_up_to_its_maximum() -> None:
    jobs = Jobs(wanted=10, running=15, pending=0, maximum=20)
    assert keda_jobs.accurate(jobs) == keda_jobs.eager(jobs) == 5
    assert keda_jobs.jobs_to_create(10, keda_jobs.default(jobs)) == 0


def test_a_keda_scaled_job_starts_on_an_idle_node_first() -> None:
    rule = keda_jobs.ScaledJob(target=1)
    assert rule.decide(seen(2, 1, desired=2)) == 3


@pytest.mark.parametrize(
    ("metric", "instances", "target", "expected"),
    [
        pytest.param(150, 10, 100, 15, id="the guide's example: 1,500 messages, ten instances"),
        pytest.param(11.5, 2, 5, 5, id="SageMaker: a backlog of 23, two instances"),
        pytest.param(7, 0, 2, 3, id="from zero as if there were one instance"),
    ],
)
def test_target_tracking_is_proportional(
    metric: float, instances: int, target: float, expected: int
) -> None:
    assert target_tracking.proportional_capacity(metric, instances, target) == expected


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        pytest.param(target_tracking.backlog_per_instance, None, id="plain: no data point"),
        pytest.param(target_tracking.backlog_if_none_in_service, 7.0, id="IF(m2>0, ...): m1"),
        pytest.param(sagemaker.backlog_size_per_instance, None, id="SageMaker: no data point"),
    ],
)
def test_a_backlog_of_seven_without_an_instance_is(
    metric: target_tracking.Metric, expected: float | None
) -> None:
    assert metric(seen(7, desired=0)) == expected


def test_the_backlog_per_instance_leaves_out_what_is_in_flight_except_at_sagemaker() -> None:
    view = seen(20, 10, desired=10)
    assert target_tracking.backlog_per_instance(view) == 2
    assert sagemaker.backlog_size_per_instance(view) == 3


@pytest.mark.parametrize(
    ("slots", "policy", "max_instances", "expected"),
    [
        pytest.param({}, {"idle_count": 5}, 10, 5, id="five idle"),
        pytest.param({"acquired": 7}, {"idle_count": 5}, 10, 10, id="twelve, capped at ten"),
        pytest.param(
            {"acquired": 12, "reserved": 3},
            {"idle_count": 5, "capacity_per_instance": 5},
            10,
            4,
            id="twenty slots on four instances of five",
        ),
        pytest.param(
            {"acquired": 40},
            {"idle_count": 2, "scale_factor": 0.2, "scale_factor_limit": 100},
            100,
            48,
            id="a fifth of what is in use stays idle",
        ),
        pytest.param({}, {"idle_count": 0}, 10, 0, id="none idle, none used"),
        pytest.param({"unavailable": 1}, {"idle_count": 2}, 10, 3, id="a broken slot is replaced"),
        pytest.param(
            {"acquired": 40},
            {"idle_count": 2, "scale_factor": 0.5, "scale_factor_limit": 10},
            100,
            50,
            id="the factor's share has a limit",
        ),
    ],
)
def test_the_gitlab_taskscaler_wants(
    slots: dict[str, int], policy: dict[str, float], max_instances: int, expected: int
) -> None:
    wanted = taskscaler.wanted_instances(
        taskscaler.Slots(**slots),
        taskscaler.Policy(**policy),  # type: ignore[arg-type]
        max_instances,
    )
    assert wanted == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(
            lambda: gh_aws_runners.pool_top_up(size=20, idle=3, total=18, maximum=25),
            7,
            id="gh-aws-runners tops its pool up to the maximum only",
        ),
        pytest.param(
            lambda: gh_aws_runners.new_runners(jobs=10, current=1, maximum=3),
            2,
            id="gh-aws-runners creates up to the maximum",
        ),
        pytest.param(
            lambda: gh_aws_runners.new_runners(jobs=10, current=4, maximum=3),
            0,
            id="gh-aws-runners creates none beyond the maximum",
        ),
        pytest.param(
            lambda: gh_aws_runners.new_runners(jobs=10, current=4, maximum=-1),
            10,
            id="gh-aws-runners knows no maximum at -1",
        ),
        pytest.param(
            lambda: beta9.wanted_containers(tasks=7, tasks_per_container=2, max_containers=10),
            4,
            id="beta9 rounds containers up",
        ),
        pytest.param(
            lambda: beta9.wanted_containers(tasks=70, tasks_per_container=2, max_containers=10),
            10,
            id="beta9 stops at its maximum",
        ),
        pytest.param(
            lambda: ray.launches(needed=50, nodes=2, pending=1, upscaling_speed=1),
            4,
            id="ray keeps five launches pending in a small cluster",
        ),
        pytest.param(
            lambda: ray.launches(needed=50, nodes=20, pending=5, upscaling_speed=1),
            15,
            id="ray doubles a larger cluster",
        ),
        pytest.param(
            lambda: clearml.spin_ups(queued=9, idle=2, spinning=3),
            4,
            id="clearml counts idle and starting machines",
        ),
        pytest.param(lambda: runs_on.wanted_runners(jobs=4, hot=2), 6, id="runs-on keeps hot ones"),
        pytest.param(
            lambda: azure_batch.target_nodes([0, 8, 4], current_target=100),
            4,
            id="azure batch takes the last sample or the mean, the larger",
        ),
        pytest.param(
            lambda: azure_batch.target_nodes([0, 0], current_target=9),
            4,
            id="azure batch halves an idle pool",
        ),
    ],
)
def test_the_answer_is(answer: Callable[[], int], expected: int) -> None:
    assert answer() == expected
