"""The one place where a sped-up embedded AWS scales CloudWatch's time.

Timestamps of datapoints are real. With speed s a CloudWatch minute lasts 60/s real seconds, and so
does every Period: one that callers name 60 covers 60/s real seconds of data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MINUTE_SECONDS = 60.0
HIGH_RESOLUTION_SECONDS = 10.0  # how often alarms with a Period below a minute are evaluated


@dataclass(frozen=True, slots=True)
class MetricTime:
    speed: float

    def real_seconds(self, cloudwatch_seconds: float) -> float:
        """How long a CloudWatch duration really lasts here."""
        return cloudwatch_seconds / self.speed

    def last_boundary(self, now: float, interval_seconds: float) -> float:
        """The latest moment up to `now` at which an interval of CloudWatch's time ended."""
        real = self.real_seconds(interval_seconds)
        return math.floor(now / real) * real
