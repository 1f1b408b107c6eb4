"""EC2: the proof that an instance carries."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pilotlight.aws.calls import named_errors

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


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
