"""IMDS of a simulated instance, as the worker on it asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from faults.host import Host
from pilotlight.worker.metadata import TIMEOUT_SECONDS, MetadataError

SLOW_SECONDS = 0.9 * TIMEOUT_SECONDS
Told = TypeVar("Told")


class Metadata:
    """It may be `away` or `slow` for a while, see `Host.metadata_fault`."""

    def __init__(self, host: Host, sleep: Callable[[float], None]) -> None:
        self._host = host
        self._sleep = sleep

    def instance_id(self) -> str:
        return self._read(lambda: self._host.instance_id)

    def target_lifecycle_state(self) -> str | None:
        return self._read(lambda: self._host.target)

    def interruption_at(self) -> float | None:
        return self._read(lambda: self._host.notice_at)

    def rebalance_recommended_at(self) -> float | None:
        return self._read(lambda: None)

    def _read(self, answer: Callable[[], Told]) -> Told:
        """Raises MetadataError."""
        fault = self._host.metadata_fault()
        if fault == "metadata_away":
            self._sleep(TIMEOUT_SECONDS)
            raise MetadataError("a fault of the run")
        if fault == "metadata_slow":
            self._sleep(SLOW_SECONDS)
        return answer()
