"""The breaker: setup that fails again and again stops launching, and a person is told.

The state is a tag of the group, so that no function needs a memory: `open <time>` while we have
launching suspended, `reset <time>` after a person resumed it. Failures before a reset do not
count again; otherwise the old ones would open it at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from pilotlight.fleet.group import Group
from pilotlight.fleet.waits import Activity

BREAKER_TAG = "pilotlight:setup-breaker"
LAUNCH = "Launch"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class BreakerStep(StrEnum):
    NONE = "NONE"
    OPEN = "OPEN"
    RESET = "RESET"


@dataclass(frozen=True, slots=True)
class BreakerDecision:
    step: BreakerStep
    reason: str
    failures: int = 0
    last_message: str = ""


class BreakerGroup(Protocol):
    def suspend(self, process: str) -> None: ...

    def write_tag(self, key: str, value: str) -> None: ...


class Alerts(Protocol):
    def publish(self, subject: str, message: str) -> None:
        """Tells a person. `subject` is ASCII, at most 100 characters (SNS)."""
        ...


def decide_breaker(
    group: Group, activities: Iterable[Activity], max_failures: int
) -> BreakerDecision:
    """Counts the failed setups since the last that succeeded or the last reset."""
    state, since = _read_tag(group.tag(BREAKER_TAG))
    if state == "open":
        if LAUNCH in group.suspended_processes:
            return BreakerDecision(BreakerStep.NONE, "STILL_OPEN")
        return BreakerDecision(BreakerStep.RESET, "LAUNCH_RESUMED")
    failed = _failures_in_a_row(activities, since)
    if len(failed) < max_failures:
        return BreakerDecision(BreakerStep.NONE, "SETUP_WORKS", len(failed))
    message = failed[0].status_message
    return BreakerDecision(BreakerStep.OPEN, "SETUP_FAILS_AGAIN_AND_AGAIN", len(failed), message)


def apply_breaker(
    decision: BreakerDecision, group_name: str, group: BreakerGroup, alerts: Alerts, now: datetime
) -> None:
    """The tag comes last: if anything before it fails, the next minute does all of it again."""
    if decision.step is BreakerStep.OPEN:
        group.suspend(LAUNCH)
        alerts.publish(f"Setup fails: {group_name}"[:100], _alert(decision, group_name))
        group.write_tag(BREAKER_TAG, f"open {now.isoformat(timespec='seconds')}")
    if decision.step is BreakerStep.RESET:
        group.write_tag(BREAKER_TAG, f"reset {now.isoformat(timespec='seconds')}")


def _alert(decision: BreakerDecision, group_name: str) -> str:
    return (
        f"{decision.failures} instances of {group_name} failed their setup one after another, "
        f"so launching is suspended.\nLast failure: {decision.last_message[:500]}\n"
        "The log of on_command_result says which check failed. When it is repaired, start again:\n"
        f"aws autoscaling resume-processes --auto-scaling-group-name {group_name} "
        "--scaling-processes Launch\n"
    )


def _failures_in_a_row(activities: Iterable[Activity], since: datetime) -> list[Activity]:
    """Newest first. Only setups count: a wake is none, and lack of capacity is not its failure."""
    setups = [it for it in activities if _is_setup(it) and it.is_over and it.started_at > since]
    failed: list[Activity] = []
    for activity in sorted(setups, key=lambda it: it.started_at, reverse=True):
        if activity.status == "Successful":
            break
        if "Lifecycle Action" in activity.status_message:
            failed.append(activity)
    return failed


def _is_setup(activity: Activity) -> bool:
    description = activity.description
    return description.startswith("Launching") and "from warm pool" not in description


def _read_tag(value: str) -> tuple[str, datetime]:
    """A tag that a person garbled counts as none: failures are then counted from the start."""
    state, _, time = value.partition(" ")
    try:
        return state, datetime.fromisoformat(time)
    except ValueError:
        return "", _LONG_AGO
