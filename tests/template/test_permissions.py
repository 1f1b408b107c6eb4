"""Least privilege: every statement names what it is for, and a resource wherever AWS knows one."""

import re
from typing import Any

import pytest
from template_reader import ROOT, as_list, if_own_key, of_type, role_statements

# AWS's service authorization reference lists no resource type for these.
KNOW_NO_RESOURCE = {
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeWarmPool",
    "cloudwatch:GetMetricData",
    "ec2:DescribeInstances",
    "ssm:GetCommandInvocation",
    "ssm:ListCommandInvocations",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
GROUP = "${AWS::StackName}-workers"


def all_statements(template: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    roles = of_type(template, "AWS::IAM::Role")
    return [(name, one) for name, role in roles.items() for one in role_statements(role)]


def test_every_statement_says_what_it_is_for(template: dict[str, Any]) -> None:
    for role in of_type(template, "AWS::IAM::Role").values():
        names = [statement["Sid"] for statement in role_statements(role)]
        assert len(set(names)) == len(names)


def test_no_action_is_a_wildcard(template: dict[str, Any]) -> None:
    for role, statement in all_statements(template):
        assert not [action for action in as_list(statement["Action"]) if "*" in action], role


def test_all_resources_are_allowed_only_where_an_action_knows_none(
    template: dict[str, Any],
) -> None:
    for role, statement in all_statements(template):
        if statement["Effect"] == "Allow" and "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) <= KNOW_NO_RESOURCE, role
        elif statement["Effect"] == "Allow":
            assert not set(as_list(statement["Action"])) & KNOW_NO_RESOURCE, role


def test_every_wildcard_resource_of_a_role_has_its_reason_beside_it() -> None:
    lines = (ROOT / "template.yaml").read_text("utf-8").splitlines()
    sids = [line for line in lines if re.match(r" {14}- Sid: ", line)]
    assert len(sids) > 30
    blocks = "\n".join(lines).split("\n              - Sid: ")[1:]
    wild = [block for block in blocks if re.search(r'^ {16}Resource: "\*"', block, re.MULTILINE)]
    assert wild
    assert [block.split("\n")[0] for block in wild if "#" not in block.split("\n")[0]] == []


def test_whatever_touches_all_instances_is_held_to_those_of_the_group(
    template: dict[str, Any],
) -> None:
    tag = {"ssm:SendCommand": "ssm:resourceTag", "ec2:CreateTags": "aws:ResourceTag"}
    found = set()
    for role, statement in all_statements(template):
        if "instance/*" in str(statement.get("Resource")):
            key = f"{tag[statement['Action']]}/aws:autoscaling:groupName"
            assert statement["Condition"]["StringEquals"][key] == {"Fn::Sub": GROUP}, role
            found.add(statement["Action"])
    assert found == set(tag)


def test_only_our_documents_may_be_sent(template: dict[str, Any]) -> None:
    for role, statement in all_statements(template):
        if statement["Action"] == "ssm:SendCommand" and "instance/*" not in str(statement):
            documents = [
                resource["Fn::Sub"].split("document/")[1] for resource in statement["Resource"]
            ]
            assert documents == ["${ReadinessDocument}", "${DrainDocument}"], role


def test_auto_scaling_is_changed_in_this_group_only(template: dict[str, Any]) -> None:
    for role, statement in all_statements(template):
        actions = {it for it in as_list(statement["Action"]) if it.startswith("autoscaling:")}
        if actions - KNOW_NO_RESOURCE:
            [resource] = as_list(statement["Resource"])
            assert resource["Fn::Sub"].endswith(f":autoScalingGroupName/{GROUP}"), role


def test_no_role_but_the_instances_has_a_policy_of_awss(template: dict[str, Any]) -> None:
    own_key = if_own_key({"Ref": "OwnKeyPolicy"})
    for name, role in of_type(template, "AWS::IAM::Role").items():
        others = [policy for policy in role["ManagedPolicyArns"] if policy != own_key]
        assert len(others) == (name == "InstanceRole"), name
        for policy in others:
            assert policy["Fn::Sub"].endswith(":policy/AmazonSSMManagedInstanceCore")


def test_an_instance_reads_no_parameter_but_its_own(template: dict[str, Any]) -> None:
    role = of_type(template, "AWS::IAM::Role")["InstanceRole"]
    by_name = {statement["Sid"]: statement for statement in role_statements(role)}
    denied = by_name["ReadNoParameterButItsSettings"]
    own = denied["NotResource"]
    assert denied["Effect"] == "Deny"
    name = of_type(template, "AWS::SSM::Parameter")["WorkerSettings"]["Name"]
    assert own["Fn::Sub"].endswith(f":parameter{name['Fn::Sub']}")


def test_no_instance_completes_its_own_hook(template: dict[str, Any]) -> None:
    """Before the hook waits, that would be refused, and nobody would come back to it."""
    role = of_type(template, "AWS::IAM::Role")["InstanceRole"]
    actions = [action for it in role_statements(role) for action in as_list(it["Action"])]
    assert "autoscaling:CompleteLifecycleAction" not in actions
    assert "autoscaling:SetInstanceProtection" in actions


@pytest.mark.parametrize("layer", ["PilotlightLayer", "JobsLayer"])
def test_an_instance_may_fetch_every_version_of_its_code(
    layer: str, template: dict[str, Any]
) -> None:
    role = of_type(template, "AWS::IAM::Role")["InstanceRole"]
    [fetch] = [it for it in role_statements(role) if it["Sid"] == "FetchItsCode"]
    name = of_type(template, "AWS::Serverless::LayerVersion")[layer]["LayerName"]["Fn::Sub"]
    assert any(it["Fn::Sub"].endswith(f":layer:{name}:*") for it in fetch["Resource"])
