"""What a worker may say to Auto Scaling about the instance it runs on."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pilotlight.errors import PilotlightError

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient

REFUSED_CODES = frozenset({"ValidationError"})


class RefusedError(PilotlightError):
    """Auto Scaling does not allow it in the instance's present lifecycle state.

    SetInstanceProtection is refused while an instance is pending, in the pool, or leaving.
    """


class AutoScalingOwnInstance:
    """Raises RefusedError as above, and botocore's errors when the call itself failed."""

    def __init__(self, client: "AutoScalingClient", group_name: str, instance_id: str) -> None:
        self._client = client
        self._group_name = group_name
        self._instance_id = instance_id

    def protect(self) -> None:
        self._set_protection(protected=True)

    def unprotect(self) -> None:
        self._set_protection(protected=False)

    def report_unhealthy(self) -> None:
        """Have the group replace this instance, whatever its grace period."""
        self._client.set_instance_health(
            InstanceId=self._instance_id,
            HealthStatus="Unhealthy",
            ShouldRespectGracePeriod=False,
        )

    def _set_protection(self, *, protected: bool) -> None:
        try:
            self._client.set_instance_protection(
                AutoScalingGroupName=self._group_name,
                InstanceIds=[self._instance_id],
                ProtectedFromScaleIn=protected,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in REFUSED_CODES:
                raise RefusedError(error.response["Error"]["Message"]) from error
            raise
