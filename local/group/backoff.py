"""How fast a group launches when its launches keep failing."""

from __future__ import annotations

from dataclasses import dataclass

FREE_FAILURES = 2
"""Failed rounds in a row that cost no extra wait."""


@dataclass(slots=True)
class LaunchBackoff:
    """AWS "limits the rate at which it allows instances to launch if the lifecycle hooks are
    failing consistently" (user guide, lifecycle-hooks) and publishes no figure. Chosen here: two
    failed rounds are free, then a first wait that doubles each round up to the longest; a success
    ends it.

    Launches that were begun together fail together: they count as one round.
    """

    first_seconds: float
    longest_seconds: float
    rounds: int = 0
    _counted_at: float = float("-inf")

    def failed(self, begun_at: float, now: float) -> None:
        if begun_at > self._counted_at:
            self.rounds += 1
            self._counted_at = now

    def succeeded(self) -> None:
        self.rounds = 0

    def resumes_at(self) -> float:
        """When the next launch may begin; long past when nothing fails."""
        beyond = self.rounds - FREE_FAILURES
        if beyond <= 0:
            return float("-inf")
        wait = self.first_seconds * 2.0 ** min(beyond - 1, 30)
        return self._counted_at + min(self.longest_seconds, wait)
