"""Makes a failing plan short: leaves out faults and jobs for as long as it still fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from faults.plan import Plan

Part = TypeVar("Part")
MAX_TRIES = 60


def shrink(plan: Plan, fails: Callable[[Plan], bool], max_tries: int = MAX_TRIES) -> Plan:
    """The shortest found. `fails` is asked of plans with less in them."""
    tries = _Tries(fails, max_tries)
    faults = _fewer(plan.faults, lambda kept: tries.fails(replace(plan, faults=tuple(kept))))
    plan = replace(plan, faults=tuple(faults))
    jobs = _fewer(plan.jobs, lambda kept: tries.fails(replace(plan, jobs=tuple(kept))))
    return replace(plan, jobs=tuple(jobs))


class _Tries:
    def __init__(self, fails: Callable[[Plan], bool], left: int) -> None:
        self._fails = fails
        self._left = left

    def fails(self, plan: Plan) -> bool:
        if not self._left:
            return False
        self._left -= 1
        return self._fails(plan)


def _fewer(parts: Sequence[Part], still_fails: Callable[[Sequence[Part]], bool]) -> Sequence[Part]:
    """Halves first, then quarters, down to single parts (Zeller's delta debugging, in short)."""
    size = len(parts)
    while size:
        start = 0
        while start < len(parts):
            kept = [*parts[:start], *parts[start + size :]]
            if still_fails(kept):
                parts = kept
            else:
                start += size
        size //= 2
    return parts
