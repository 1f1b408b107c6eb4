"""EC2: the proof that an instance carries, and whether it runs."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from pilotlight.aws.calls import named_errors

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

_IDS_PER_CALL = 200  # values of one filter (EC2 user guide, Using_Filtering)


class InstanceTags:
    """Implements fleet's ProofTags."""

    def __init__(self, client: "EC2Client") -> None:
        self._client = client

    def write(self, instance_id: str, tags: Mapping[str, str]) -> None:
        with named_errors():
            self._client.create_tags(
                Resources=[instance_id],
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )


class RunningInstances:
    """Implements fleet's Machines. The client is made when it is needed, which takes a while."""

    def __init__(self, make_client: "Callable[[], EC2Client]") -> None:
        self._make_client = make_client

    @cached_property
    def _client(self) -> "EC2Client":
        return self._make_client()

    def running_since(self, instance_ids: Iterable[str]) -> Mapping[str, datetime]:
        """By filter: an id that EC2 does not know any more is no error then."""
        wanted = list(instance_ids)
        return {
            instance_id: started_at
            for start in range(0, len(wanted), _IDS_PER_CALL)
            for instance_id, started_at in self._read(wanted[start : start + _IDS_PER_CALL])
        }

    def _read(self, instance_ids: list[str]) -> list[tuple[str, datetime]]:
        filters: list[FilterTypeDef] = [
            {"Name": "instance-id", "Values": instance_ids},
            {"Name": "instance-state-name", "Values": ["pending", "running"]},
        ]
        pages = self._client.get_paginator("describe_instances")
        with named_errors():
            return [
                # Renewed at each start (EC2 API reference, Instance: "was last launched").
                (instance["InstanceId"], instance["LaunchTime"])
                for page in pages.paginate(Filters=filters)
                for reservation in page["Reservations"]
                for instance in reservation["Instances"]
            ]
