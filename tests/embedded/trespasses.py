"""What roles must not be able to do: to a neighbour whose name begins like ours, and to our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.embedded.privileges import Stage

HOOK = {
    "LifecycleHookName": "ready",
    "LifecycleActionToken": "36b210eb-0e5d-4ddf-b153-acd86a82e850",
}


@dataclass(frozen=True)
class Trespass:
    """A call that `role` might be tempted to make."""

    role: str
    what: str
    service: str
    operation: str
    arguments: Callable[[Stage], dict[str, Any]]

    @property
    def action(self) -> str:
        """IAM's name of it, without the service, where the two differ."""
        others = {"get_layer_version_by_arn": "GetLayerVersion", "list_objects": "ListBucket"}
        return others.get(self.operation, self.operation.replace("_", ""))

    def commit(self, stage: Stage) -> object:
        call = getattr(stage.client(self.role, self.service), self.operation)
        return call(**self.arguments(stage))


def neighbour(stage: Stage) -> str:
    return f"{stage.name}-x"


def their_group(stage: Stage) -> str:
    return f"{neighbour(stage)}-workers"


def their_launches(stage: Stage) -> dict[str, Any]:
    return {"AutoScalingGroupName": their_group(stage), "ScalingProcesses": ["Launch"]}


def their_pool_enlarged(stage: Stage) -> dict[str, Any]:
    return {"AutoScalingGroupName": their_group(stage), "MinSize": 9}


def their_queue(stage: Stage) -> str:
    return stage.resource("JobsQueue").replace(stage.name, neighbour(stage))


def their_bucket(stage: Stage) -> str:
    """It has to be there: S3 says first that a bucket does not exist."""
    name = f"{neighbour(stage)}-jobs"
    stage.root("s3").create_bucket(Bucket=name)
    return name


def their_action(stage: Stage) -> dict[str, Any]:
    return {"AutoScalingGroupName": their_group(stage), "InstanceId": stage.theirs, **HOOK}


def document(stage: Stage, name: str, instance_id: str) -> dict[str, Any]:
    return {"DocumentName": name, "InstanceIds": [instance_id]}


def tags(instance_id: str, key: str) -> dict[str, Any]:
    return {"Resources": [instance_id], "Tags": [{"Key": key, "Value": "x"}]}


def group_tag(group: str, key: str) -> dict[str, Any]:
    tag = {"ResourceId": group, "ResourceType": "auto-scaling-group"}
    return {"Tags": [{**tag, "Key": key, "Value": "x", "PropagateAtLaunch": False}]}


def in_our_bucket(key: str) -> Callable[[Stage], dict[str, Any]]:
    return lambda it: {"Bucket": it.resource("JobsBucket"), "Key": key}


OF_INSTANCES = [
    Trespass(
        "InstanceRole",
        "takes a neighbour's job",
        "sqs",
        "receive_message",
        lambda it: {"QueueUrl": their_queue(it)},
    ),
    Trespass(
        "InstanceRole",
        "writes into a neighbour's table",
        "dynamodb",
        "update_item",
        lambda it: {
            "TableName": it.resource("JobsTable").replace(it.name, neighbour(it)),
            "Key": {"job_id": {"S": "x"}},
        },
    ),
    Trespass(
        "InstanceRole",
        "sends a heartbeat in a neighbour's name",
        "dynamodb",
        "put_item",
        lambda it: {
            "TableName": it.resource("HeartbeatsTable").replace(it.name, neighbour(it)),
            "Item": {"sender": {"S": it.theirs}},
        },
    ),
    Trespass(
        "InstanceRole",
        "puts a job's record in place of another",
        "dynamodb",
        "put_item",
        lambda it: {"TableName": it.resource("JobsTable"), "Item": {"job_id": {"S": "x"}}},
    ),
    Trespass(
        "InstanceRole",
        "reads a neighbour's settings",
        "ssm",
        "get_parameter",
        lambda it: {"Name": f"/pilotlight/{neighbour(it)}/worker"},
    ),
    Trespass(
        "InstanceRole",
        "fetches a neighbour's code",
        "lambda",
        "get_layer_version_by_arn",
        lambda it: {"Arn": it.arn("lambda", f"layer:{neighbour(it)}-jobs:1")},
    ),
    Trespass(
        "InstanceRole",
        "protects a neighbour's instance",
        "autoscaling",
        "set_instance_protection",
        lambda it: {
            "AutoScalingGroupName": their_group(it),
            "InstanceIds": [it.theirs],
            "ProtectedFromScaleIn": True,
        },
    ),
    Trespass(
        "InstanceRole",
        "has a neighbour's instance replaced",
        "autoscaling",
        "set_instance_health",
        lambda it: {"InstanceId": it.theirs, "HealthStatus": "Unhealthy"},
    ),
    Trespass(
        "InstanceRole",
        "reads a neighbour's payload",
        "s3",
        "get_object",
        lambda it: {"Bucket": their_bucket(it), "Key": "payloads/x"},
    ),
    Trespass(
        "InstanceRole",
        "writes into a neighbour's log",
        "logs",
        "create_log_stream",
        lambda it: {"logGroupName": f"/pilotlight/{neighbour(it)}/workers", "logStreamName": "x"},
    ),
    Trespass(
        "InstanceRole", "swaps a payload", "s3", "put_object", in_our_bucket("payloads/another")
    ),
    Trespass("InstanceRole", "keeps what is no job's", "s3", "put_object", in_our_bucket("x")),
    *(
        Trespass(
            "InstanceRole",
            f"lists {what}",
            "s3",
            "list_objects",
            lambda it, prefix=prefix: {"Bucket": it.resource("JobsBucket"), "Prefix": prefix},
        )
        for what, prefix in {"the whole bucket": "", "what is no job's": "payload"}.items()
    ),
    Trespass(
        "InstanceRole",
        "forges a job",
        "sqs",
        "send_message",
        lambda it: {"QueueUrl": it.resource("JobsQueue"), "MessageBody": "{}"},
    ),
    Trespass(
        "InstanceRole",
        "takes a dead letter",
        "sqs",
        "receive_message",
        lambda it: {"QueueUrl": it.resource("JobsDeadLetterQueue")},
    ),
    Trespass(
        "InstanceRole",
        "reads another job's result",
        "dynamodb",
        "get_item",
        lambda it: {"TableName": it.resource("JobsTable"), "Key": {"job_id": {"S": "x"}}},
    ),
    Trespass(
        "InstanceRole",
        "commands an instance of its own group",
        "ssm",
        "send_command",
        lambda it: document(it, f"{it.name}-drain", it.ours),
    ),
    Trespass(
        "InstanceRole",
        "sets the capacity",
        "autoscaling",
        "set_desired_capacity",
        lambda it: {"AutoScalingGroupName": it.group, "DesiredCapacity": 9},
    ),
]

OF_FUNCTIONS = [
    Trespass(
        "OnLifecycleActionRole",
        "completes a neighbour's action",
        "autoscaling",
        "complete_lifecycle_action",
        lambda it: {**their_action(it), "LifecycleActionResult": "ABANDON"},
    ),
    Trespass(
        "OnLifecycleActionRole",
        "prolongs a neighbour's action",
        "autoscaling",
        "record_lifecycle_action_heartbeat",
        their_action,
    ),
    *(
        Trespass(
            role,
            "drains a neighbour's instance",
            "ssm",
            "send_command",
            lambda it: document(it, f"{it.name}-drain", it.theirs),
        )
        for role in ("OnLifecycleActionRole", "ReconcileRole")
    ),
    *(
        Trespass(
            role,
            "runs any shell script",
            "ssm",
            "send_command",
            lambda it: document(it, "AWS-RunShellScript", it.ours),
        )
        for role in ("OnLifecycleActionRole", "ReconcileRole")
    ),
    *(
        Trespass(
            role,
            "proves a neighbour's instance",
            "ec2",
            "create_tags",
            lambda it: tags(it.theirs, "pilotlight:proven-at"),
        )
        for role in ("OnCommandResultRole", "ReconcileRole")
    ),
    Trespass(
        "OnCommandResultRole",
        "renames its own instance",
        "ec2",
        "create_tags",
        lambda it: tags(it.ours, "Name"),
    ),
    Trespass(
        "OnCommandResultRole",
        "has a neighbour's instance replaced",
        "autoscaling",
        "set_instance_health",
        lambda it: {"InstanceId": it.theirs, "HealthStatus": "Unhealthy"},
    ),
    *(
        Trespass(
            role,
            "sets a neighbour's capacity",
            "autoscaling",
            "set_desired_capacity",
            lambda it: {"AutoScalingGroupName": their_group(it), "DesiredCapacity": 9},
        )
        for role in ("OnQueueDepthRole", "ReconcileRole")
    ),
    *(
        Trespass(role, does, "autoscaling", operation, request)
        for role in ("OnQueueDepthRole", "ReconcileRole")
        for does, operation, request in (
            ("stops a neighbour's launches", "suspend_processes", their_launches),
            ("resumes a neighbour's launches", "resume_processes", their_launches),
            ("enlarges a neighbour's pool", "put_warm_pool", their_pool_enlarged),
        )
    ),
    Trespass(
        "ReconcileRole",
        "opens a neighbour's breaker",
        "autoscaling",
        "create_or_update_tags",
        lambda it: group_tag(their_group(it), "pilotlight:setup-breaker"),
    ),
    Trespass(
        "ReconcileRole",
        "renames its own group",
        "autoscaling",
        "create_or_update_tags",
        lambda it: group_tag(it.group, "Name"),
    ),
    Trespass(
        "ReconcileRole",
        "reads a job's result",
        "dynamodb",
        "batch_get_item",
        lambda it: {"RequestItems": {it.resource("JobsTable"): {"Keys": [{"job_id": {"S": "x"}}]}}},
    ),
    Trespass(
        "ReconcileRole",
        "alerts a neighbour",
        "sns",
        "publish",
        lambda it: {
            "TopicArn": it.resource("AlertTopic").replace(it.name, neighbour(it)),
            "Message": "x",
        },
    ),
    Trespass(
        "ReconcileRole",
        "takes a job",
        "sqs",
        "receive_message",
        lambda it: {"QueueUrl": it.resource("JobsQueue")},
    ),
]

TRESPASSES = [*OF_INSTANCES, *OF_FUNCTIONS]
