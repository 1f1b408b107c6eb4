"""How many instances go where, from counts alone."""

from __future__ import annotations

import pytest

from local.group.settings import WarmPool
from local.group.sizing import Census, Plan, plan, pool_target

NO_POOL = None
POOL = WarmPool()
REUSE = WarmPool(reuse_on_scale_in=True)


def census(
    in_service: int = 0, launching: int = 0, leaving: int = 0, protected: int = 0, **pool: int
) -> Census:
    return Census(
        group_active=in_service + launching,
        group_total=in_service + launching + leaving,
        in_service=in_service,
        removable=in_service - protected,
        pool_active=pool.get("settled", 0) + pool.get("entering", 0),
        pool_settled=pool.get("settled", 0),
    )


@pytest.mark.parametrize(
    ("pool", "desired", "target"),
    [
        pytest.param(NO_POOL, 1, 0, id="no pool"),
        pytest.param(POOL, 1, 4, id="by default what is left to max"),
        pytest.param(WarmPool(min_size=2), 4, 2, id="never below MinSize"),
        pytest.param(WarmPool(max_group_prepared_capacity=3), 1, 2, id="prepared minus desired"),
        pytest.param(WarmPool(max_group_prepared_capacity=3), 4, 0, id="desired above prepared"),
        pytest.param(
            WarmPool(min_size=2, max_group_prepared_capacity=2), 5, 2, id="an absolute size"
        ),
        pytest.param(WarmPool(min_size=2, pending_delete=True), 1, 0, id="being deleted"),
    ],
)
def test_the_pool_has_the_size_aws_documents(
    pool: WarmPool | None, desired: int, target: int
) -> None:
    assert pool_target(pool, 5, desired) == target


@pytest.mark.parametrize(
    ("now", "desired", "pool", "expected"),
    [
        pytest.param(census(), 1, POOL, Plan(launch=1, into_pool=4), id="a new group"),
        pytest.param(census(1, settled=4), 1, POOL, Plan(), id="at rest"),
        pytest.param(census(1, settled=4), 3, POOL, Plan(wake=2), id="wakes, trims nothing"),
        pytest.param(
            census(1, settled=1, entering=3),
            4,
            POOL,
            Plan(wake=1, launch=2),
            id="launches cold what does not rest yet; the surplus cannot be trimmed yet",
        ),
        pytest.param(
            census(4, settled=3), 4, POOL, Plan(trim_pool=2), id="trims what is over the target"
        ),
        pytest.param(
            census(2, settled=3), 1, POOL, Plan(scale_in=1), id="refills after the leaver is gone"
        ),
        pytest.param(
            census(1, leaving=1, settled=3), 1, POOL, Plan(), id="a leaver still counts as prepared"
        ),
        pytest.param(census(1, settled=3), 1, POOL, Plan(into_pool=1), id="gone: refills"),
        pytest.param(
            census(2, settled=3), 1, REUSE, Plan(scale_in=1), id="a return is not launched anew"
        ),
        pytest.param(
            census(2, settled=3),
            1,
            WarmPool(min_size=4, reuse_on_scale_in=True),
            Plan(scale_in=1),
            id="a return makes up for a missing one of MinSize",
        ),
        pytest.param(
            census(2, protected=2, settled=3),
            1,
            REUSE,
            Plan(blocked_by_protection=1),
            id="protected members are not made up for",
        ),
        pytest.param(
            census(1, protected=1, launching=1, settled=3),
            1,
            POOL,
            Plan(),
            id="waits for the one still launching before it complains of protection",
        ),
        pytest.param(census(2), 4, NO_POOL, Plan(launch=2), id="no pool: cold"),
        pytest.param(
            census(1, settled=2),
            2,
            WarmPool(pending_delete=True),
            Plan(launch=1),
            id="a pool being deleted wakes nobody",
        ),
        pytest.param(
            census(5),
            5,
            WarmPool(min_size=1),
            Plan(into_pool=1),
            id="MinSize holds even above the prepared capacity",
        ),
    ],
)
def test_a_plan_moves_no_more_than_is_needed(
    now: Census, desired: int, pool: WarmPool | None, expected: Plan
) -> None:
    assert plan(now, desired, max_size=5, pool=pool) == expected
