"""What every part of the embedded AWS is given when it is installed."""

from __future__ import annotations

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

    @property
    def instances(self) -> InstanceHost:
        """The host of the instances; raises RuntimeError before seams.ec2 is installed."""
        if self._instances is None:
            raise RuntimeError("seams.ec2 is installed before what uses instances")
        return self._instances

    @instances.setter
    def instances(self, host: InstanceHost) -> None:
        self._instances = host
