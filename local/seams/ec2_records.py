"""EC2's records in ministack: an instance, its root and other volumes, its addresses, its tags."""

from __future__ import annotations

import base64
import ipaddress
import random
import time
from collections.abc import Mapping
from typing import Any

from local.context import CloudContext
from local.instances.fleet import Ec2Error, Reason
from local.instances.instance import InstanceSpec
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
ROOT_DEVICE = "/dev/xvda"
ROOT_SIZE_GIB = 8  # of the official Amazon Linux 2023 images
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
        image_id=data["ImageId"],
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
    _replace_volumes(record, data)
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
        _delete_volumes(record)


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


def _replace_volumes(record: dict[str, Any], data: Data) -> None:
    """Stock makes one unencrypted 8 GiB root volume whatever is asked for."""
    asked = {
        each["DeviceName"]: each.get("Ebs") or {} for each in data.get("BlockDeviceMappings") or []
    }
    _delete_volumes(record)
    mappings = [
        _new_volume(record, device, settings)
        for device, settings in {ROOT_DEVICE: {}, **asked}.items()
    ]
    record["BlockDeviceMappings"] = mappings


def _new_volume(record: Mapping[str, Any], device: str, settings: Data) -> dict[str, Any]:
    from ministack.services import ec2

    volume_id, now = ec2._new_volume_id(), record["LaunchTime"]
    deleted = is_true(settings.get("DeleteOnTermination", True))
    attachment = {"VolumeId": volume_id, "AttachTime": now, "DeleteOnTermination": deleted}
    ec2._volumes[volume_id] = {
        "VolumeId": volume_id,
        "Size": int(settings.get("VolumeSize", ROOT_SIZE_GIB)),
        "AvailabilityZone": record["Placement"]["AvailabilityZone"],
        "State": "in-use",
        "VolumeType": settings.get("VolumeType", "gp3"),
        "SnapshotId": settings.get("SnapshotId", ""),
        "Iops": int(settings.get("Iops", 3000)),
        "Throughput": int(settings.get("Throughput", 125)),
        "Encrypted": is_true(settings.get("Encrypted", False)),
        "CreateTime": now,
        "MultiAttachEnabled": False,
        "Attachments": [
            {
                **attachment,
                "InstanceId": record["InstanceId"],
                "Device": device,
                "State": "attached",
            }
        ],
    }
    return {"DeviceName": device, "Ebs": {**attachment, "Status": "attached"}}


def _delete_volumes(record: dict[str, Any]) -> None:
    """Volumes with DeleteOnTermination go with the instance; others are left, available."""
    from ministack.services import ec2

    for mapping in record["BlockDeviceMappings"]:
        volume_id = mapping["Ebs"]["VolumeId"]
        if mapping["Ebs"]["DeleteOnTermination"]:
            ec2._volumes.pop(volume_id, None)
        elif volume_id in ec2._volumes:
            ec2._volumes[volume_id].update(State="available", Attachments=[])
    record["BlockDeviceMappings"] = []


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


def is_true(value: object) -> bool:
    """Templates give booleans as text as well."""
    return str(value).lower() == "true"
