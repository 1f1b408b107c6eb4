"""How many instances are kept prepared, and what the money allows."""

from dataclasses import dataclass, field

import pytest

from pilotlight.errors import InstanceRefreshError
from pilotlight.scaling.pool import PoolDecision, PoolPolicy, PoolReason, pool_size, size_pool
from pilotlight.scaling.spending import affordable_disks, affordable_instances

# A day of five minutes: mostly nothing, 20 jobs for 2 % of it, 90 once.
DAY = (0,) * 281 + (20,) * 6 + (90,)


@pytest.mark.parametrize(
    ("peaks", "prepared", "policy", "expected"),
    [
        pytest.param(
            DAY, 5, PoolPolicy(), PoolDecision(20, PoolReason.DEMAND), id="what suffices for 99 %"
        ),
        pytest.param(
            DAY,
            5,
            PoolPolicy(confidence=1.0),
            PoolDecision(50, PoolReason.AT_MAX),
            id="the rarest peak would be more than the group may run",
        ),
        pytest.param(
            DAY,
            5,
            PoolPolicy(jobs_per_instance=8),
            PoolDecision(3, PoolReason.DEMAND),
            id="a part-full instance is one",
        ),
        pytest.param(
            DAY, 22, PoolPolicy(), PoolDecision(22, PoolReason.NO_CHANGE), id="a little more stays"
        ),
        pytest.param(
            DAY, 23, PoolPolicy(), PoolDecision(20, PoolReason.DEMAND), id="much more is cut"
        ),
        pytest.param(
            DAY,
            20,
            PoolPolicy(affordable_disks=8),
            PoolDecision(8, PoolReason.AT_DISK_LIMIT),
            id="no more disks than the month's money buys",
        ),
        pytest.param(
            DAY,
            20,
            PoolPolicy(affordable_disks=1),
            PoolDecision(2, PoolReason.AT_MIN),
            id="what must run is prepared, whatever its disk costs",
        ),
        pytest.param(
            DAY[:287],
            5,
            PoolPolicy(),
            PoolDecision(5, PoolReason.TOO_LITTLE_HISTORY),
            id="less than a day tells nothing",
        ),
    ],
)
def test_pool_size(
    peaks: tuple[int, ...], prepared: int, policy: PoolPolicy, expected: PoolDecision
) -> None:
    assert pool_size(peaks, prepared, min_size=2, max_size=50, policy=policy) == expected


@dataclass
class FakePool:
    set_to: int | None
    asked: list[int] = field(default_factory=list)

    def prepared(self) -> int | None:
        return self.set_to

    def prepare(self, instances: int) -> None:
        self.asked.append(instances)

    def peaks(self) -> tuple[int, ...]:
        return DAY


@pytest.mark.parametrize(("set_to", "asked"), [(5, [20]), (20, []), (None, [20])])
def test_the_pool_is_put_only_when_its_size_changes(set_to: int | None, asked: list[int]) -> None:
    pool = FakePool(set_to)

    size_pool(pool, pool, min_size=0, max_size=50, policy=PoolPolicy())

    assert pool.asked == asked


def test_an_instance_refresh_is_waited_for_and_is_no_error() -> None:
    class RefreshingPool(FakePool):
        def prepare(self, instances: int) -> None:
            raise InstanceRefreshError("InstanceRefreshInProgress")

    pool = RefreshingPool(5)

    change = size_pool(pool, pool, min_size=0, max_size=50, policy=PoolPolicy())

    assert change.decision == PoolDecision(5, PoolReason.INSTANCE_REFRESH)


def test_money_is_rounded_down_to_whole_instances() -> None:
    assert affordable_instances(30, 0.526) == 2
    assert affordable_disks(20, 0.08, 30) == 8


def test_no_limit_or_no_price_limits_nothing() -> None:
    assert affordable_instances(0, 0.526) is None
    assert affordable_instances(30, 0) is None
    assert affordable_disks(0, 0.08, 30) is None
