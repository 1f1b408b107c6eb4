"""What the group refuses, with AWS's code, HTTP status and words."""

from __future__ import annotations


class AutoScalingError(Exception):
    """A request that the service answers with an error; `code` and `http_status` are AWS's."""

    code = "InternalFailure"
    http_status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ValidationError(AutoScalingError):
    """The request does not fit the group as it is."""

    code = "ValidationError"
    http_status = 400


class NoActiveLifecycleActionError(ValidationError):
    """Completed already, timed out, or not begun yet: AWS tells no difference."""

    def __init__(self, token: str | None, instance_id: str | None) -> None:
        subject = f"token {token}" if token else f"instance ID {instance_id}"
        super().__init__(f"No active Lifecycle Action found with {subject}")


class GroupNotFoundError(ValidationError):
    """No group of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")


class InstanceNotFoundError(ValidationError):
    """No member of any group has this id."""

    def __init__(self, instance_id: str) -> None:
        super().__init__(
            f"Instance Id not found - No managed instance found for instance ID {instance_id}"
        )


class WarmMemberError(ValidationError):
    """The call is for members of the group, and the instance is in its warm pool."""

    def __init__(self, operation: str, instance_id: str, state: str) -> None:
        super().__init__(
            f"{operation} is not supported for instances in a warm pool: "
            f"{instance_id} is in state {state}."
        )


class AlreadyExistsError(AutoScalingError):
    """A group of this name is there already."""

    code = "AlreadyExists"
    http_status = 400


class ResourceInUseError(AutoScalingError):
    """The group or pool still has instances and ForceDelete was not given."""

    code = "ResourceInUse"
    http_status = 400


class ScalingActivityInProgressError(AutoScalingError):
    """An activity or its cooldown is under way, and the caller asked to honour it."""

    code = "ScalingActivityInProgress"
    http_status = 400


class InstanceRefreshInProgressError(AutoScalingError):
    """An instance refresh is active, and what was asked for has to wait for its end."""

    code = "InstanceRefreshInProgress"
    http_status = 400


class ActiveInstanceRefreshNotFoundError(AutoScalingError):
    """There is no instance refresh that could be cancelled."""

    code = "ActiveInstanceRefreshNotFound"
    http_status = 400


class LimitExceededError(AutoScalingError):
    """More of something than the quota allows."""

    code = "LimitExceeded"
    http_status = 400
