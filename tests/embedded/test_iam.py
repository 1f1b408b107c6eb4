"""IAM is enforced: a scoped statement lets its own resource pass and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import EmbeddedCloud

ACCOUNT = "arn:aws:{}:us-east-1:000000000000:{}"
DENIALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}


@dataclass(frozen=True)
class Call:
    """A call, the resource that it needs, and another one of the same kind."""

    action: str
    arguments: dict[str, Any]
    needs: str | list[str]
    other: str = ""
    condition: dict[str, Any] = field(default_factory=dict)

    @property
    def service(self) -> str:
        return self.action.split(":")[0]

    def make(self, client: Any) -> None:
        operation = "".join(
            f"_{c.lower()}" if c.isupper() else c for c in self.action.split(":")[1]
        ).lstrip("_")
        getattr(client, operation)(**self.arguments)


GROUP = ACCOUNT.format("autoscaling", "autoScalingGroup:*:autoScalingGroupName/{}")
INSTANCE = "i-0123456789abcdef0"
QUEUE_URL = "http://127.0.0.1/000000000000/{}"
CALLS = [
    Call(
        "ssm:SendCommand",
        {"InstanceIds": [INSTANCE], "DocumentName": "AWS-RunShellScript"},
        [
            "arn:aws:ssm:us-east-1::document/AWS-RunShellScript",
            ACCOUNT.format("ec2", f"instance/{INSTANCE}"),
        ],
        ACCOUNT.format("ec2", f"instance/{INSTANCE}"),
    ),
    Call(
        "ssm:SendCommand",
        {"InstanceIds": [INSTANCE, "i-0123456789abcdef1"], "DocumentName": "mine"},
        [ACCOUNT.format("ssm", "document/mine"), ACCOUNT.format("ec2", "instance/*")],
        ACCOUNT.format("ec2", f"instance/{INSTANCE}"),
    ),
    Call("ssm:GetCommandInvocation", {"CommandId": "c" * 36, "InstanceId": INSTANCE}, "*"),
    Call("ssm:ListCommandInvocations", {}, "*"),
    Call("ssm:GetParameter", {"Name": "/a/b"}, ACCOUNT.format("ssm", "parameter/a/b")),
    Call("ssm:GetDocument", {"Name": "mine"}, ACCOUNT.format("ssm", "document/mine")),
    Call(
        "autoscaling:SetDesiredCapacity",
        {"AutoScalingGroupName": "mine", "DesiredCapacity": 1},
        GROUP.format("mine"),
        GROUP.format("yours"),
    ),
    Call(
        "autoscaling:CompleteLifecycleAction",
        {
            "AutoScalingGroupName": "mine",
            "LifecycleHookName": "ready",
            "LifecycleActionResult": "CONTINUE",
            "InstanceId": INSTANCE,
        },
        GROUP.format("mine"),
        GROUP.format("yours"),
    ),
    Call(
        "autoscaling:StartInstanceRefresh",
        {"AutoScalingGroupName": "mine"},
        GROUP.format("mine"),
        GROUP.format("yours"),
    ),
    Call(
        "autoscaling:DescribeInstanceRefreshes",
        {"AutoScalingGroupName": "mine"},
        "*",
        GROUP.format("mine"),
    ),
    Call("autoscaling:DescribeAutoScalingGroups", {}, "*", GROUP.format("mine")),
    Call(
        "autoscaling:DescribeWarmPool", {"AutoScalingGroupName": "mine"}, "*", GROUP.format("mine")
    ),
    Call(
        "lambda:GetLayerVersion",
        {"LayerName": "code", "VersionNumber": 3},
        ACCOUNT.format("lambda", "layer:code:*"),
        ACCOUNT.format("lambda", "layer:other:*"),
    ),
    Call(
        "sqs:SendMessage",
        {"QueueUrl": QUEUE_URL.format("mine"), "MessageBody": "x"},
        ACCOUNT.format("sqs", "mine"),
        ACCOUNT.format("sqs", "yours"),
    ),
    Call(
        "dynamodb:GetItem",
        {"TableName": "mine", "Key": {"job_id": {"S": "x"}}},
        ACCOUNT.format("dynamodb", "table/mine"),
        ACCOUNT.format("dynamodb", "table/yours"),
    ),
    Call(
        "sns:Publish",
        {"TopicArn": ACCOUNT.format("sns", "mine"), "Message": "x"},
        ACCOUNT.format("sns", "mine"),
        ACCOUNT.format("sns", "yours"),
    ),
    Call(
        "logs:PutLogEvents",
        {
            "logGroupName": "/mine",
            "logStreamName": "s",
            "logEvents": [{"timestamp": 1, "message": "x"}],
        },
        ACCOUNT.format("logs", "log-group:/mine:*"),
        ACCOUNT.format("logs", "log-group:/yours:*"),
    ),
    Call(
        "logs:CreateLogStream",
        {"logGroupName": "/mine", "logStreamName": "s"},
        ACCOUNT.format("logs", "log-group:/mine:*"),
        ACCOUNT.format("logs", "log-group:/yours:*"),
    ),
    Call("ec2:DescribeInstances", {}, "*", ACCOUNT.format("ec2", "instance/*")),
    Call(
        "ec2:CreateTags",
        {"Resources": [INSTANCE], "Tags": [{"Key": "a", "Value": "b"}]},
        ACCOUNT.format("ec2", "instance/*"),
        ACCOUNT.format("ec2", "volume/*"),
    ),
]


@pytest.fixture
def as_role(cloud: EmbeddedCloud, unique: Callable[[str], str]) -> Callable[..., dict[str, str]]:
    """`as_role(statement, ...)`: credentials of a new role which may do that and no more."""

    def assume(*statements: dict[str, Any]) -> dict[str, str]:
        name = unique("role")
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        iam = cloud.client("iam")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        if statements:
            policy = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        answer = cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")
        return dict(answer["Credentials"])

    return assume


def allow(action: str, resource: str | list[str], condition: Any = None) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def denial_of(call: Call, cloud: EmbeddedCloud, credentials: dict[str, str]) -> str:
    """The words of the denial, empty when the call was let through to the service."""
    try:
        call.make(cloud.client(call.service, credentials))
    except ClientError as error:
        if error.response["Error"]["Code"] in DENIALS:
            return error.response["Error"]["Message"]
    return ""


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.action)
def test_a_statement_for_the_right_resource_allows(
    call: Call, cloud: EmbeddedCloud, as_role: Callable[..., dict[str, str]]
) -> None:
    assert denial_of(call, cloud, as_role(allow(call.action, call.needs))) == ""


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.action)
def test_a_statement_for_another_resource_denies_in_the_words_of_aws(
    call: Call, cloud: EmbeddedCloud, as_role: Callable[..., dict[str, str]]
) -> None:
    other = call.other or ACCOUNT.format(call.service, "another/thing")
    words = denial_of(call, cloud, as_role(allow(call.action, other))).lower()
    assert f"is not authorized to perform: {call.action}".lower() in words
    assert "because no identity-based policy allows the" in words


def test_a_batch_is_allowed_by_what_allows_its_entries(
    cloud: EmbeddedCloud, as_role: Callable[..., dict[str, str]]
) -> None:
    credentials = as_role(allow("sqs:DeleteMessage", ACCOUNT.format("sqs", "mine")))
    entries = [{"Id": "0", "ReceiptHandle": "r"}]
    mine, yours = (
        Call("sqs:DeleteMessageBatch", {"QueueUrl": QUEUE_URL.format(name), "Entries": entries}, "")
        for name in ("mine", "yours")
    )
    assert denial_of(mine, cloud, credentials) == ""
    assert "sqs:deletemessage on resource" in denial_of(yours, cloud, credentials)


def test_a_tag_condition_is_tried_on_every_instance(
    cloud: EmbeddedCloud, as_role: Callable[..., dict[str, str]], unique: Callable[[str], str]
) -> None:
    stack = unique("stack")
    ours, theirs = f"i-{unique('a')[-8:]}000000000", f"i-{unique('b')[-8:]}000000000"
    ec2 = cloud.client("ec2")
    ec2.create_tags(Resources=[ours], Tags=[{"Key": "pilotlight:stack", "Value": stack}])
    credentials = as_role(
        allow("ssm:SendCommand", "arn:aws:ssm:*:*:document/*"),
        allow(
            "ssm:SendCommand",
            "arn:aws:ec2:*:*:instance/*",
            {"StringEquals": {"ssm:resourceTag/pilotlight:stack": stack}},
        ),
    )
    document = {"DocumentName": "AWS-RunShellScript"}
    both = Call("ssm:SendCommand", {"InstanceIds": [ours, theirs], **document}, "")
    one = Call("ssm:SendCommand", {"InstanceIds": [ours], **document}, "")
    assert theirs in denial_of(both, cloud, credentials)
    assert denial_of(one, cloud, credentials) == ""


def test_metric_data_may_be_limited_to_a_namespace(
    cloud: EmbeddedCloud, as_role: Callable[..., dict[str, str]]
) -> None:
    credentials = as_role(
        allow(
            "cloudwatch:PutMetricData",
            "*",
            {"StringEquals": {"cloudwatch:namespace": "Pilotlight"}},
        )
    )
    datum = {"MetricData": [{"MetricName": "m", "Value": 1.0}]}
    ours = Call("cloudwatch:PutMetricData", {"Namespace": "Pilotlight", **datum}, "")
    theirs = Call("cloudwatch:PutMetricData", {"Namespace": "Other", **datum}, "")
    assert denial_of(ours, cloud, credentials) == ""
    assert "cloudwatch:PutMetricData" in denial_of(theirs, cloud, credentials)


def test_a_request_with_a_wrong_signature_is_refused(
    cloud: EmbeddedCloud, as_role: Callable[..., dict[str, str]]
) -> None:
    wrong = {**as_role(), "SecretAccessKey": "guessed"}
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        cloud.client("sts", wrong).get_caller_identity()


def test_queues_that_ask_for_tls_can_be_used(
    cloud: EmbeddedCloud, unique: Callable[[str], str]
) -> None:
    over_tls_only = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
    sqs = cloud.client("sqs")
    attributes = {"Policy": json.dumps(over_tls_only)}
    url = sqs.create_queue(QueueName=unique("queue"), Attributes=attributes)["QueueUrl"]
    assert sqs.send_message(QueueUrl=url, MessageBody="x")["MessageId"]


@pytest.mark.parametrize(
    ("policy", "action"),
    [
        ("service-role/AWSLambdaBasicExecutionRole", "logs:PutLogEvents"),
        ("AmazonSSMManagedInstanceCore", "ssmmessages:OpenDataChannel"),
    ],
)
def test_the_managed_policies_have_their_real_content(
    policy: str, action: str, cloud: EmbeddedCloud
) -> None:
    iam = cloud.client("iam")
    arn = f"arn:aws:iam::aws:policy/{policy}"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert action in json.dumps(document)
