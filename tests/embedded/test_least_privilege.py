"""Every right of every role is needed: without it one named thing is denied, with it allowed."""

from __future__ import annotations

import json
import uuid

import pytest
from botocore.exceptions import ClientError

from local.cloud import EmbeddedCloud
from tests.embedded.deeds import DEEDS
from tests.embedded.patience import until
from tests.embedded.privileges import FUNCTION_OF_ROLE, Deed, Stage, actions_of, refusal
from tests.embedded.trespasses import TRESPASSES, Trespass
from tests.embedded.whole_stack import Package

LOG_RIGHTS = [
    (role, "WriteItsLog", action)
    for role in FUNCTION_OF_ROLE
    for action in ("logs:CreateLogStream", "logs:PutLogEvents")
]
# What makes each function fail: an event that is none of its own, or no sight of its group.
FAILURES: dict[str, list[tuple[str, str]]] = {
    "OnQueueDepthRole": [],
    "ReconcileRole": [("SeeTheGroup", "autoscaling:DescribeAutoScalingGroups")],
}
FAILURE_RIGHTS = [(role, "LeaveWhatItCouldNotDo", "sqs:SendMessage") for role in FAILURES]
# Asked for by Lambda's guide (services-xray) beside PutTraceSegments; Lambda itself uses it, and
# nothing that can be seen fails without it.
MANAGED_INSTANCE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
UNSEEN_RIGHTS = [(role, "SendTraces", "xray:PutTelemetryRecords") for role in FUNCTION_OF_ROLE]


@pytest.fixture(scope="module")
def stage(cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    package = Package(cloud, tmp_path_factory.mktemp("least-privilege"))
    return Stage(cloud, package.deployed)


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: "/".join(deed.right))
def test_what_a_role_does_is_denied_without_its_statement(deed: Deed, stage: Stage) -> None:
    with stage.without(deed.role, (deed.sid, deed.action)):
        words = refusal(lambda: deed.do(stage))
    assert deed.action.partition(":")[2].lower() in words.lower()
    assert refusal(lambda: deed.do(stage)) == ""


@pytest.mark.parametrize("right", LOG_RIGHTS, ids="/".join)
def test_a_function_leaves_no_log_without_its_statement(
    right: tuple[str, str, str], stage: Stage
) -> None:
    role, sid, action = right
    with stage.without(role, (sid, action)):
        before = log_length(stage, role)
        invoke(stage, role)
        assert log_length(stage, role) == before
    invoke(stage, role)
    assert log_length(stage, role) > before


@pytest.mark.parametrize("right", FAILURE_RIGHTS, ids="/".join)
def test_what_a_function_could_not_do_is_lost_without_its_statement(
    right: tuple[str, str, str], stage: Stage
) -> None:
    role, sid, action = right
    with stage.without(role, (sid, action), *FAILURES[role]):
        lost = call_later(stage, role)
        refused = f"the role of {stage.function_name(role)} may not send"
        assert until(lambda: refused in stage.cloud.log_file.read_text("utf-8"))
    with stage.without(role, *FAILURES[role]):
        left = call_later(stage, role)
        bodies = until(lambda: [it for it in failed_events(stage) if left in it])
    assert bodies
    assert not any(lost in body for body in bodies)


def test_every_right_of_every_role_has_its_case(stage: Stage) -> None:
    rights = {
        (role, statement["Sid"], action)
        for role in stage.roles()
        for statement in stage.policy(role)["Document"]["Statement"]
        if statement["Effect"] == "Allow"
        for action in actions_of(statement)
    }
    cases = {deed.right for deed in DEEDS} | {*LOG_RIGHTS, *FAILURE_RIGHTS, *UNSEEN_RIGHTS}
    assert rights - cases == set(), "rights that no test needs"
    assert cases - rights == set(), "cases of rights that no role has"


def test_the_one_denial_keeps_an_instance_from_every_other_parameter(stage: Stage) -> None:
    name = f"/elsewhere/{uuid.uuid4().hex}"
    stage.root("ssm").put_parameter(Name=name, Value="secret", Type="String")
    sid = "ReadNoParameterButItsSettings"

    def read() -> object:
        return stage.client("InstanceRole", "ssm").get_parameter(Name=name)

    assert "with an explicit deny" in refusal(read)
    with stage.without("InstanceRole", (sid, "ssm:GetParameter")):
        assert refusal(read) == ""


def test_an_instance_reads_its_settings_by_the_policy_of_awss_that_its_agent_needs(
    stage: Stage,
) -> None:
    role = {"RoleName": stage.resource("InstanceRole"), "PolicyArn": MANAGED_INSTANCE}
    settings = stage.resource("WorkerSettings")

    def read() -> object:
        return stage.client("InstanceRole", "ssm").get_parameter(Name=settings)

    stage.root("iam").detach_role_policy(**role)
    try:
        assert "ssm:GetParameter" in refusal(read)
    finally:
        stage.root("iam").attach_role_policy(**role)
    assert refusal(read) == ""


@pytest.mark.parametrize("trespass", TRESPASSES, ids=lambda it: f"{it.role}: {it.what}")
def test_nothing_beyond_its_own_stack_and_task_is_open_to_a_role(
    trespass: Trespass, stage: Stage
) -> None:
    words = refusal(lambda: trespass.commit(stage))
    assert trespass.action.lower() in words.lower()


@pytest.mark.parametrize("value", ['1"; reboot; "', "$(reboot)", "`reboot`", "1; reboot", "-1", ""])
@pytest.mark.parametrize("document", ["readiness", "drain"])
def test_ssm_refuses_what_is_no_number_of_seconds(document: str, value: str, stage: Stage) -> None:
    with pytest.raises(ClientError, match="InvalidParameters"):
        stage.client("OnLifecycleActionRole", "ssm").send_command(
            DocumentName=f"{stage.name}-{document}",
            InstanceIds=[stage.ours],
            Parameters={"timeoutSeconds": [value]},
        )


def invoke(stage: Stage, role: str) -> None:
    record = {"messageId": "m", "receiptHandle": "r", "body": "none of its own"}
    record |= {"eventSource": "aws:sqs", "attributes": {}, "messageAttributes": {}}
    stage.root("lambda").invoke(
        FunctionName=stage.function_name(role), Payload=json.dumps({"Records": [record]})
    )


def log_length(stage: Stage, role: str) -> int:
    pages = stage.root("logs").get_paginator("filter_log_events")
    group = f"/aws/lambda/{stage.function_name(role)}"
    return sum(len(page["events"]) for page in pages.paginate(logGroupName=group))


def call_later(stage: Stage, role: str) -> str:
    """An asynchronous call that cannot succeed; returns what it can be known by."""
    mark = uuid.uuid4().hex
    stage.root("lambda").invoke(
        FunctionName=stage.function_name(role),
        InvocationType="Event",
        Payload=json.dumps({"mark": mark}),
    )
    return mark


def failed_events(stage: Stage) -> list[str]:
    queue_url = stage.resource("FailedEventsQueue")
    received = stage.root("sqs").receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return [message["Body"] for message in received.get("Messages", [])]
