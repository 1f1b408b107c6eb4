"""The Auto Scaling group as one description shows it."""

from dataclasses import dataclass
from typing import Protocol

IN_SERVICE = "InService"
LAUNCH = "Launch"
"""The process that launches what is new, and wakes what sleeps in the pool as well."""


@dataclass(frozen=True, slots=True)
class Member:
    """An instance of the group or of its warm pool; only the group's can be protected."""

    instance_id: str
    lifecycle_state: str
    is_protected: bool = False

    @property
    def is_in_service(self) -> bool:
        return self.lifecycle_state == IN_SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`members` leaves the warm pool out; `warm_pool_size` counts it.

    `launch_template_version` is what the next launch is made from, empty where it is not told.
    While `is_being_deleted` capacity is nobody's to set: a new instance would outlive the stack.
    """

    min_size: int
    max_size: int
    desired_capacity: int
    members: tuple[Member, ...]
    warm_pool_size: int = 0
    suspended_processes: frozenset[str] = frozenset()
    tags: tuple[tuple[str, str], ...] = ()
    is_being_deleted: bool = False
    launch_template_version: str = ""

    @property
    def can_launch(self) -> bool:
        return LAUNCH not in self.suspended_processes

    @property
    def in_service(self) -> list[str]:
        """Ids of the instances that count as working."""
        return [member.instance_id for member in self.members if member.is_in_service]

    def tag(self, key: str) -> str:
        """Empty when the group has no such tag."""
        return dict(self.tags).get(key, "")


class GroupReader(Protocol):
    """DescribeAutoScalingGroups, one call."""

    def describe(self) -> Group: ...
