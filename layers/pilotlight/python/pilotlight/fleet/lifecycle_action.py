"""A lifecycle action: what AWS told us, and what to do about it.

Shapes: AWS user guide, warm-pools-eventbridge-events (EventBridge) and
prepare-for-lifecycle-notifications (SQS); live events carry a further key `Action`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pilotlight.errors import MalformedEventError

READY_HOOK = "ready"
DRAIN_HOOK = "drain"

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"

EC2 = "EC2"
WARM_POOL = "WarmPool"
GROUP = "AutoScalingGroup"

_TEST_NOTIFICATION = "autoscaling:TEST_NOTIFICATION"
_PATTERNS = {
    "EC2InstanceId": r"i-[0-9a-f]{8,17}",
    "LifecycleHookName": r"[A-Za-z0-9_/-]{1,255}",
    "LifecycleActionToken": r"[A-Za-z0-9-]{36}",
    "LifecycleTransition": r"[A-Za-z0-9_:]{1,100}",
    "Origin": r"[A-Za-z0-9]{1,32}",
    "Destination": r"[A-Za-z0-9]{1,32}",
}


class Step(StrEnum):
    """What a lifecycle action asks for."""

    CHECK_READINESS = "CHECK_READINESS"
    DRAIN = "DRAIN"
    CONTINUE = "CONTINUE"
    LEAVE = "LEAVE"


@dataclass(frozen=True, slots=True)
class Plan:
    step: Step
    reason: str


@dataclass(frozen=True, slots=True)
class Pause:
    """One stay of one instance in a Wait state; every stay has its own token.

    Without its token it is whatever holds the instance now: only for reconcile, which has read
    the state first.
    """

    instance_id: str
    hook: str
    token: str | None


@dataclass(frozen=True, slots=True)
class LifecycleAction:
    """`origin` and `destination` are absent when AWS does not have them."""

    pause: Pause
    transition: str
    origin: str | None
    destination: str | None
    time: datetime

    def log_fields(self, now: datetime) -> dict[str, Any]:
        return {
            "instance_id": self.pause.instance_id,
            "hook": self.pause.hook,
            "token": self.pause.token,
            "transition": self.transition.removeprefix("autoscaling:EC2_INSTANCE_"),
            "origin": self.origin,
            "destination": self.destination,
            "seconds_waited": round((now - self.time).total_seconds(), 3),
        }


_ROWS = {
    (LAUNCHING, EC2, WARM_POOL): Plan(Step.CHECK_READINESS, "ENTERING_POOL"),
    (LAUNCHING, EC2, GROUP): Plan(Step.CHECK_READINESS, "COLD_LAUNCH"),
    # Proven before it slept, and a waiting job pays for every second.
    (LAUNCHING, WARM_POOL, GROUP): Plan(Step.CONTINUE, "WAKING"),
    (TERMINATING, GROUP, WARM_POOL): Plan(Step.DRAIN, "RETURNING_TO_POOL"),
    (TERMINATING, GROUP, EC2): Plan(Step.DRAIN, "LEAVING_GROUP"),
    (TERMINATING, WARM_POOL, EC2): Plan(Step.CONTINUE, "LEAVING_POOL"),
}


def decide(action: LifecycleAction) -> Plan:
    """The row of the table in docs/design.md; what is not understood is left to reconcile."""
    if action.pause.hook not in (READY_HOOK, DRAIN_HOOK):
        return Plan(Step.LEAVE, "HOOK_OF_OTHERS")
    row = (action.transition, action.origin, action.destination)
    return _ROWS.get(row, Plan(Step.LEAVE, "NOT_UNDERSTOOD"))  # type: ignore[arg-type]


def parse_lifecycle_action(body: object) -> LifecycleAction | None:
    """From the decoded body of an SQS message; None for the test message that AWS sends first.

    Raises MalformedEventError naming the field.
    """
    if not isinstance(body, Mapping):
        raise MalformedEventError(f"the body is a {type(body).__name__}, not a JSON object")
    if body.get("Event") == _TEST_NOTIFICATION:
        return None
    detail = body.get("detail", body)
    if not isinstance(detail, Mapping):
        raise MalformedEventError(f"detail is a {type(detail).__name__}, not a JSON object")
    return LifecycleAction(
        pause=Pause(
            instance_id=_required(detail, "EC2InstanceId"),
            hook=_required(detail, "LifecycleHookName"),
            token=_required(detail, "LifecycleActionToken"),
        ),
        transition=_required(detail, "LifecycleTransition"),
        origin=_optional(detail, "Origin"),
        destination=_optional(detail, "Destination"),
        time=parse_time(body.get("time", body.get("Time"))),
    )


def parse_time(value: object) -> datetime:
    """An event's time, with or without fractions of a second; raises MalformedEventError."""
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise MalformedEventError(f"the time is {str(value)[:100]!r}, not ISO 8601") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _required(detail: Mapping[str, object], key: str) -> str:
    value = _optional(detail, key)
    if value is None:
        raise MalformedEventError(f"{key} is missing")
    return value


def _optional(detail: Mapping[str, object], key: str) -> str | None:
    value = detail.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(_PATTERNS[key], value):
        raise MalformedEventError(f"{key} is {str(value)[:100]!r}: expected {_PATTERNS[key]}")
    return value
