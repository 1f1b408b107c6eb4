"""Every peer with its published defaults, and tuned: who stands beside ours in a comparison.

All run on our infrastructure: the same group, warm pool, instance types, and the group's maximum
where a system ships a small one of its own. A tuned variant has the settings of that system which
wait least at a fair cost: no cool-downs, one job per instance, fast polling, scale-in on, high
resolution where CloudWatch has it. Where a system's documentation leaves doubt, it is decided in
its favour.
"""

from simulator.peers import (
    azure_batch,
    beta9,
    buildkite,
    clearml,
    dask,
    deadline_cloud,
    gh_aws_runners,
    keda,
    keda_jobs,
    ray,
    runs_on,
    sagemaker,
    target_tracking,
    taskscaler,
)
from simulator.rules import Contestant

CONTESTANTS: tuple[Contestant, ...] = (
    *buildkite.CONTESTANTS,
    *keda.CONTESTANTS,
    *keda_jobs.CONTESTANTS,
    *target_tracking.CONTESTANTS,
    *sagemaker.CONTESTANTS,
    *taskscaler.CONTESTANTS,
    *gh_aws_runners.CONTESTANTS,
    *runs_on.CONTESTANTS,
    *beta9.CONTESTANTS,
    *ray.CONTESTANTS,
    *clearml.CONTESTANTS,
    *dask.CONTESTANTS,
    *deadline_cloud.CONTESTANTS,
    *azure_batch.CONTESTANTS,
)
