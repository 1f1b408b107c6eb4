"""EC2's records in ministack: an instance, its root and other volumes, its addresses, its tags."""

from __future__ import annotations

import base64
import ipaddress
import random
import re
import time
from collections.abc import Mapping
from typing import Any

from local.context import CloudContext
from local.instances.fleet import Ec2Error, Reason
from local.instances.instance import InstanceSpec
from local.seams.ec2_volumes import delete_volumes, is_true, replace_volumes
from local.seams.eventbridge import emit
from local.seams.permissions import in_account

STATE_CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}
_IMAGE_ID = re.compile(r"ami-([0-9a-f]{8}|[0-9a-f]{17})")
RESERVED_ADDRESSES = 4  # EC2 keeps the first four of a subnet, and the last (VPC user guide)

Data = Mapping[str, Any]
"""LaunchTemplateData, or what RunInstances was given, in the same shape."""


class Ec2Records:
    """What DescribeInstances answers."""

    def __init__(self, context: CloudContext) -> None:
        self._context = context

    def write(self, instance_id: str, state: str, reason: Reason) -> None:
        """Enter a state; a stopped instance has no public address, a terminated one no volumes."""
        in_account(self._context, _write, instance_id, state, reason)

    def tell(self, instance_id: str, state: str) -> None:
        """EC2 user guide, "EC2 Instance State-change Notification"."""
        place = f"{self._context.region}:{self._context.account_id}"
        emit(
            "aws.ec2",
            "EC2 Instance State-change Notification",
            {"instance-id": instance_id, "state": state},
            [f"arn:aws:ec2:{place}:instance/{instance_id}"],
        )


def new_record(data: Data, subnet_id: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """A ministack record for what `data` describes; its state is written by whoever launches it.

    Raises Ec2Error for a subnet, security group or instance profile that does not exist.
    """
    from ministack.services import ec2

    subnet = _subnet(subnet_id)
    profile = instance_profile(data.get("IamInstanceProfile") or {})
    record: dict[str, Any]
    [record] = ec2._launch_instances_internal(
        image_id=_image_id(data["ImageId"]),
        instance_type=data.get("InstanceType") or "m1.small",  # RunInstances' own default
        subnet_id=subnet["SubnetId"],
        count=1,
        key_name=data.get("KeyName") or "",
        user_data=data.get("UserData") or "",
        sg_ids=_security_groups(data),
        requested_private_ip=_free_address(subnet),
        iam_profile=profile and {"Arn": profile["Arn"], "Id": profile["InstanceProfileId"]},
    )
    record["Placement"]["AvailabilityZone"] = subnet["AvailabilityZone"]
    record["MetadataOptions"] = dict(data.get("MetadataOptions") or {})
    record["InstanceInitiatedShutdownBehavior"] = data.get(
        "InstanceInitiatedShutdownBehavior", "stop"
    )
    record["_public"] = _wants_public_address(data, subnet)
    record["PublicIpAddress"] = record["PublicDnsName"] = ""
    replace_volumes(record, data)
    _tag(record, data, tags)
    return record


def spec_of(context: CloudContext, record: Mapping[str, Any]) -> InstanceSpec:
    """The machine that a record describes."""
    from ministack.services import ec2

    profile = record.get("IamInstanceProfile") or {}
    roles = (instance_profile(profile) or {}).get("Roles") or []
    options = record["MetadataOptions"]
    return InstanceSpec(
        instance_id=record["InstanceId"],
        image_id=record["ImageId"],
        instance_type=record["InstanceType"],
        zone=record["Placement"]["AvailabilityZone"],
        region=context.region,
        private_ip=record["PrivateIpAddress"],
        user_data=base64.b64decode(record["UserData"]),
        role_arn=f"arn:aws:iam::{context.account_id}:role/{roles[0]}" if roles else None,
        tags={tag["Key"]: tag["Value"] for tag in ec2._tags.get(record["InstanceId"], [])},
        account_id=context.account_id,
        instance_profile_arn=profile.get("Arn"),
        # Amazon Linux 2023 images say ImdsSupport v2.0: tokens are required unless asked otherwise.
        token_required=options.get("HttpTokens", "required") == "required",
        tags_in_metadata=options.get("InstanceMetadataTags") == "enabled",
    )


def instance_profile(wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """The IAM record by Arn or Name; None when neither is given. Raises Ec2Error."""
    from ministack.services import iam

    arn, name = wanted.get("Arn") or "", wanted.get("Name") or ""
    if not arn and not name:
        return None
    found: dict[str, Any] | None = iam._lookup_instance_profile(name=name, arn=arn)
    if found is None:
        member = "arn" if arn else "name"
        raise Ec2Error(
            "InvalidParameterValue",
            f"Value ({arn or name}) for parameter iamInstanceProfile.{member} is invalid. "
            f"Invalid IAM Instance Profile {member if member == 'name' else 'ARN'}",
        )
    return found


def _write(instance_id: str, state: str, reason: Reason) -> None:
    from ministack.services import ec2

    record = ec2._instances[instance_id]
    record["State"] = {"Code": STATE_CODES[state], "Name": state}
    record["StateReason"] = {"Code": reason.code, "Message": reason.message} if reason.code else {}
    moment = time.strftime("%Y-%m-%d %H:%M:%S GMT", time.gmtime())
    record["StateTransitionReason"] = f"User initiated ({moment})" if reason.code else ""
    if state == "pending":
        record["LaunchTime"] = ec2._now_ts()
    if state == "running" and record["_public"] and not record["PublicIpAddress"]:
        address = ec2._random_ip("54.")
        record["PublicIpAddress"] = address
        record["PublicDnsName"] = f"ec2-{address.replace('.', '-')}.compute-1.amazonaws.com"
    if state in ("stopping", "shutting-down"):
        record["PublicIpAddress"] = record["PublicDnsName"] = ""
    if state == "terminated":
        record["_terminated_at"] = time.time()
        delete_volumes(record)


def _image_id(wanted: str) -> str:
    """`resolve:ssm:NAME` is looked up at launch (EC2 user guide, create-launch-template).

    Any well-formed id will do: people's templates name images which are not here, and whatever
    they name, the machine is this computer.
    """
    from ministack.services import ssm

    image_id = wanted
    if wanted.startswith("resolve:ssm:"):
        image_id = str(ssm.resolve_parameter_value(wanted.removeprefix("resolve:ssm:")))
    if not _IMAGE_ID.fullmatch(image_id):
        raise Ec2Error("InvalidAMIID.Malformed", f'Invalid id: "{wanted}" (expecting "ami-...")')
    return image_id


def _subnet(subnet_id: str) -> dict[str, Any]:
    from ministack.services import ec2

    subnet: dict[str, Any] | None = ec2._subnets.get(subnet_id)
    if subnet is None:
        raise Ec2Error("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")
    return subnet


def _security_groups(data: Data) -> list[str]:
    from ministack.services import ec2

    interfaces = data.get("NetworkInterfaces") or [{}]
    wanted = list(data.get("SecurityGroupIds") or interfaces[0].get("Groups") or [])
    for group_id in wanted:
        if group_id not in ec2._security_groups:
            raise Ec2Error(
                "InvalidGroup.NotFound", f"The security group '{group_id}' does not exist"
            )
    return wanted


def _free_address(subnet: Mapping[str, Any]) -> str:
    from ministack.services import ec2

    network = ipaddress.ip_network(subnet["CidrBlock"])
    taken = {
        record["PrivateIpAddress"]
        for record in ec2._instances.values()
        if record["State"]["Name"] != "terminated"
    }
    numbers = range(RESERVED_ADDRESSES, network.num_addresses - 1)
    if len(taken) >= len(numbers):
        raise Ec2Error(
            "InsufficientFreeAddressesInSubnet",
            f"Not enough free addresses in subnet '{subnet['SubnetId']}'",
        )
    while (address := str(network[random.choice(numbers)])) in taken:  # noqa: S311
        pass
    return address


def _wants_public_address(data: Data, subnet: Mapping[str, Any]) -> bool:
    interfaces = data.get("NetworkInterfaces") or [{}]
    asked = interfaces[0].get("AssociatePublicIpAddress")
    return is_true(subnet.get("MapPublicIpOnLaunch") if asked is None else asked)


def _tag(record: Mapping[str, Any], data: Data, tags: Mapping[str, str]) -> None:
    from ministack.services import ec2

    resources = {
        "instance": [record["InstanceId"]],
        "volume": [each["Ebs"]["VolumeId"] for each in record["BlockDeviceMappings"]],
    }
    for kind, resource_ids in resources.items():
        merged = {
            tag["Key"]: str(tag.get("Value", ""))
            for specification in data.get("TagSpecifications") or []
            if specification["ResourceType"] == kind
            for tag in specification.get("Tags") or []
        }
        if kind == "instance":
            merged |= tags
        for resource_id in resource_ids if merged else []:
            ec2._tags[resource_id] = [{"Key": key, "Value": merged[key]} for key in merged]
