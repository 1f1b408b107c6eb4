"""While the breaker is open what sleeps is woken, and nothing new is launched."""

from datetime import timedelta

import pytest
from fleet_fakes import NOW, FakeGroup, RefreshingGroup, group_of

from pilotlight.fleet.breaker_state import BREAKER_TAG, BreakerState, Phase
from pilotlight.fleet.group import Group, Member
from pilotlight.scaling.capacity import Pass, set_capacity
from pilotlight.scaling.decision import Decision, Policy, QueueDepth, Reason

SUSPENDED = frozenset({"AZRebalance", "Launch"})
LAUNCHING = frozenset({"AZRebalance"})
BACKLOG_ALONE = Policy(target_wait_seconds=60.0)
HELD = [Phase.OPEN, Phase.PREPARING, Phase.TRIED]


class Jobs:
    def __init__(self, visible: int) -> None:
        self._visible = visible

    def depth(self) -> QueueDepth:
        return QueueDepth(visible=self._visible, in_flight=0, delayed=0)


class NoArrivals:
    def history(self) -> None:
        return None


class StrictGroup(FakeGroup):
    """Whoever looks into the pool without need pays for it."""

    def warm_pool(self) -> tuple[Member, ...]:
        self.calls.append(("look into the pool",))
        return self.pool


def held(
    phase: Phase = Phase.OPEN,
    working: int = 0,
    desired: int = 0,
    asleep: int = 0,
    **changes: object,
) -> Group:
    members = [Member(f"i-{it:08x}", "InService", is_protected=True) for it in range(working)]
    state = BreakerState(phase, NOW - timedelta(minutes=5), largest_capacity=5)
    values = {
        "min_size": 0,
        "desired_capacity": desired,
        "tags": ((BREAKER_TAG, str(state)),),
        "suspended_processes": SUSPENDED,
        "warm_pool_size": asleep,
    }
    return group_of(*members, **(values | changes))


def look(group: Group, *pool: str, jobs: int = 0) -> tuple[Pass, list[tuple[str, ...]]]:
    """What is done, with these states in the pool."""
    members = tuple(Member(f"i-{it:017x}", state) for it, state in enumerate(pool))
    fake = StrictGroup(described=group, pool=members)
    seen = set_capacity(fake, Jobs(jobs), NoArrivals(), BACKLOG_ALONE)
    return seen, [it for it in fake.calls if it != ("look into the pool",)]


@pytest.mark.parametrize("phase", HELD)
def test_what_sleeps_is_woken_when_so_little_is_wanted_that_nothing_is_launched(
    phase: Phase,
) -> None:
    asleep = ["Warmed:Stopped", "Warmed:Stopped", "Warmed:Pending:Wait"]

    seen, calls = look(held(phase, working=1, desired=1, asleep=3), *asleep, jobs=5)

    assert calls == [("pool", "0", "4"), ("capacity", "3"), ("resume", "Launch")]
    assert seen.waking.step == "WAKE"


def test_a_capacity_that_waited_for_a_trial_is_lowered_before_anything_is_woken() -> None:
    group = held(working=1, desired=5, asleep=1)

    assert look(group, "Warmed:Stopped", jobs=9)[1] == [
        ("pool", "0", "2"),
        ("capacity", "2"),
        ("resume", "Launch"),
    ]


def test_what_replaces_a_lost_instance_is_woken_though_no_job_waits() -> None:
    group = held(working=1, desired=2, asleep=1, min_size=2)

    assert look(group, "Warmed:Stopped")[1] == [("pool", "0", "2"), ("resume", "Launch")]


def test_what_the_least_size_lacks_is_launched_along() -> None:
    group = held(working=0, desired=3, asleep=1, min_size=3)

    assert look(group, "Warmed:Stopped")[1] == [("pool", "0", "1"), ("resume", "Launch")]


@pytest.mark.parametrize(
    ("group", "pool", "jobs"),
    [
        pytest.param(held(working=2, desired=2, asleep=2), ["Warmed:Stopped"] * 2, 2, id="enough"),
        pytest.param(held(working=1, desired=2), [], 2, id="nothing sleeps"),
        pytest.param(
            held(working=1, desired=2, asleep=1), ["Warmed:Pending:Wait"], 2, id="not yet proven"
        ),
        pytest.param(
            held(working=1, desired=1, asleep=1, is_being_deleted=True),
            ["Warmed:Stopped"],
            2,
            id="a stack that is being deleted",
        ),
    ],
)
def test_launching_stays_suspended(group: Group, pool: list[str], jobs: int) -> None:
    assert look(group, *pool, jobs=jobs)[1] == []


def test_what_nothing_could_be_woken_for_is_desired_all_the_same() -> None:
    """It is how the breaker knows what a trial is wanted for."""
    assert look(held(working=1, desired=1), jobs=4)[1] == [("capacity", "4")]


def test_launching_goes_on_until_what_sleeps_is_on_its_way() -> None:
    waking = held(working=1, desired=2, asleep=1, suspended_processes=LAUNCHING)
    woken = held(working=2, desired=2, suspended_processes=LAUNCHING)

    assert look(waking, "Warmed:Stopped", jobs=2)[1] == []
    seen, calls = look(woken, jobs=2)
    assert calls == [("suspend", "Launch")]
    assert seen.waking.step == "REST"


def test_no_more_is_desired_while_launching_goes_on() -> None:
    waking = held(working=1, desired=2, asleep=1, suspended_processes=LAUNCHING)

    assert look(waking, "Warmed:Stopped", jobs=5)[1] == []


def test_launching_is_suspended_before_more_is_desired_than_can_be_woken() -> None:
    woken = held(working=2, desired=2, suspended_processes=LAUNCHING)

    assert look(woken, jobs=5)[1] == [("suspend", "Launch"), ("capacity", "5")]


@pytest.mark.parametrize("phase", [Phase.CLOSED, Phase.TRIAL, Phase.CLOSING])
@pytest.mark.parametrize("suspended", [SUSPENDED, LAUNCHING])
def test_launching_is_left_alone_where_it_is_not_held(
    phase: Phase, suspended: frozenset[str]
) -> None:
    group = held(phase, working=1, desired=1, asleep=1, suspended_processes=suspended)

    assert look(group, "Warmed:Stopped", jobs=2)[1] == [("capacity", "2")]


def test_the_pool_is_looked_into_only_when_something_may_be_woken() -> None:
    for group, looks in (
        (held(working=1, desired=1, asleep=1), 0),
        (held(Phase.CLOSED, working=1, desired=2, asleep=1), 0),
        (held(working=1, desired=2, asleep=1), 1),
    ):
        fake = StrictGroup(described=group, pool=(Member("i-1", "Warmed:Stopped"),))
        set_capacity(fake, Jobs(0), NoArrivals(), BACKLOG_ALONE)
        assert fake.calls.count(("look into the pool",)) == looks


def test_an_instance_refresh_holds_what_would_be_woken_and_is_no_error() -> None:
    """AWS refuses to bound the pool, which would be filled up along with the wake."""
    group = held(working=1, desired=1, asleep=1)
    refreshing = RefreshingGroup(described=group, pool=(Member("i-1", "Warmed:Stopped"),))

    seen = set_capacity(refreshing, Jobs(2), NoArrivals(), BACKLOG_ALONE)

    assert (seen.decision, seen.waking.step) == (Decision(1, Reason.INSTANCE_REFRESH), "HOLD")
    assert refreshing.calls == []


def test_what_a_refresh_has_launched_beside_the_others_stays_desired_while_jobs_wait() -> None:
    """It launches one before another leaves, and one more works than was asked for."""
    group = held(working=2, desired=1, asleep=1)
    refreshing = RefreshingGroup(described=group, pool=(Member("i-1", "Warmed:Stopped"),))

    seen = set_capacity(refreshing, Jobs(5), NoArrivals(), BACKLOG_ALONE)

    assert (seen.decision, seen.waking.step) == (Decision(2, Reason.INSTANCE_REFRESH), "HOLD")
    assert refreshing.calls == [("capacity", "2")]
