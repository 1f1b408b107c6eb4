"""template.yaml, built and packaged by the real SAM CLI, as stacks of an embedded AWS."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from cli.cloudlogs import FunctionLogs, LogLine
from cli.deploy import PROFILE, ROOT, Sam, Step, default_network, profile_parameters
from cli.stack import Stack
from cli.waiting import wait_until
from local.cloud import EmbeddedCloud
from pilotlight.fleet.breaker_state import BREAKER_TAG

LIMIT_SECONDS = 120.0  # many times what it takes: a slow computer is no defect
# Nothing runs before a job is sent, then one instance; pip finds what it installs at once, and it
# is not PyTorch.
PARAMETERS = {
    "MinSize": "0",
    "MaxSize": "1",
    "MaxPreparedCapacity": "0",
    "PyTorchPackages": "six",
    "RetrySeconds": "1",
}

Template = dict[str, Any]


class Package:
    """What `sam build` and `sam deploy` made of template.yaml: code uploaded, one quiet stack."""

    def __init__(self, cloud: EmbeddedCloud, folder: Path) -> None:
        self.cloud = cloud
        self.deployed = Fleet(cloud, unique_name())
        sam = Sam(folder, cloud.environment())
        finish(sam.build())
        finish(sam.deploy(self.deployed.name, default_network(cloud), PARAMETERS))
        self._formation = cloud.client("cloudformation")
        packaged = self._formation.get_template(
            StackName=self.deployed.name, TemplateStage="Original"
        )
        self.template: Template = yaml.safe_load(packaged["TemplateBody"])
        self._bucket = unique_name()
        cloud.client("s3").create_bucket(Bucket=self._bucket)

    def without_permission(self, role: str, action: str) -> Template:
        """The template with every statement of `role` removed that allows `action`."""
        template = copy.deepcopy(self.template)
        [policy] = template["Resources"][role]["Properties"]["Policies"]
        document = policy["PolicyDocument"]
        left = [one for one in document["Statement"] if action not in one["Action"]]
        assert len(left) < len(document["Statement"]), f"{role} has no statement with {action}"
        document["Statement"] = left
        return template

    def request(self, name: str, template: Template, **parameters: str | None) -> dict[str, Any]:
        """What CreateStack and CreateChangeSet are asked; a parameter of None is left out."""
        key = f"{uuid.uuid4().hex}.json"
        self.cloud.client("s3").put_object(Bucket=self._bucket, Key=key, Body=json.dumps(template))
        network = default_network(self.cloud)
        given: dict[str, str | None] = {
            **profile_parameters(ROOT / "samconfig.toml", PROFILE),
            "VpcId": network.vpc_id,
            "SubnetIds": ",".join(network.subnet_ids),
            **PARAMETERS,
            **parameters,
        }
        return {
            "StackName": name,
            "TemplateURL": f"{self.cloud.endpoint}/{self._bucket}/{key}",
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in given.items()
                if value is not None
            ],
        }

    def create(self, template: Template, **parameters: str) -> Fleet:
        """Another stack, of `template`, ready for jobs."""
        fleet = Fleet(self.cloud, unique_name())
        self._formation.create_stack(**self.request(fleet.name, template, **parameters))
        self._until("stack_create_complete", fleet)
        return fleet

    def update(self, fleet: Fleet, template: Template, **parameters: str) -> None:
        """Deploy it anew."""
        self._formation.update_stack(**self.request(fleet.name, template, **parameters))
        self._until("stack_update_complete", fleet)

    def _until(self, waiter: str, fleet: Fleet) -> None:
        wait = {"Delay": 1, "MaxAttempts": int(LIMIT_SECONDS)}
        self._formation.get_waiter(waiter).wait(StackName=fleet.name, WaiterConfig=wait)


class Fleet:
    """One deployed stack, looked at as an operator does."""

    def __init__(self, cloud: EmbeddedCloud, name: str) -> None:
        self.name = name
        self.stack = Stack(name, cloud)
        self._cloud = cloud
        self._logs = FunctionLogs(cloud, name, since=0)
        self._sqs = cloud.client("sqs")
        self._autoscaling = cloud.client("autoscaling")

    def send_job(self) -> None:
        """The queue gets deeper, so the group wants an instance."""
        self._sqs.send_message(
            QueueUrl=self.stack.output("JobsQueueUrl"), MessageBody='{"payload": {}}'
        )

    def resource(self, logical_id: str) -> str:
        """Physical id of a resource; of a queue its URL."""
        found = self._cloud.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for it; raises CommandError naming `what` when it never comes."""
        wait_until(condition, LIMIT_SECONDS, f"{self.name}: {what}")

    def lines(self, function: str, **fields: Any) -> list[LogLine]:
        """What a function logged with these fields, oldest first."""
        self._logs.read_new()
        return [
            line
            for line in self._logs.lines
            if line.function == function
            and all(line.fields.get(name) == value for name, value in fields.items())
        ]

    def until_logged(self, function: str, count: int = 1, **fields: Any) -> list[LogLine]:
        """Wait for `count` such lines and return them."""
        self.until(
            lambda: len(self.lines(function, **fields)) >= count, f"{function} logs {fields}"
        )
        return self.lines(function, **fields)

    def reconcile(self) -> None:
        """The minute's look, now; an error of the function is an error here."""
        answer = self._cloud.client("lambda").invoke(FunctionName=f"{self.name}-reconcile")
        failed = self.lines("reconcile", message="step failed")
        assert "FunctionError" not in answer, [line.fields["exception"] for line in failed]

    def group(self) -> dict[str, Any]:
        """As DescribeAutoScalingGroups shows it; empty when there is none."""
        found = self._autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.stack.group_name]
        )["AutoScalingGroups"]
        return dict(found[0]) if found else {}

    def breaker(self) -> str:
        """The tag in which the breaker remembers."""
        tags = {it["Key"]: it["Value"] for it in self.group()["Tags"]}
        return str(tags[BREAKER_TAG])

    def setup(self) -> str:
        """The version of what an instance is set up from, as the breaker writes it."""
        reconcile = self._cloud.client("lambda").get_function_configuration(
            FunctionName=f"{self.name}-reconcile"
        )
        deployed = reconcile["Environment"]["Variables"]["SETUP_VERSIONS"].split()
        versions = (it.rpartition(":")[2] for it in deployed)
        return ".".join((self.group()["LaunchTemplate"]["Version"], *versions))

    def write_breaker(self, tag: str) -> None:
        """As a person may."""
        tag_of_group = {
            "ResourceId": self.stack.group_name,
            "ResourceType": "auto-scaling-group",
            "Key": BREAKER_TAG,
            "Value": tag,
            "PropagateAtLaunch": False,
        }
        self._autoscaling.create_or_update_tags(Tags=[tag_of_group])

    def suspended(self) -> set[str]:
        """The group's processes that are."""
        return {it["ProcessName"] for it in self.group()["SuspendedProcesses"]}

    def asleep(self) -> int:
        """How many rest in the pool."""
        pool = self._autoscaling.describe_warm_pool(AutoScalingGroupName=self.stack.group_name)
        return sum(it["LifecycleState"] == "Warmed:Stopped" for it in pool["Instances"])

    def states(self) -> dict[str, str]:
        """Lifecycle states of the group's instances by their ids."""
        return {it["InstanceId"]: it["LifecycleState"] for it in self.group()["Instances"]}

    def launches(self, **fields: str) -> list[dict[str, Any]]:
        """Launch activities that have these fields, newest first."""
        found = self._autoscaling.describe_scaling_activities(
            AutoScalingGroupName=self.stack.group_name
        )["Activities"]
        return [
            activity
            for activity in found
            if activity["Description"].startswith("Launching")
            and all(activity.get(name) == value for name, value in fields.items())
        ]

    def instances(self) -> list[str]:
        """Ids of those which EC2 has, terminated ones left out."""
        pages = self._cloud.client("ec2").describe_instances(
            Filters=[
                {"Name": "tag:aws:autoscaling:groupName", "Values": [self.stack.group_name]},
                {
                    "Name": "instance-state-name",
                    "Values": ["pending", "running", "shutting-down", "stopping", "stopped"],
                },
            ]
        )
        return [it["InstanceId"] for found in pages["Reservations"] for it in found["Instances"]]

    def delete(self) -> None:
        """Delete the stack and wait until it is gone."""
        formation = self._cloud.client("cloudformation")
        formation.delete_stack(StackName=self.name)
        wait = {"Delay": 1, "MaxAttempts": int(LIMIT_SECONDS)}
        formation.get_waiter("stack_delete_complete").wait(StackName=self.name, WaiterConfig=wait)


def unique_name() -> str:
    """For a stack or bucket that no other test has."""
    return f"whole-{uuid.uuid4().hex[:8]}"


def finish(step: Step) -> None:
    """Wait for a SAM command; raises CommandError with its output when it fails."""
    with step:
        wait_until(step.done, LIMIT_SECONDS, f"sam {step.name}")
