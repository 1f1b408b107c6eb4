"""The group and its instances: closed, encrypted, hooked before they launch."""

import json
from dataclasses import fields
from typing import Any

import pytest
from template_reader import named_resources, of_type, substitute

from faults.deployment import UPDATE_POLICY
from pilotlight.worker.settings import WorkerSettings, parse_settings


def group(template: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = template["Resources"]["WorkerGroup"]["Properties"]
    return properties


def launch_data(template: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = of_type(template, "AWS::EC2::LaunchTemplate")["LaunchTemplate"][
        "LaunchTemplateData"
    ]
    return data


def created_before(template: dict[str, Any], logical_id: str) -> set[str]:
    """Everything that CloudFormation makes before it and deletes after it."""
    resources = template["Resources"]
    # SAM names what it makes of a function's event after both.
    owners = {
        f"{name}{event}{suffix}": name
        for name, resource in resources.items()
        for event in resource.get("Properties", {}).get("Events", {})
        for suffix in ("", "Permission")
    }
    found: set[str] = set()
    waiting = [logical_id]
    while waiting:
        resource = resources[waiting.pop()]
        needs = named_resources(resource) | set(resource.get("DependsOn", []))
        # What SAM takes from Globals and from Metadata is not written at the function.
        if resource["Type"] == "AWS::Serverless::Function":
            needs |= named_resources(template["Globals"]["Function"])
        for need in {owners.get(need, need) for need in needs} & set(resources) - found:
            found.add(need)
            waiting.append(need)
    return found


def test_nothing_comes_in(template: dict[str, Any]) -> None:
    for security_group in of_type(template, "AWS::EC2::SecurityGroup").values():
        assert "SecurityGroupIngress" not in security_group
    assert not of_type(template, "AWS::EC2::SecurityGroupIngress")
    assert "KeyName" not in launch_data(template)


def test_an_instance_has_no_public_address_unless_asked_for(
    template: dict[str, Any], parameter_defaults: dict[str, str]
) -> None:
    [interface] = launch_data(template)["NetworkInterfaces"]
    assert interface["AssociatePublicIpAddress"] == {"Ref": "PublicIp"}
    assert parameter_defaults["PublicIp"] == "false"


def test_disks_are_encrypted_and_go_with_their_instance(template: dict[str, Any]) -> None:
    [mapping] = launch_data(template)["BlockDeviceMappings"]
    assert mapping["Ebs"]["Encrypted"] is True
    assert mapping["Ebs"]["DeleteOnTermination"] is True
    assert mapping["Ebs"]["VolumeType"] == "gp3"


def test_metadata_needs_a_token_and_stays_on_the_instance(template: dict[str, Any]) -> None:
    options = launch_data(template)["MetadataOptions"]
    assert options == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}


def test_the_first_instances_meet_their_hooks(template: dict[str, Any]) -> None:
    hooks = {
        hook["LifecycleHookName"]: hook
        for hook in group(template)["LifecycleHookSpecificationList"]
    }
    assert {name: hook["DefaultResult"] for name, hook in hooks.items()} == {
        "ready": "ABANDON",
        "drain": "CONTINUE",
    }
    assert not of_type(template, "AWS::AutoScaling::LifecycleHook")  # made after the group


def test_a_hook_outlasts_its_command(template: dict[str, Any]) -> None:
    hooks = {
        hook["LifecycleHookName"]: hook
        for hook in group(template)["LifecycleHookSpecificationList"]
    }
    for hook, limit in (("ready", "SetupTimeoutSeconds"), ("drain", "DrainSeconds")):
        longest = template["Parameters"][limit]["MaxValue"]
        assert hooks[hook]["HeartbeatTimeout"] >= longest + 600, hook


def test_whatever_answers_the_hooks_is_made_before_the_group_and_deleted_after_it(
    template: dict[str, Any],
) -> None:
    needed = created_before(template, "WorkerGroup")
    for rule in ("LifecycleActionRule", "CommandResultRule"):
        assert rule in needed
    for function in ("OnLifecycleAction", "OnCommandResult", "Reconcile"):
        assert {function, f"{function}Role", f"{function}LogGroup"} <= needed
    for queue in ("LifecycleQueue", "CommandResultQueue"):
        assert {queue, f"{queue}Policy"} <= needed
    assert {"ReadinessDocument", "DrainDocument", "WorkerSettings", "InstanceRole"} <= needed
    assert "WorkerGroup" not in needed


def test_event_sources_are_named_as_sam_names_them(template: dict[str, Any]) -> None:
    made_by_sam = {"OnLifecycleActionActions", "OnCommandResultResults", "ReconcileEachMinute"}
    assert made_by_sam <= set(template["Resources"]["WorkerGroup"]["DependsOn"])


def test_the_warm_pool_comes_last_of_all(template: dict[str, Any]) -> None:
    pool = of_type(template, "AWS::AutoScaling::WarmPool")["WarmPool"]
    assert pool["PoolState"] == "Stopped"
    assert "WorkerGroup" in created_before(template, "WarmPool")
    assert not any("WarmPool" in created_before(template, name) for name in template["Resources"])


def test_an_update_leaves_capacity_to_the_scaler(template: dict[str, Any]) -> None:
    assert "DesiredCapacity" not in group(template)


def test_new_instances_are_protected_from_scale_in(template: dict[str, Any]) -> None:
    assert group(template)["NewInstancesProtectedFromScaleIn"] is True


def test_a_changed_launch_template_reaches_the_pool_too(template: dict[str, Any]) -> None:
    # A rolling update would leave the pool on the old one.
    policy = template["Resources"]["WorkerGroup"]["UpdatePolicy"]
    assert list(policy) == ["AutoScalingInstanceRefresh"]
    assert (
        policy["AutoScalingInstanceRefresh"]["Preferences"]["ScaleInProtectedInstances"] == "Wait"
    )


def test_a_fault_run_has_the_update_policy_of_the_template(template: dict[str, Any]) -> None:
    policy = template["Resources"]["WorkerGroup"]["UpdatePolicy"]
    assert policy["AutoScalingInstanceRefresh"] == UPDATE_POLICY


def worker_settings(template: dict[str, Any], parameters: dict[str, str]) -> str:
    text, own = of_type(template, "AWS::SSM::Parameter")["WorkerSettings"]["Value"]["Fn::Sub"]
    stack = {"AWS::StackName": "pilotlight", "AWS::Region": "eu-central-1", "JobsTable": "jobs"}
    stack |= {"WorkersLogGroup": "/pilotlight/pilotlight/workers", "JobsBucket": "bucket"}
    stack |= {"HeartbeatsTable": "heartbeats"}
    return substitute(text, {**parameters, **stack, **{name: f"the {name}" for name in own}})


def test_the_worker_understands_its_settings(
    template: dict[str, Any], parameter_defaults: dict[str, str]
) -> None:
    text = worker_settings(template, parameter_defaults)
    assert set(json.loads(text)) == {spec.name for spec in fields(WorkerSettings)}
    assert parse_settings(text).group_name == "pilotlight-workers"


@pytest.mark.parametrize("bound", ["MinValue", "MaxValue"])
def test_a_parameter_cannot_be_set_to_what_the_worker_refuses(
    bound: str, template: dict[str, Any], parameter_defaults: dict[str, str]
) -> None:
    numbers = {
        name: str(parameter[bound])
        for name, parameter in template["Parameters"].items()
        if bound in parameter
    }
    parse_settings(worker_settings(template, {**parameter_defaults, **numbers}))


def test_the_rules_match_the_group_by_its_name(template: dict[str, Any]) -> None:
    rule = of_type(template, "AWS::Events::Rule")["LifecycleActionRule"]
    assert rule["EventPattern"]["detail"]["AutoScalingGroupName"] == [
        group(template)["AutoScalingGroupName"]
    ]
