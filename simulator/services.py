"""How long jobs work, where the input tells only when they came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol


class ServiceTimes(Protocol):
    def draw(self, random: Random) -> float:
        """Seconds of work of one more job, above 0."""
        ...


@dataclass(frozen=True, slots=True)
class Lognormal:
    """By mean and spread (standard deviation over mean, 0 for all alike): most jobs are shorter
    than the mean and few are much longer, as in the published traces of clusters."""

    mean_seconds: float
    spread: float = 1.0

    def draw(self, random: Random) -> float:
        variance = math.log1p(self.spread**2)
        middle = math.log(self.mean_seconds) - variance / 2
        return random.lognormvariate(middle, math.sqrt(variance))


@dataclass(frozen=True, slots=True)
class Observed:
    """As long as one of those jobs, each as likely as the next."""

    seconds: Sequence[float]

    def draw(self, random: Random) -> float:
        return random.choice(self.seconds)
