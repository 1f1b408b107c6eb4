"""Carries out what the breaker decided. Safe to repeat from any point on."""

from typing import Protocol

from pilotlight.fleet.breaker import BreakerDecision, BreakerStep, cool_down
from pilotlight.fleet.breaker_state import BREAKER_TAG
from pilotlight.fleet.group import LAUNCH
from pilotlight.fleet.trial import PoolSizes


class ProcessSwitch(Protocol):
    """SuspendProcesses."""

    def suspend(self, process: str) -> None: ...


class BreakerGroup(ProcessSwitch, Protocol):
    """The group, as the breaker changes it. All raise TransientError when throttled."""

    def resume(self, process: str) -> None: ...

    def write_tag(self, key: str, value: str) -> None: ...

    def resize_pool(self, sizes: PoolSizes) -> None:
        """PutWarmPool. Raises InstanceRefreshError during an instance refresh."""
        ...


class Alerts(Protocol):
    def publish(self, subject: str, message: str) -> None:
        """Tells a person. `subject` is ASCII, at most 100 characters (SNS)."""
        ...


def take_step(
    decision: BreakerDecision, group_name: str, group: BreakerGroup, alerts: Alerts
) -> None:
    """The tag comes after all else: if anything before it fails, the next minute does all again.

    But before launching is resumed: a look at the queue suspends what the tag does not let launch.
    """
    step = decision.step
    if step in (BreakerStep.OPEN, BreakerStep.HOLD, BreakerStep.REOPEN):
        group.suspend(LAUNCH)
    _tell(decision, group_name, alerts)
    if decision.pool:
        group.resize_pool(decision.pool)
    if decision.state:
        group.write_tag(BREAKER_TAG, str(decision.state))
    if step in (BreakerStep.TRY, BreakerStep.CLOSE, BreakerStep.RESUME):
        group.resume(LAUNCH)


def _tell(decision: BreakerDecision, group_name: str, alerts: Alerts) -> None:
    """When it opens and when it closes by itself: what is between is for the log."""
    if decision.step is BreakerStep.OPEN:
        alerts.publish(f"Setup fails: {group_name}"[:100], _fails(decision, group_name))
    elif decision.step is BreakerStep.CLOSE and decision.reason in _PROVEN:
        alerts.publish(f"Setup works again: {group_name}"[:100], _works(group_name))


_PROVEN = ("TRIAL_SUCCEEDED", "SETUP_SUCCEEDED")


def _fails(decision: BreakerDecision, group_name: str) -> str:
    minutes = round(cool_down(0).total_seconds() / 60)
    return (
        f"{decision.failures} instances of {group_name} failed their setup one after another, "
        "so nothing new is launched. What is set up already works on, and is woken when jobs come."
        f"\nLast failure: {decision.last_message[:500]}\n"
        "The log of on_command_result says which check failed.\n"
        f"In {minutes} minutes one instance is set up for trial, and launching goes on once such a "
        "trial succeeds, or once another launch template or layer is deployed. When it is repaired "
        "otherwise, try at once (or launch all at once: close instead of open):\n"
        "aws autoscaling create-or-update-tags --tags "
        f"ResourceId={group_name},ResourceType=auto-scaling-group,PropagateAtLaunch=false,"
        f"Key={BREAKER_TAG},Value=open\n"
    )


def _works(group_name: str) -> str:
    return f"An instance of {group_name} was set up and proven: launching goes on.\n"
