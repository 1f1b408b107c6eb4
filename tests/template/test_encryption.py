"""What keeps data is encrypted, with one key of the user's where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from template_reader import if_own_key, named_resources, of_type, statements

OWN_KEY = if_own_key({"Ref": "KmsKeyArn"})
# Where each kind of resource says which key encrypts it.
KEY_PROPERTIES = {
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::DynamoDB::Table": "SSESpecification.KMSMasterKeyId",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::SNS::Topic": "KmsMasterKeyId",
}
# Those which use the key in the name of their caller; logs and volumes do it in their own.
SERVICES = {"sqs", "dynamodb", "s3", "sns"}


def keys_named(template: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Logical id and key of everything in KEY_PROPERTIES."""
    for kind, path in KEY_PROPERTIES.items():
        for name, properties in of_type(template, kind).items():
            value: Any = properties
            for step in path.split("."):
                value = value.get(step, {})
            yield name, value


def test_queues_table_logs_and_alerts_take_the_own_key(template: dict[str, Any]) -> None:
    named = dict(keys_named(template))
    assert {"JobsQueue", "JobsTable", "AlertTopic", "ReconcileLogGroup"} <= set(named)
    assert {name: key for name, key in named.items() if key != OWN_KEY} == {}


def test_volumes_take_the_own_key(template: dict[str, Any]) -> None:
    data = of_type(template, "AWS::EC2::LaunchTemplate")["LaunchTemplate"]["LaunchTemplateData"]
    for mapping in data["BlockDeviceMappings"]:
        assert mapping["Ebs"]["Encrypted"] is True
        assert mapping["Ebs"]["KmsKeyId"] == OWN_KEY


def test_topics_refuse_calls_without_tls(template: dict[str, Any]) -> None:
    refusing: set[str] = set()
    for policy in of_type(template, "AWS::SNS::TopicPolicy").values():
        for statement in statements(policy["PolicyDocument"]):
            secure = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
            if (statement["Effect"], statement["Principal"], secure) == ("Deny", "*", "false"):
                refusing |= named_resources(policy["Topics"])
    assert {"AlertTopic"} == set(of_type(template, "AWS::SNS::Topic")) <= refusing


def test_every_role_may_use_the_own_key_through_services_alone(template: dict[str, Any]) -> None:
    for name, role in of_type(template, "AWS::IAM::Role").items():
        assert if_own_key({"Ref": "OwnKeyPolicy"}) in role["ManagedPolicyArns"], name
    policy = of_type(template, "AWS::IAM::ManagedPolicy")["OwnKeyPolicy"]
    [statement] = statements(policy["PolicyDocument"])
    assert statement["Resource"] == {"Ref": "KmsKeyArn"}
    via = statement["Condition"]["StringEquals"]["kms:ViaService"]
    assert {service["Fn::Sub"].partition(".")[0] for service in via} == SERVICES


def test_no_parameter_or_environment_holds_a_secret(template: dict[str, Any]) -> None:
    """What is in them anyone who may describe the stack or a function can read."""
    names = set(template["Parameters"])
    names |= set(template["Globals"]["Function"]["Environment"]["Variables"])
    for function in of_type(template, "AWS::Serverless::Function").values():
        names |= set(function["Environment"]["Variables"])
    suspicious = ("password", "secret", "token", "credential", "private")
    assert [name for name in names if any(word in name.lower() for word in suspicious)] == []
