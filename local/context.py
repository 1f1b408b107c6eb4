"""What every part of the embedded AWS is given when it is installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.instances.host import InstanceHost


@dataclass
class CloudContext:
    """One running embedded AWS.

    `speed` divides every duration that AWS itself would take (boot, stop, settle, metric minute);
    what really runs here (user data, Lambdas, jobs) takes the time it takes.
    """

    folder: Path
    endpoint: str
    region: str
    account_id: str
    speed: float
    lambda_python: Path
    _instances: InstanceHost | None = field(default=None)
    _stop_actions: list[Callable[[], None]] = field(default_factory=list)

    @property
    def instances(self) -> InstanceHost:
        """The host of the instances; raises RuntimeError before seams.ec2 is installed."""
        if self._instances is None:
            raise RuntimeError("seams.ec2 is installed before what uses instances")
        return self._instances

    @instances.setter
    def instances(self, host: InstanceHost) -> None:
        self._instances = host

    def on_stop(self, action: Callable[[], None]) -> None:
        """Have `action` called when the embedded AWS ends: kill what was started, join threads."""
        self._stop_actions.append(action)

    def stop(self) -> None:
        """End what was started, the last first; an action that fails does not keep the others."""
        failures: list[Exception] = []
        while self._stop_actions:
            try:
                self._stop_actions.pop()()
            except Exception as failure:
                failures.append(failure)
        if failures:
            raise ExceptionGroup("the embedded AWS could not stop everything", failures)
