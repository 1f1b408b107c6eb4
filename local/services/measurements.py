"""What a service publishes of its own accord, each CloudWatch minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value of a metric at one moment."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    value: float
    unit: str
