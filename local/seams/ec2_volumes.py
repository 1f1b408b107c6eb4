"""The volumes of an instance in ministack: made with it, deleted or left with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROOT_DEVICE = "/dev/xvda"
ROOT_SIZE_GIB = 8  # of the official Amazon Linux 2023 images


def replace_volumes(record: dict[str, Any], data: Mapping[str, Any]) -> None:
    """Stock makes one unencrypted 8 GiB root volume whatever is asked for."""
    asked = {
        each["DeviceName"]: each.get("Ebs") or {} for each in data.get("BlockDeviceMappings") or []
    }
    delete_volumes(record)
    mappings = [
        _new_volume(record, device, settings)
        for device, settings in {ROOT_DEVICE: {}, **asked}.items()
    ]
    record["BlockDeviceMappings"] = mappings


def _new_volume(
    record: Mapping[str, Any], device: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
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


def delete_volumes(record: dict[str, Any]) -> None:
    """Volumes with DeleteOnTermination go with the instance; others are left, available."""
    from ministack.services import ec2

    for mapping in record["BlockDeviceMappings"]:
        volume_id = mapping["Ebs"]["VolumeId"]
        if mapping["Ebs"]["DeleteOnTermination"]:
            ec2._volumes.pop(volume_id, None)
        elif volume_id in ec2._volumes:
            ec2._volumes[volume_id].update(State="available", Attachments=[])
    record["BlockDeviceMappings"] = []


def is_true(value: object) -> bool:
    """Templates give booleans as text as well."""
    return str(value).lower() == "true"
