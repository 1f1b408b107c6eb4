"""How many workers a trace would keep busy if nobody ever waited."""

from __future__ import annotations

import heapq
import math
from itertools import accumulate

from simulator.trace import Trace

LEAST_PREPARED = 5


def need_at_arrivals(trace: Trace) -> list[int]:
    """For each job, those at work when it comes, with it."""
    ends: list[float] = []
    need = []
    for arrival, service in zip(trace.arrivals_seconds, trace.services_seconds, strict=True):
        while ends and ends[0] <= arrival:
            heapq.heappop(ends)
        heapq.heappush(ends, arrival + service)
        need.append(len(ends))
    return need


def need_over_time(trace: Trace) -> tuple[list[float], list[int]]:
    """The moments (seconds) at which that number changes, and to what."""
    ends = (
        arrival + service
        for arrival, service in zip(trace.arrivals_seconds, trace.services_seconds, strict=True)
    )
    # An end at the moment of an arrival comes first: the one makes room for the other.
    changes = sorted([*((end, -1) for end in ends), *((at, 1) for at in trace.arrivals_seconds)])
    return [moment for moment, _ in changes], list(accumulate(change for _, change in changes))


def prepared_for(trace: Trace, max_size: int) -> int:
    """A pool that is never the bottleneck: the largest need and a quarter more, for headroom."""
    enough = math.ceil(max(need_at_arrivals(trace)) * 1.25)
    return min(max_size, max(enough, LEAST_PREPARED))
