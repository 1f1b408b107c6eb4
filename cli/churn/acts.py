"""What can be done to a fleet, by the ways that an operator, EC2 or chance have."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from cli.churn.plan import Kind, Strike, picked
from cli.errors import CommandError
from cli.run_command import SHELL_SCRIPT, run_on_instance
from cli.stack import Stack

EVERYBODY = "*"
COMMAND_LIMIT_SECONDS = 60.0
NOTICE_SECONDS = 30.0  # EC2 gives two minutes; the worker goes by the time that the notice names
FUNCTION_CALLS = range(1, 4)
MAIN_PID = 'pid="$(systemctl show --property=MainPID --value pilotlight-worker)" && [ "$pid" != 0 ]'
KILL_WORKER = f'{MAIN_PID} && kill -9 "$pid"'
KILL_JOB = f'{MAIN_PID} && pkill -9 -P "$pid" -f pilotlight.worker.run_job'
# What is there can be read on, nothing more can be written: each folder's upper layer is a file
# system of a few pages that is full. A box has no disk of its own that could be filled. /tmp stays:
# on Amazon Linux 2023 it is in memory.
FILL_DISK = """set -e
mkdir -p /run/full && mount -t tmpfs -o size=256k full /run/full
for folder in /opt /var /etc /home; do
  mkdir -p "/run/full/upper$folder" "/run/full/work$folder"
  layers="lowerdir=$folder,upperdir=/run/full/upper$folder,workdir=/run/full/work$folder"
  mount -t overlay -o "$layers" full "$folder"
done
cat /dev/zero > /run/full/filler || df -k /opt
"""


class Faults(Protocol):
    """What the embedded AWS does wrong when told to."""

    def control(self, name: str, **content: Any) -> None:
        """Raises ValueError when it makes no sense, as for an instance that is gone."""


Act = Callable[[Strike, str], str]


class Acts:
    """Each blocks for as long as it lasts, and says what was done.

    Raises botocore's ClientError or CommandError when it could not be done.
    """

    def __init__(self, stack: Stack, faults: Faults) -> None:
        self._stack = stack
        self._faults = faults
        self._autoscaling = stack.cloud.client("autoscaling")
        self._ec2 = stack.cloud.client("ec2")
        self._acts: dict[Kind, Act] = {
            Kind.CAPACITY: self._set_capacity,
            Kind.WORKER_KILLED: lambda _, target: self._run(target, KILL_WORKER),
            Kind.WORKER_STALLED: self._stall_worker,
            Kind.JOB_KILLED: lambda _, target: self._run(target, KILL_JOB),
            Kind.DISK_FULL: lambda _, target: self._run(target, FILL_DISK),
            Kind.STOPPED: self._stop,
            Kind.TERMINATED: self._terminate,
            Kind.REBOOTED: self._reboot,
            Kind.HUNG: self._hang,
            Kind.DRAINED: self._drain,
            Kind.SPOT: self._give_spot_notice,
            Kind.REBALANCE: self._recommend_rebalance,
            Kind.CUT_OFF: lambda strike, target: self._cut(target, strike.seconds),
            Kind.API_CUT: lambda strike, _: self._cut(EVERYBODY, strike.seconds),
            Kind.FUNCTION_KILLED: self._kill_function,
        }

    def carry_out(self, strike: Strike, target: str) -> str:
        return self._acts[strike.kind](strike, target)

    def _set_capacity(self, strike: Strike, _target: str) -> str:
        group = self._autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self._stack.group_name]
        )["AutoScalingGroups"][0]
        capacity = picked(strike.pick, range(group["MinSize"], group["MaxSize"] + 1))
        self._autoscaling.set_desired_capacity(
            AutoScalingGroupName=self._stack.group_name, DesiredCapacity=capacity
        )
        return f"to {capacity}"

    def _stop(self, _strike: Strike, target: str) -> str:
        self._ec2.stop_instances(InstanceIds=[target])
        return "StopInstances"

    def _terminate(self, _strike: Strike, target: str) -> str:
        self._ec2.terminate_instances(InstanceIds=[target])
        return "TerminateInstances"

    def _reboot(self, _strike: Strike, target: str) -> str:
        self._ec2.reboot_instances(InstanceIds=[target])
        return "RebootInstances"

    def _hang(self, _strike: Strike, target: str) -> str:
        """Every process on it freezes, the agent too."""
        self._control("fault", instance_id=target, fault="hang")
        return "until it is replaced"

    def _stall_worker(self, strike: Strike, target: str) -> str:
        """Its own timer ends it when it goes on after too long."""
        self._run(target, stall_worker(strike.seconds))
        time.sleep(strike.seconds)
        return f"for {strike.seconds:.0f} s"

    def _drain(self, _strike: Strike, target: str) -> str:
        """As an operator takes an instance out; one that is drained waits for its end."""
        document = f"{self._stack.name}-drain"
        verdict = run_on_instance(self._stack.cloud, target, document, {}, COMMAND_LIMIT_SECONDS)
        self._autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=target, ShouldDecrementDesiredCapacity=False
        )
        return verdict.splitlines()[-1]

    def _give_spot_notice(self, strike: Strike, target: str) -> str:
        ends_at = time.time() + NOTICE_SECONDS
        notice = json.dumps({"action": "terminate", "time": _utc(ends_at)})
        self._metadata(target, "spot/instance-action", notice)
        time.sleep(NOTICE_SECONDS)
        return self._terminate(strike, target)

    def _recommend_rebalance(self, _strike: Strike, target: str) -> str:
        notice = json.dumps({"noticeTime": _utc(time.time())})
        self._metadata(target, "events/recommendations/rebalance", notice)
        return notice

    def _metadata(self, instance_id: str, path: str, text: str) -> None:
        self._control("metadata", instance_id=instance_id, path=path, text=text)

    def _control(self, name: str, **content: str) -> None:
        try:
            self._faults.control(name, **content)
        except ValueError as error:
            raise CommandError(f"{content['instance_id']} is gone: {error}") from error

    def _cut(self, caller: str, seconds: float) -> str:
        self._faults.control("network", caller=caller, cut=True)
        try:
            time.sleep(seconds)
        finally:
            self._faults.control("network", caller=caller, cut=False)
        return f"for {seconds:.0f} s"

    def _kill_function(self, strike: Strike, target: str) -> str:
        at_call = picked(strike.pick * 10 % 1, FUNCTION_CALLS)
        self._faults.control("kill-function", function_name=target, at_call=at_call)
        return f"at its call {at_call} from now"

    def _run(self, instance_id: str, script: str) -> str:
        parameters = {"commands": [script]}
        return run_on_instance(
            self._stack.cloud, instance_id, SHELL_SCRIPT, parameters, COMMAND_LIMIT_SECONDS
        )


def stall_worker(seconds: float) -> str:
    """Ends at once; the worker goes on by itself."""
    go_on = f'sleep {seconds:.0f}; kill -CONT "$pid"'
    return f"""{MAIN_PID} && kill -STOP "$pid" && export pid || exit 1
setsid sh -c '{go_on}' > /dev/null 2>&1 < /dev/null &"""


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
