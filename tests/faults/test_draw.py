"""What seeds give: every call has its faults, and every kind of fault is drawn."""

from __future__ import annotations

from collections import Counter

from faults.draw import FLEETS, HOURS_SECONDS, draw
from faults.drawn_faults import CALLED
from faults.mischief import KINDS
from faults.plan import Plan
from faults.run import run

SEEDS = range(1, 2001)


def plans() -> list[Plan]:
    return [draw(seed) for seed in SEEDS]


def test_every_kind_of_fault_is_drawn_often() -> None:
    drawn = Counter(fault.kind for plan in plans() for fault in plan.faults)

    assert drawn.keys() == KINDS
    assert min(drawn.values()) >= 20


def test_every_call_is_among_those_that_can_fail() -> None:
    called: dict[str, set[str]] = {"functions": set(), "workers": set(), "jobs": set()}
    for seed in range(1, 16):
        for who, operation in run(draw(seed)).calls:
            called[who].add(operation)

    left_out = {who: operations - set(CALLED[who]) for who, operations in called.items()}
    assert left_out == {"functions": set(), "workers": set(), "jobs": set()}


def test_some_seeds_have_many_quick_jobs_hours_without_capacity_or_hundreds_of_instances() -> None:
    drawn = plans()

    quick = [plan for plan in drawn if sum(job.seconds < 0.1 for job in plan.jobs) >= 30]
    hours = [plan for plan in drawn if plan.quiet_at == HOURS_SECONDS]
    fleets = Counter(plan.settings.max_size for plan in drawn if plan.settings.max_size > 50)
    assert len(quick) > len(SEEDS) / 20
    assert any(fault.seconds >= 3600 for plan in hours for fault in plan.faults)
    assert fleets.keys() == set(FLEETS)
