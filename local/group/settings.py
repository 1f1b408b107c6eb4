"""What a person sets on a group, its pool and its hooks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from local.group.errors import ValidationError
from local.group.states import HookKind, PoolState

CONTINUE = "CONTINUE"
ABANDON = "ABANDON"

LONGEST_WAIT_SECONDS = 172_800
"""48 hours: no instance waits longer for its hooks (user guide, lifecycle-hooks)."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an instance may be put: a subnet and the zone it lies in."""

    zone: str
    zone_id: str
    subnet_id: str


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """The group's properties that its behaviour depends on."""

    min_size: int
    max_size: int
    placements: tuple[Placement, ...]
    default_cooldown_seconds: int = 300
    health_check_grace_period_seconds: int = 0
    new_instances_protected_from_scale_in: bool = False
    termination_policies: tuple[str, ...] = ("Default",)

    def __post_init__(self) -> None:
        if self.min_size < 0:
            raise ValidationError(f"Min bound, {self.min_size}, must not be less than 0")
        if self.max_size < self.min_size:
            raise ValidationError(
                f"Max bound, {self.max_size}, must be greater than or equal to "
                f"min bound, {self.min_size}"
            )
        if not self.placements:
            raise ValidationError("At least one Availability Zone or VPC Subnet is required.")


@dataclass(frozen=True, slots=True)
class WarmPool:
    """The pool as PutWarmPool left it; `max_group_prepared_capacity` None means the group's max."""

    min_size: int = 0
    max_group_prepared_capacity: int | None = None
    pool_state: PoolState = PoolState.STOPPED
    reuse_on_scale_in: bool = False
    pending_delete: bool = False


@dataclass(frozen=True)  # without slots, for what is worked out once
class Hook:
    """A lifecycle hook; bounds and defaults from the API reference of PutLifecycleHook."""

    name: str
    kind: HookKind
    heartbeat_timeout_seconds: int = 3600
    default_result: str = ABANDON
    notification_metadata: str | None = None
    notification_target_arn: str | None = None
    role_arn: str | None = None

    def __post_init__(self) -> None:
        if not 30 <= self.heartbeat_timeout_seconds <= 7200:
            raise ValidationError(
                f"Heartbeat timeout of lifecycle hook {self.name} must be between 30 and 7200 "
                f"seconds; it is {self.heartbeat_timeout_seconds}."
            )
        check_result(self.default_result)

    @cached_property
    def global_timeout_seconds(self) -> int:
        return min(LONGEST_WAIT_SECONDS, 100 * self.heartbeat_timeout_seconds)


def check_result(result: str) -> None:
    """Raise ValidationError unless `result` is one that a lifecycle action can end with."""
    if result not in (CONTINUE, ABANDON):
        raise ValidationError(
            f"Lifecycle action result must be {CONTINUE} or {ABANDON}; it is {result}."
        )
