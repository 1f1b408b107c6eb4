"""The Auto Scaling service's own state: its groups, and what it needs of the cloud around it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

from local.group.errors import AutoScalingError, GroupNotFoundError, InstanceNotFoundError
from local.group.group import Group
from local.group.instance import Instance
from local.group.ports import World
from local.group.settings import Hook, Placement
from local.services.autoscaling_policy import ScalingPolicy

KEPT_DELETED_GROUPS = 50
"""Whose activities DescribeScalingActivities still shows (AWS: six weeks)."""


class InvalidNextTokenError(AutoScalingError):
    """NextToken is not one that this service gave."""

    code = "InvalidNextToken"
    http_status = 400


@dataclass(slots=True)
class GroupRecord:
    """A group, and the properties that its behaviour does not depend on.

    `launch` is what instances are launched from: a LaunchTemplateSpecification with id, name and
    version, or a LaunchConfigurationName. During an instance refresh that names another one it is
    `desired_launch`. `refresh_requests` has what each refresh was asked, by its id.
    """

    name: str
    arn: str
    launch: dict[str, str]
    created_time: float
    subnet_ids: tuple[str, ...]
    properties: dict[str, Any]
    tags: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, ScalingPolicy] = field(default_factory=dict)
    desired_launch: dict[str, str] | None = None
    refresh_requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    enabled_metrics: tuple[str, ...] = ()
    _group: Group | None = None

    @property
    def launches_from(self) -> dict[str, str]:
        """What the next instance comes from."""
        return self.desired_launch or self.launch

    @property
    def group(self) -> Group:
        if self._group is None:
            raise RuntimeError(f"group {self.name} is used before it is made")
        return self._group

    @group.setter
    def group(self, group: Group) -> None:
        self._group = group


class Cloud(Protocol):
    """What the service asks of the rest of the cloud."""

    def now(self) -> float: ...

    def placements(self, subnet_ids: Sequence[str], zones: Sequence[str]) -> tuple[Placement, ...]:
        """Subnets to launch into, the zones' default ones when none is named.

        Raises ValidationError naming what does not exist.
        """
        ...

    def launch_source(self, request: Mapping[str, Any]) -> dict[str, str]:
        """What a request says to launch from, completed; raises ValidationError."""
        ...

    def template_version(self, launch: Mapping[str, str]) -> int:
        """Number of the launch template's version that a launch from there takes now.

        Raises ValidationError for a launch configuration, which has none.
        """
        ...

    def world(self, record: GroupRecord) -> World:
        """The ports of the group that the record describes."""
        ...

    def test_notification(self, record: GroupRecord, hook: Hook) -> None:
        """Send autoscaling:TEST_NOTIFICATION; raises ValidationError if it cannot be delivered."""

    def collect_metrics(self) -> None:
        """Some group's metrics are wanted from now on."""


class AutoScalingService:
    """All groups of one account and Region, by name."""

    def __init__(
        self, region: str, account_id: str, cloud: Cloud, lock: AbstractContextManager[Any]
    ) -> None:
        """Whoever reads or changes a group holds `lock`, once or several times over."""
        self.region = region
        self.account_id = account_id
        self.cloud = cloud
        self.lock = lock
        self._records: dict[str, GroupRecord] = {}
        self._deleted: deque[GroupRecord] = deque(maxlen=KEPT_DELETED_GROUPS)

    def group_arn(self, name: str) -> str:
        """A new ARN: it holds an id of its own, so that a later group of the name differs."""
        return (
            f"arn:aws:autoscaling:{self.region}:{self.account_id}:autoScalingGroup:{uuid4()}:"
            f"autoScalingGroupName/{name}"
        )

    def add(self, record: GroupRecord) -> None:
        self._records[record.name] = record

    def forget(self, name: str) -> None:
        """The group is gone; only its activities remain."""
        self._deleted.append(self._records.pop(name))

    def find(self, name: str) -> GroupRecord | None:
        return self._records.get(name)

    def record(self, name: str) -> GroupRecord:
        """By name, or by ARN where AWS takes one; raises GroupNotFoundError."""
        record = self._records.get(name.rsplit("autoScalingGroupName/", 1)[-1])
        if record is None:
            raise GroupNotFoundError(name)
        return record

    def group(self, name: str) -> Group:
        return self.record(name).group

    def records(self) -> list[GroupRecord]:
        return [self._records[name] for name in sorted(self._records)]

    def deleted(self) -> Iterable[GroupRecord]:
        return reversed(self._deleted)

    def record_of(self, instance_id: str) -> GroupRecord:
        """The group that the instance is a member of; raises InstanceNotFoundError."""
        for record in self._records.values():
            if record.group.members.get(instance_id) is not None:
                return record
        raise InstanceNotFoundError(instance_id)


def page(
    items: Sequence[Any], request: Mapping[str, Any], default: int, name: str
) -> dict[str, Any]:
    """One page of `items` under `name`, with NextToken when there is more."""
    token = request.get("NextToken", "0")
    if not token.isdigit():
        raise InvalidNextTokenError(f"The token '{token}' is invalid.")
    start, size = int(token), request.get("MaxRecords", default)
    output: dict[str, Any] = {name: list(items[start : start + size])}
    if start + size < len(items):
        output["NextToken"] = str(start + size)
    return output


def instance_fields(record: GroupRecord, instance: Instance) -> dict[str, Any]:
    """What every description of a member has in common."""
    launched = instance.launched
    fields = {
        "InstanceId": instance.instance_id,
        "InstanceType": launched.instance_type or None,
        "ImageId": launched.image_id or None,
        "AvailabilityZone": instance.placement.zone,
        "AvailabilityZoneId": instance.placement.zone_id,
        "LifecycleState": instance.state.value,
        "HealthStatus": "Healthy" if instance.healthy else "Unhealthy",
        "ProtectedFromScaleIn": instance.protected,
    }
    if "LaunchConfigurationName" in record.launch:
        return fields | record.launch
    template = record.launch | {"Version": str(launched.template_version)}
    return fields | {"LaunchTemplate": template}
