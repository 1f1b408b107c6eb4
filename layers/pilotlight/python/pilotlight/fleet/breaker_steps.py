"""Carries out what the breaker decided. Safe to repeat from any point on."""

from typing import Protocol

from pilotlight.fleet.breaker import LAUNCH, BreakerDecision, BreakerStep, cool_down
from pilotlight.fleet.breaker_state import BREAKER_TAG
from pilotlight.fleet.trial import PoolSizes


class ProcessSwitch(Protocol):
    """SuspendProcesses."""

    def suspend(self, process: str) -> None: ...


class BreakerGroup(ProcessSwitch, Protocol):
    """The group, as the breaker changes it. All raise TransientError when throttled."""

    def resume(self, process: str) -> None: ...

    def write_tag(self, key: str, value: str) -> None: ...

    def resize_pool(self, sizes: PoolSizes) -> None:
        """PutWarmPool. Also raises TransientError during an instance refresh."""
        ...


class Alerts(Protocol):
    def publish(self, subject: str, message: str) -> None:
        """Tells a person. `subject` is ASCII, at most 100 characters (SNS)."""
        ...


def take_step(
    decision: BreakerDecision, group_name: str, group: BreakerGroup, alerts: Alerts
) -> None:
    """The tag comes last: if anything before it fails, the next minute does all of it again.

    But before the launch of a trial: resumed without its tag, it would look like a person's doing.
    """
    step = decision.step
    if step in (BreakerStep.OPEN, BreakerStep.HOLD, BreakerStep.REOPEN):
        group.suspend(LAUNCH)
    _tell(decision, group_name, alerts)
    if decision.pool:
        group.resize_pool(decision.pool)
    if step is BreakerStep.CLOSE:
        group.resume(LAUNCH)
    if decision.state:
        group.write_tag(BREAKER_TAG, str(decision.state))
    if step is BreakerStep.TRY:
        group.resume(LAUNCH)


def _tell(decision: BreakerDecision, group_name: str, alerts: Alerts) -> None:
    """When it opens and when it closes by itself: what is between is for the log."""
    if decision.step is BreakerStep.OPEN:
        alerts.publish(f"Setup fails: {group_name}"[:100], _fails(decision, group_name))
    elif decision.step is BreakerStep.CLOSE and decision.reason == "TRIAL_SUCCEEDED":
        alerts.publish(f"Setup works again: {group_name}"[:100], _works(group_name))


def _fails(decision: BreakerDecision, group_name: str) -> str:
    minutes = round(cool_down(0).total_seconds() / 60)
    return (
        f"{decision.failures} instances of {group_name} failed their setup one after another, "
        f"so launching is suspended.\nLast failure: {decision.last_message[:500]}\n"
        "The log of on_command_result says which check failed.\n"
        f"In {minutes} minutes one instance is set up for trial, and launching goes on once such a "
        "trial succeeds. When it is repaired, or to deploy the repair, start again at once:\n"
        f"aws autoscaling resume-processes --auto-scaling-group-name {group_name} "
        "--scaling-processes Launch\n"
    )


def _works(group_name: str) -> str:
    return f"An instance of {group_name} was set up for trial and proven: launching goes on.\n"
