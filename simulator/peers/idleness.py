"""How many instances were there, or idle, for a whole period: views give counts, not names."""

from collections import deque

from simulator.peers.counts import leaving
from simulator.rules import View


class SteadyCount:
    """The fewest there were at any time of the last `period_seconds`.

    A count holds until the next look. Before a whole period was seen it is 0.
    """

    def __init__(self, period_seconds: float) -> None:
        self._period_seconds = period_seconds
        self._rising: deque[tuple[float, int]] = deque()  # until when, how many: past counts
        self._latest: int | None = None
        self._first_look: float | None = None

    def add(self, now: float, count: int) -> int:
        """Take the count of `now` in and return the fewest of the period."""
        if self._first_look is None:
            self._first_look = now
        if self._latest is not None:
            self._end(now, self._latest)
        self._latest = count
        begin = now - self._period_seconds
        while self._rising and self._rising[0][0] <= begin:
            self._rising.popleft()
        if self._first_look > begin:
            return 0
        return min(count, self._rising[0][1]) if self._rising else count

    def _end(self, now: float, count: int) -> None:
        """Keep what held until now; a larger count before it can no longer be the fewest."""
        while self._rising and self._rising[-1][1] >= count:
            self._rising.pop()
        self._rising.append((now, count))


class IdleInstances:
    """Counts instances that were idle long enough to be taken away.

    The fewest idle at any time of the period is how many were idle throughout when the busiest
    workers take the next job, and the most it can be otherwise.
    """

    def __init__(self, idle_seconds: float) -> None:
        self._steady = SteadyCount(idle_seconds)

    def removable(self, view: View) -> int:
        """Instances idle for the whole period, without those that already leave."""
        return max(0, self._steady.add(view.now, view.idle) - leaving(view))
