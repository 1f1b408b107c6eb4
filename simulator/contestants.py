"""Every peer with its published defaults, and tuned: who stands beside ours in a comparison.

All run on our infrastructure: the same group, warm pool, instance types, and the group's maximum
where a system ships a small one of its own. A tuned variant has the settings of that system which
wait least at a fair cost: no cool-downs, one job per instance, fast polling, scale-in on, high
resolution where CloudWatch has it. Where a system's documentation leaves doubt, it is decided in
its favour.
"""

from simulator.peers.azure_batch import AutoscaleFormula, pending_tasks
from simulator.peers.beta9 import TaskQueue
from simulator.peers.buildkite import AgentScaler
from simulator.peers.buildkite import Settings as BuildkiteSettings
from simulator.peers.clearml import AutoScaler
from simulator.peers.dask import Adaptive
from simulator.peers.deadline_cloud import Fleet
from simulator.peers.deadline_cloud import Settings as DeadlineSettings
from simulator.peers.gh_aws_runners import Runners
from simulator.peers.gh_aws_runners import Settings as RunnersSettings
from simulator.peers.keda import ScaledObject
from simulator.peers.keda import Settings as KedaSettings
from simulator.peers.keda_jobs import ScaledJob, accurate
from simulator.peers.ray import ClusterAutoscaler
from simulator.peers.runs_on import RunnerPool
from simulator.peers.sagemaker import AsyncEndpoint
from simulator.peers.target_tracking import TargetTracking, unfinished_if_none_in_service
from simulator.peers.taskscaler import Policy, Taskscaler
from simulator.rules import Contestant

_BUILDKITE = "buildkite-agent-scaler 49c4145: scaler/, lambda/main.go, template.yaml"
_KEDA = "keda 8b4f083: aws_sqs_queue_scaler.go, scale_scaledobjects.go; kubernetes: podautoscaler"
_KEDA_JOBS = "keda 8b4f083: scale_jobs.go; nodes: cluster-autoscaler, Karpenter"
_TARGET_TRACKING = (
    "EC2 Auto Scaling user guide 6c46a78: as-using-sqs-queue; alarm timing unverified"
)
_SAGEMAKER = "SageMaker developer guide 84d0522: async-inference-autoscale"
_TASKSCALER = "gitlab-runner: docs/configuration/advanced-configuration.md; taskscaler MR 49, 60"
_GH_RUNNERS = "terraform-aws-github-runner 4475534a: scale-up.ts, scale-down.ts, pool.ts"
_RUNS_ON = "runs-on.com: docs on warm pools"
_BETA9 = "beam-cloud/beta9: pkg/abstractions/taskqueue/autoscaler.go"
_RAY = "ray-project/ray: autoscaler/aws/defaults.yaml, cluster YAML reference"
_CLEARML = "clearml: clearml/automation/auto_scaler.py"
_DASK = "dask/distributed: distributed/deploy/adaptive_core.py"
_DEADLINE = "AWS Deadline Cloud API: fleets' auto scaling configuration"
_AZURE = "Azure Batch documentation: batch-automatic-scaling"


def _buildkite_stack() -> AgentScaler:
    return AgentScaler(
        BuildkiteSettings(scale_in=False, out_cooldown_seconds=300, in_cooldown_seconds=3600)
    )


def _keda_tuned() -> ScaledObject:
    return ScaledObject(
        KedaSettings(
            queue_length=1,
            polling_interval_seconds=5,
            cooldown_period_seconds=60,
            scale_up_pods=float("inf"),
            scale_down_stabilization_seconds=60,
        )
    )


def _target_tracking_tuned() -> TargetTracking:
    return TargetTracking(metric=unfinished_if_none_in_service)


def _sagemaker_tuned() -> AsyncEndpoint:
    return AsyncEndpoint(
        target=1, scale_in_cooldown_seconds=0, step_cooldown_seconds=0, step_data_points=1
    )


def _taskscaler_tuned() -> Taskscaler:
    return Taskscaler(
        Policy(idle_count=1, idle_time_seconds=120, scale_factor=0.2, scale_factor_limit=100)
    )


def _gh_runners_tuned() -> Runners:
    return Runners(
        RunnersSettings(
            batch_size=1000, scale_down_every_seconds=60, minimum_running_time_seconds=60
        )
    )


def _deadline_tuned() -> Fleet:
    return Fleet(
        DeadlineSettings(scale_out_workers_per_minute=1000, worker_idle_duration_seconds=60)
    )


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name="buildkite-lambda",
        make=AgentScaler,
        every_seconds=10,
        look_delay_seconds=0,
        kills_busy=True,  # the group picks whom scale-in takes
        source=_BUILDKITE,
    ),
    Contestant(
        name="buildkite-stack",
        make=_buildkite_stack,
        every_seconds=10,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=600,
        source=_BUILDKITE,
    ),
    Contestant(
        name="buildkite-tuned",
        make=lambda: AgentScaler(BuildkiteSettings(scale_in=False)),
        every_seconds=5,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=60,
        source=_BUILDKITE,
        tuned=True,
    ),
    Contestant(
        name="keda",
        make=ScaledObject,
        every_seconds=15,
        look_delay_seconds=0,
        kills_busy=True,  # a deployment's victims are chosen without knowing who works
        source=_KEDA,
    ),
    Contestant(
        name="keda-tuned",
        make=_keda_tuned,
        every_seconds=5,
        look_delay_seconds=0,
        kills_busy=True,
        source=_KEDA,
        tuned=True,
    ),
    Contestant(
        name="keda-jobs",
        make=ScaledJob,
        every_seconds=30,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=600,  # cluster-autoscaler, scale-down-unneeded-time
        source=_KEDA_JOBS,
    ),
    Contestant(
        name="keda-jobs-tuned",
        make=lambda: ScaledJob(strategy=accurate, target=1, scale_on_in_flight=False),
        every_seconds=5,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=60,  # Karpenter, consolidateAfter
        source=_KEDA_JOBS,
        tuned=True,
    ),
    Contestant(
        name="target-tracking",
        make=lambda: TargetTracking(min_capacity=1),
        every_seconds=60,
        look_delay_seconds=60,
        kills_busy=True,
        source=_TARGET_TRACKING,
    ),
    Contestant(
        name="target-tracking-tuned",
        make=_target_tracking_tuned,
        every_seconds=10,  # the shortest period a high-resolution metric is tracked by
        look_delay_seconds=10,
        kills_busy=False,  # workers protect themselves while they work, as the guide says
        source=_TARGET_TRACKING,
        tuned=True,
    ),
    Contestant(
        name="sagemaker-async",
        make=AsyncEndpoint,
        every_seconds=60,
        look_delay_seconds=60,
        kills_busy=False,  # nothing is published on whom scale-in takes
        source=_SAGEMAKER,
    ),
    Contestant(
        name="sagemaker-async-tuned",
        make=_sagemaker_tuned,
        every_seconds=60,
        look_delay_seconds=60,
        kills_busy=False,
        source=_SAGEMAKER,
        tuned=True,
    ),
    Contestant(
        name="gitlab-taskscaler",
        make=Taskscaler,
        every_seconds=3,  # check_interval
        look_delay_seconds=0,
        kills_busy=False,
        source=_TASKSCALER,
    ),
    Contestant(
        name="gitlab-taskscaler-tuned",
        make=_taskscaler_tuned,
        every_seconds=3,
        look_delay_seconds=0,
        kills_busy=False,
        source=_TASKSCALER,
        tuned=True,
    ),
    Contestant(
        name="gh-aws-runners",
        make=Runners,
        every_seconds=5,  # about what an invocation takes, one at a time
        look_delay_seconds=30,  # delay_webhook_event
        kills_busy=False,
        source=_GH_RUNNERS,
    ),
    Contestant(
        name="gh-aws-runners-tuned",
        make=_gh_runners_tuned,
        every_seconds=5,
        look_delay_seconds=0,
        kills_busy=False,
        source=_GH_RUNNERS,
        tuned=True,
    ),
    Contestant(
        name="runs-on",
        make=lambda: RunnerPool(hot=1),  # the example of its documentation
        every_seconds=1,  # at each job's event
        look_delay_seconds=0,
        kills_busy=False,
        source=_RUNS_ON,
    ),
    Contestant(
        name="runs-on-tuned",
        make=RunnerPool,
        every_seconds=1,
        look_delay_seconds=0,
        kills_busy=False,
        source=_RUNS_ON,
        tuned=True,
    ),
    Contestant(
        name="beta9",
        make=TaskQueue,
        every_seconds=1,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=10,  # keep_warm_seconds
        source=_BETA9,
    ),
    Contestant(
        name="beta9-tuned",
        make=TaskQueue,
        every_seconds=1,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=60,
        source=_BETA9,
        tuned=True,
    ),
    Contestant(
        name="ray",
        make=ClusterAutoscaler,
        every_seconds=5,  # AUTOSCALER_UPDATE_INTERVAL_S
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=300,  # idle_timeout_minutes
        source=_RAY,
    ),
    Contestant(
        name="ray-tuned",
        make=lambda: ClusterAutoscaler(upscaling_speed=1000),
        every_seconds=5,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=60,
        source=_RAY,
        tuned=True,
    ),
    Contestant(
        name="clearml",
        make=AutoScaler,
        every_seconds=300,  # polling_interval_time_min
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=900,  # max_idle_time_min
        source=_CLEARML,
    ),
    Contestant(
        name="clearml-tuned",
        make=AutoScaler,
        every_seconds=6,
        look_delay_seconds=0,
        kills_busy=False,
        worker_idle_exit_seconds=60,  # its shortest
        source=_CLEARML,
        tuned=True,
    ),
    Contestant(
        name="dask-adaptive",
        make=Adaptive,
        every_seconds=1,
        look_delay_seconds=0,
        kills_busy=False,
        source=_DASK,
    ),
    Contestant(
        name="dask-adaptive-tuned",
        make=lambda: Adaptive(wait_count=60),
        every_seconds=1,
        look_delay_seconds=0,
        kills_busy=False,
        source=_DASK,
        tuned=True,
    ),
    Contestant(
        name="deadline-cloud",
        make=Fleet,
        every_seconds=10,
        look_delay_seconds=0,
        kills_busy=False,
        source=_DEADLINE,
    ),
    Contestant(
        name="deadline-cloud-tuned",
        make=_deadline_tuned,
        every_seconds=10,
        look_delay_seconds=0,
        kills_busy=False,
        source=_DEADLINE,
        tuned=True,
    ),
    Contestant(
        name="azure-batch",
        make=AutoscaleFormula,
        every_seconds=30,
        look_delay_seconds=30,
        kills_busy=False,  # taskcompletion
        source=_AZURE,
    ),
    Contestant(
        name="azure-batch-tuned",
        make=lambda: AutoscaleFormula(pending_tasks, evaluation_interval_seconds=300),
        every_seconds=30,
        look_delay_seconds=30,
        kills_busy=False,
        source=_AZURE,
        tuned=True,
    ),
)
