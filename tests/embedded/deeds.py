"""What every role of the stack does, an action of a statement at a time.

The functions' deeds go through what their own modules hold, so that a right which a function has no
use for finds no deed here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from pilotlight.aws.ec2 import RunningInstances
from pilotlight.aws.heartbeats import DynamoDbHeartbeats
from pilotlight.aws.jobs_batch import DynamoDbJobsBatch
from pilotlight.fleet.commands import Command
from pilotlight.fleet.heartbeat import RECONCILE, Heartbeat
from pilotlight.fleet.lifecycle_action import DRAIN_HOOK, READY_HOOK, Pause
from pilotlight.jobs.attempts import ReceivedMessage
from pilotlight.jobs.records import Run, Worker
from tests.embedded.privileges import FUNCTION_OF_ROLE, Deed, Stage

TOKEN = "36b210eb-0e5d-4ddf-b153-acd86a82e850"
COMMAND_ID = "51c0891d-0e34-45b1-83d6-95db273d1602"
RECEIPT = "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a"
JOB = "one-statement"
DESCRIBE = "autoscaling:Describe"
HEARTBEATS = "HearTheWorkersAndTellThatItDoes"
HEARTBEAT = Heartbeat(datetime.now(UTC), datetime.now(UTC))

Do = Callable[[Stage], object]


def pause(stage: Stage) -> Pause:
    """One that is over: the call is let through, and finds no lifecycle action."""
    return Pause(stage.ours, READY_HOOK, TOKEN)


def command(stage: Stage, role: str, hook: str, instance_id: str) -> Command:
    stack = stage.name
    document = f"{stack}-readiness" if hook == READY_HOOK else f"{stack}-drain"
    return Command(document, (instance_id,), "one statement", {"timeoutSeconds": ["1"]})


def sends_both_documents(role: str) -> Do:
    def do(stage: Stage) -> None:
        for hook in (READY_HOOK, DRAIN_HOOK):
            stage.function(role).commands.send(command(stage, role, hook, stage.ours))

    return do


def is_fed_from(role: str, queue: str) -> Do:
    """Lambda reads a queue in the function's name, and asks whether it may when they are joined."""

    def do(stage: Stage) -> None:
        functions = stage.root("lambda")
        mapping = functions.create_event_source_mapping(
            FunctionName=stage.function_name(role),
            EventSourceArn=stage.arn("sqs", stage.resource(queue).rpartition("/")[2]),
            Enabled=False,
        )
        functions.delete_event_source_mapping(UUID=mapping["UUID"])

    return do


def is_traced(role: str) -> Do:
    """What the parameter Tracing does; Lambda then asks whether the role may send traces."""

    def do(stage: Stage) -> None:
        stage.root("lambda").update_function_configuration(
            FunctionName=stage.function_name(role), TracingConfig={"Mode": "Active"}
        )

    return do


def of_every_function() -> Iterator[Deed]:
    for role in FUNCTION_OF_ROLE:
        yield Deed(role, "SendTraces", "xray:PutTraceSegments", is_traced(role))


def of_queue_readers() -> Iterator[Deed]:
    queues = {
        "OnLifecycleActionRole": "LifecycleQueue",
        "OnCommandResultRole": "CommandResultQueue",
        "OnQueueDepthRole": "WatchQueue",
    }
    for role, queue in queues.items():
        for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
            yield Deed(role, "WorkThroughItsQueue", f"sqs:{action}", is_fed_from(role, queue))


def of_lifecycle_functions() -> Iterator[Deed]:
    for role in ("OnLifecycleActionRole", "OnCommandResultRole"):
        yield Deed(
            role,
            "WorkThroughItsQueue",
            "sqs:ChangeMessageVisibility",
            lambda stage, role=role: stage.function(role).source.give_back(RECEIPT, 1),
        )
        yield Deed(
            role,
            "SeeTheGroup",
            f"{DESCRIBE}AutoScalingInstances",
            lambda stage, role=role: stage.function(role).group.lifecycle_state(stage.ours),
        )


def of_senders_of_commands() -> Iterator[Deed]:
    for role in ("OnLifecycleActionRole", "ReconcileRole"):
        for sid in ("SendOurDocumentsOnly", "SendToThisGroupOnly"):
            yield Deed(role, sid, "ssm:SendCommand", sends_both_documents(role))


def of_drainers() -> Iterator[Deed]:
    """Before it is drained, an instance is looked at: whether it runs.

    A function makes this client when it first needs it, which is outside of its cold start here.
    """
    for role in ("OnLifecycleActionRole", "ReconcileRole"):
        yield Deed(
            role,
            "SeeWhichInstancesRun",
            "ec2:DescribeInstances",
            lambda stage, role=role: RunningInstances(
                lambda: stage.client(role, "ec2")
            ).running_since([stage.ours]),
        )


def of_completers() -> Iterator[Deed]:
    sids = {
        "OnLifecycleActionRole": "SteerLifecycleActions",
        "OnCommandResultRole": "SteerLifecycleActions",
        "ReconcileRole": "SteerTheGroup",
    }
    for role, sid in sids.items():
        yield Deed(
            role,
            sid,
            "autoscaling:CompleteLifecycleAction",
            lambda stage, role=role: stage.function(role).group.complete(pause(stage), "CONTINUE"),
        )
        yield Deed(
            role,
            sid,
            "autoscaling:RecordLifecycleActionHeartbeat",
            lambda stage, role=role: stage.function(role).group.record_heartbeat(pause(stage)),
        )


def of_judges() -> Iterator[Deed]:
    """Whoever reads a verdict writes the proof, or has the instance replaced."""
    rights = {
        "OnCommandResultRole": ("ReadTheVerdict", "SteerLifecycleActions"),
        "ReconcileRole": ("ReadCommands", "SteerTheGroup"),
    }
    for role, (reading, steering) in rights.items():
        yield Deed(
            role,
            reading,
            "ssm:GetCommandInvocation",
            lambda stage, role=role: stage.function(role).commands.invocation(
                COMMAND_ID, stage.ours
            ),
        )
        yield Deed(
            role,
            "WriteTheProof",
            "ec2:CreateTags",
            lambda stage, role=role: stage.function(role).tags.write(
                stage.ours, {"pilotlight:proven-at": "now"}
            ),
        )
        yield Deed(
            role,
            steering,
            "autoscaling:SetInstanceHealth",
            lambda stage, role=role: stage.function(role).group.set_unhealthy(stage.ours),
        )


def of_scalers() -> Iterator[Deed]:
    steering = {"OnQueueDepthRole": "SetCapacity", "ReconcileRole": "SteerTheGroup"}
    for role, sid in steering.items():
        yield Deed(
            role,
            "MeasureTheBacklog",
            "sqs:GetQueueAttributes",
            lambda stage, role=role: stage.function(role).jobs.depth(),
        )
        yield Deed(
            role,
            "ReadPastArrivals",
            "cloudwatch:GetMetricData",
            lambda stage, role=role: stage.function(role).arrivals.history(),
        )
        yield Deed(
            role,
            "SeeTheGroup",
            f"{DESCRIBE}AutoScalingGroups",
            lambda stage, role=role: stage.function(role).group.describe(),
        )
        yield Deed(
            role,
            sid,
            "autoscaling:SetDesiredCapacity",
            lambda stage, role=role: stage.function(role).group.set_desired_capacity(0),
        )


def of_wakers() -> Iterator[Deed]:
    """While the breaker is open."""
    waking = {"OnQueueDepthRole": "WakeWhileTheBreakerIsOpen", "ReconcileRole": "SteerTheGroup"}
    for role, sid in waking.items():
        deeds: dict[tuple[str, str], Callable[[Any], object]] = {
            (sid, "autoscaling:SuspendProcesses"): lambda app: app.group.suspend("AZRebalance"),
            (sid, "autoscaling:ResumeProcesses"): lambda app: app.group.resume("Launch"),
            (sid, "autoscaling:PutWarmPool"): lambda app: app.group.prepare(0),
            ("SeeTheGroup", f"{DESCRIBE}WarmPool"): lambda app: list(app.group.warm_pool()),
        }
        for (statement, action), do in deeds.items():
            act = lambda stage, role=role, do=do: do(stage.function(role))  # noqa: E731
            yield Deed(role, statement, action, act)


def of_reconcile() -> Iterator[Deed]:
    deeds: dict[tuple[str, str], Callable[[Any, Stage], object]] = {
        ("SendTheTicks", "sqs:SendMessage"): lambda app, _: app.watch.send_ticks([900]),
        ("ReadCommands", "ssm:ListCommandInvocations"): lambda app, stage: app.commands.sent_to(
            stage.ours
        ),
        (HEARTBEATS, "dynamodb:BatchGetItem"): lambda app, stage: app.heartbeats.of([stage.ours]),
        (HEARTBEATS, "dynamodb:PutItem"): lambda app, _: app.heartbeats.send(RECONCILE, HEARTBEAT),
        (
            "NoteThatTheBreakerIsOpen",
            "autoscaling:CreateOrUpdateTags",
        ): lambda app, _: app.group.write_tag("pilotlight:setup-breaker", "open now"),
        ("SeeTheGroup", f"{DESCRIBE}AutoScalingInstances"): lambda app, stage: (
            app.group.lifecycle_state(stage.ours)
        ),
        ("SeeTheGroup", f"{DESCRIBE}ScalingActivities"): lambda app, _: list(
            app.group.activities()
        ),
        ("TellAPerson", "sns:Publish"): lambda app, _: app.alerts.publish("subject", "message"),
    }
    for (sid, action), do in deeds.items():
        yield Deed(
            "ReconcileRole",
            sid,
            action,
            lambda stage, do=do: do(stage.function("ReconcileRole"), stage),
        )


def of_instances() -> Iterator[Deed]:
    jobs, place = "TakeJobsAndGiveThemBack", "HoldOntoItsPlaceOrGiveItUp"
    payloads, checkpoints = "ReadLargePayloadsAndClearThem", "KeepCheckpoints"
    deeds = [
        (jobs, "sqs:ReceiveMessage", in_queue("receive_message", WaitTimeSeconds=0)),
        (jobs, "sqs:DeleteMessage", in_queue("delete_message", ReceiptHandle=RECEIPT)),
        (
            jobs,
            "sqs:ChangeMessageVisibility",
            in_queue("change_message_visibility", ReceiptHandle=RECEIPT, VisibilityTimeout=0),
        ),
        (jobs, "sqs:GetQueueAttributes", in_queue("get_queue_attributes")),
        ("PutAsideJobsThatItGivesUp", "sqs:SendMessage", dead_letters),
        ("RecordResults", "dynamodb:UpdateItem", records),
        ("RecordResults", "dynamodb:PartiQLInsert", begins_together),
        ("RecordResults", "dynamodb:PartiQLUpdate", records_together),
        ("TellThatItsWorkerLives", "dynamodb:PutItem", sends_heartbeat),
        (payloads, "s3:GetObject", in_bucket("get_object", f"payloads/{JOB}")),
        (payloads, "s3:DeleteObject", in_bucket("delete_object", f"payloads/{JOB}")),
        (checkpoints, "s3:GetObject", in_bucket("get_object", f"checkpoints/{JOB}/1-1")),
        (checkpoints, "s3:PutObject", in_bucket("put_object", f"checkpoints/{JOB}/1-1")),
        (checkpoints, "s3:DeleteObject", in_bucket("delete_object", f"checkpoints/{JOB}/1-1")),
        (
            checkpoints,
            "s3:AbortMultipartUpload",
            in_bucket("abort_multipart_upload", f"checkpoints/{JOB}/1-1", UploadId="none"),
        ),
        ("FindWhatAJobHasInTheBucket", "s3:ListBucket", lists_checkpoints),
        ("WriteItsLog", "logs:CreateLogStream", makes_stream),
        ("WriteItsLog", "logs:PutLogEvents", ships_log),
        ("FetchItsCode", "lambda:GetLayerVersion", fetches_code),
        (place, "autoscaling:SetInstanceProtection", protects),
        (place, "autoscaling:SetInstanceHealth", gives_up),
    ]
    for sid, action, do in deeds:
        yield Deed("InstanceRole", sid, action, do)


def in_queue(operation: str, **arguments: Any) -> Do:
    def do(stage: Stage) -> object:
        call = getattr(stage.client("InstanceRole", "sqs"), operation)
        return call(QueueUrl=stage.resource("JobsQueue"), **arguments)

    return do


def in_bucket(operation: str, key: str, **arguments: Any) -> Do:
    def do(stage: Stage) -> object:
        call = getattr(stage.client("InstanceRole", "s3"), operation)
        return call(Bucket=stage.resource("JobsBucket"), Key=key, **arguments)

    return do


def dead_letters(stage: Stage) -> object:
    return stage.client("InstanceRole", "sqs").send_message(
        QueueUrl=stage.resource("JobsDeadLetterQueue"), MessageBody="{}"
    )


def records(stage: Stage) -> object:
    return stage.client("InstanceRole", "dynamodb").update_item(
        TableName=stage.resource("JobsTable"), Key={"job_id": {"S": JOB}}
    )


def many_jobs(stage: Stage) -> DynamoDbJobsBatch:
    table = stage.resource("JobsTable")
    return DynamoDbJobsBatch(stage.client("InstanceRole", "dynamodb"), table)


def run_of(stage: Stage) -> Run:
    message = ReceivedMessage("m-1", RECEIPT, "{}", 1, 1.0, 2.0)
    return Run(JOB, Worker(stage.ours, "/group", "stream"), message, 3.0, 0.0)


def begins_together(stage: Stage) -> object:
    return many_jobs(stage).begin([(run_of(stage), {"state": "running"})])


def records_together(stage: Stage) -> object:
    return many_jobs(stage).amend([(run_of(stage), {"state": "succeeded"})])


def sends_heartbeat(stage: Stage) -> None:
    client = stage.client("InstanceRole", "dynamodb")
    DynamoDbHeartbeats(client, stage.resource("HeartbeatsTable")).send(stage.ours, HEARTBEAT)


def lists_checkpoints(stage: Stage) -> object:
    return stage.client("InstanceRole", "s3").list_objects_v2(
        Bucket=stage.resource("JobsBucket"), Prefix=f"checkpoints/{JOB}/"
    )


def makes_stream(stage: Stage) -> object:
    return stage.client("InstanceRole", "logs").create_log_stream(
        logGroupName=stage.resource("WorkersLogGroup"), logStreamName=f"{stage.ours}/now"
    )


def ships_log(stage: Stage) -> object:
    return stage.client("InstanceRole", "logs").put_log_events(
        logGroupName=stage.resource("WorkersLogGroup"),
        logStreamName=f"{stage.ours}/now",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": "{}"}],
    )


def fetches_code(stage: Stage) -> object:
    return stage.client("InstanceRole", "lambda").get_layer_version_by_arn(
        Arn=stage.arn("lambda", f"layer:{stage.name}-jobs:1")
    )


def protects(stage: Stage) -> object:
    return stage.client("InstanceRole", "autoscaling").set_instance_protection(
        AutoScalingGroupName=stage.group, InstanceIds=[stage.ours], ProtectedFromScaleIn=True
    )


def gives_up(stage: Stage) -> object:
    return stage.client("InstanceRole", "autoscaling").set_instance_health(
        InstanceId=stage.ours, HealthStatus="Unhealthy"
    )


DEEDS = [
    *of_every_function(),
    *of_queue_readers(),
    *of_lifecycle_functions(),
    *of_senders_of_commands(),
    *of_drainers(),
    *of_completers(),
    *of_judges(),
    *of_scalers(),
    *of_wakers(),
    *of_reconcile(),
    *of_instances(),
]
