"""An instance as what runs on it sees it."""

from __future__ import annotations

from random import Random
from typing import Protocol

from pilotlight.worker.home import Home


class Host(Protocol):
    """`target` and `notice_at` are what its metadata tells; `skew_seconds` is how wrong its clock
    is."""

    instance_id: str
    home: Home
    random: Random
    skew_seconds: float
    target: str | None
    notice_at: float | None

    def metadata_fault(self) -> str:
        """What is wrong with IMDS now, empty when nothing is."""
        ...
