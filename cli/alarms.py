"""The queue-depth alarm of a stack: when it changed its state, and why."""

from __future__ import annotations

from collections.abc import Iterator

from cli.stack import Cloud

ALARM = "QueueDepthAlarm"  # its name begins with the stack's and this, CloudFormation adds the rest


class QueueDepthAlarm:
    """One call a look: DescribeAlarms. Before the stack has made the alarm there is nothing."""

    def __init__(self, cloud: Cloud, stack_name: str) -> None:
        self._cloudwatch = cloud.client("cloudwatch")
        self._prefix = f"{stack_name}-{ALARM}"
        self._state = ""

    def changes(self) -> Iterator[str]:
        """A sentence when the state is another than at the last look. The first look is silent."""
        found = self._cloudwatch.describe_alarms(AlarmNamePrefix=self._prefix)["MetricAlarms"]
        for alarm in found:
            before, self._state = self._state, alarm["StateValue"]
            if before and before != self._state:
                yield f"queue-depth alarm {before} -> {self._state}: {alarm['StateReason']}"
