"""How often AWS lets itself be asked: a bucket of tokens that fills up at a steady rate.

So EC2 limits its API (EC2 developer guide, ec2-api-throttling). For RunInstances and StartInstances
it publishes 1,000 instances at once and two a second from then on; whether what Auto Scaling starts
counts against them it does not say. Auto Scaling limits its own API and publishes no figure.
"""

from __future__ import annotations

import math

from local.group.clock import Schedule

STARTS_AT_ONCE = 1000


class TokenBucket:
    """Full at first. Without a rate it never runs dry."""

    def __init__(self, schedule: Schedule, at_once: float, per_second: float | None) -> None:
        self._schedule = schedule
        self._at_once = at_once
        self._per_second = per_second
        self._tokens = at_once
        self._counted_at = schedule.now()

    def wait_seconds(self) -> float:
        """Take a token, and say when it is there: who asks tries again until then."""
        if self._per_second is None:
            return 0.0
        self._fill(self._per_second)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._per_second)

    def refuses(self) -> bool:
        """Take a token if there is one; who is refused gives up."""
        if self._per_second is None:
            return False
        self._fill(self._per_second)
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False

    def _fill(self, per_second: float) -> None:
        now = self._schedule.now()
        gained = (now - self._counted_at) * per_second
        self._tokens = min(self._at_once, self._tokens + gained)
        self._counted_at = now


def starts(schedule: Schedule, per_second: float | None) -> TokenBucket:
    return TokenBucket(schedule, STARTS_AT_ONCE, per_second)


def calls(schedule: Schedule, per_second: float | None) -> TokenBucket:
    """Of Auto Scaling's API: a second's calls at once."""
    return TokenBucket(schedule, max(1, math.ceil(per_second or 1)), per_second)
