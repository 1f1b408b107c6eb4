"""The handlers that set the capacity, with their recorded events: what is logged and done."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from fleet_fakes import (
    INSTANCE,
    FakeGroup,
    FakeHeartbeats,
    FakeMachines,
    RefreshingGroup,
    group_of,
)

from pilotlight.errors import GroupNotFoundError, TransientError
from pilotlight.fleet.breaker_state import BREAKER_TAG
from pilotlight.fleet.dead_workers import WorkerCare
from pilotlight.fleet.group import Group, Member
from pilotlight.scaling.decision import QueueDepth
from pilotlight.scaling.history import ArrivalHistory

Load = Callable[..., ModuleType]
Recorded = Callable[[str], dict[str, Any]]
Lines = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


class FakeJobs:
    def __init__(self, visible: int = 0, error: Exception | None = None) -> None:
        self.visible = visible
        self.error = error

    def depth(self) -> QueueDepth:
        if self.error:
            raise self.error
        return QueueDepth(visible=self.visible, in_flight=0, delayed=0)


class FakeWatch:
    def __init__(self) -> None:
        self.delays: list[int] = []

    def send_ticks(self, delays_seconds: Sequence[int]) -> None:
        self.delays.extend(delays_seconds)


class FakeArrivals:
    def __init__(self, *per_minute: int) -> None:
        self.per_minute = per_minute

    def history(self) -> ArrivalHistory:
        return ArrivalHistory(per_minute=self.per_minute)


class NoGroup(FakeGroup):
    def describe(self) -> Group:
        raise GroupNotFoundError("there is no Auto Scaling group named g")


@pytest.fixture
def on_queue_depth(load_function: Load) -> ModuleType:
    app: Any = load_function("on_queue_depth")
    app.group = FakeGroup(described=group_of(Member(INSTANCE, "InService", True)))
    app.jobs = FakeJobs(visible=3)
    return app  # type: ignore[no-any-return]


def test_the_alarm_sets_the_capacity_that_the_backlog_asks_for(
    on_queue_depth: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    on_queue_depth.handler(recorded_event("on_queue_depth"), context)

    [line] = log_lines()
    assert on_queue_depth.group.calls == [("capacity", "3")]
    assert (line["message"], line["trigger"]) == ("capacity set", "alarm")
    assert (line["desired"], line["capacity"], line["reason"]) == (1, 3, "BACKLOG")
    assert (line["visible"], line["in_flight"], line["alarm"]) == (3, 0, "pilotlight-queue-depth")


def test_ticks_that_come_together_are_one_look(
    on_queue_depth: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    [tick] = recorded_event("on_queue_depth_tick")["Records"]

    on_queue_depth.handler({"Records": [tick, tick]}, context)

    [line] = log_lines()
    assert on_queue_depth.group.calls == [("capacity", "3")]
    assert line["trigger"] == "watch"


def test_a_look_that_changes_nothing_is_silent(
    on_queue_depth: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    on_queue_depth.jobs.visible = 1

    on_queue_depth.handler(recorded_event("on_queue_depth_tick"), context)

    assert (log_lines(), on_queue_depth.group.calls) == ([], [])


@pytest.mark.parametrize("event", ["on_queue_depth", "on_queue_depth_tick"])
def test_a_look_that_fails_is_raised_so_that_it_is_counted_and_made_again(
    on_queue_depth: Any, recorded_event: Recorded, context: Any, event: str
) -> None:
    on_queue_depth.jobs.error = PermissionError("AccessDenied")

    with pytest.raises(PermissionError):
        on_queue_depth.handler(recorded_event(event), context)


def test_there_is_nothing_to_scale_while_the_group_does_not_exist(
    on_queue_depth: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    on_queue_depth.group = NoGroup()

    on_queue_depth.handler(recorded_event("on_queue_depth_tick"), context)

    [line] = log_lines()
    assert (line["level"], line["message"]) == ("INFO", "nothing to scale")


def test_an_unknown_depth_is_a_warning_and_changes_nothing(
    on_queue_depth: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    on_queue_depth.jobs.error = TransientError("Rate exceeded")

    on_queue_depth.handler(recorded_event("on_queue_depth"), context)

    assert (log_lines()[0]["level"], log_lines()[0]["reason"]) == ("WARNING", "UNKNOWN_METRICS")
    assert on_queue_depth.group.calls == []


def test_no_watch_runs_when_it_is_off(
    load_function: Load, recorded_event: Recorded, context: Any
) -> None:
    app: Any = load_function("reconcile", WATCH_SECONDS="0")
    app.group, app.watch = NoGroup(), FakeWatch()

    app.handler(recorded_event("reconcile"), context)

    assert app.watch.delays == []


@pytest.fixture
def reconcile(load_function: Load) -> ModuleType:
    app: Any = load_function("reconcile")
    app.group = FakeGroup(
        described=group_of(Member(INSTANCE, "InService", True), suspended_processes=frozenset())
    )
    app.jobs, app.watch, app.arrivals = FakeJobs(visible=2), FakeWatch(), FakeArrivals()
    app.worker_care = WorkerCare(FakeHeartbeats(), FakeMachines(), timedelta(minutes=5))
    return app  # type: ignore[no-any-return]


def test_while_jobs_come_the_queue_is_looked_at_each_second(
    reconcile: Any, recorded_event: Recorded, context: Any
) -> None:
    reconcile.arrivals = FakeArrivals(1, 1, 1)

    reconcile.handler(recorded_event("reconcile"), context)

    assert reconcile.watch.delays == list(range(1, 60))


def test_each_minute_capacity_watch_and_processes_are_set_right(
    reconcile: Any, recorded_event: Recorded, context: Any
) -> None:
    reconcile.handler(recorded_event("reconcile"), context)

    assert reconcile.group.calls == [("capacity", "2"), ("suspend", "AZRebalance")]
    assert reconcile.watch.delays == list(range(3, 60, 3))
    assert reconcile.worker_care.heartbeats.rows.keys() == {"reconcile"}


def test_the_watch_goes_on_when_the_fleet_cannot_be_seen(
    reconcile: Any, recorded_event: Recorded, context: Any
) -> None:
    class Throttled(FakeGroup):
        def describe(self) -> Group:
            raise TransientError("Rate exceeded")

    reconcile.group = Throttled()

    with pytest.raises(ExceptionGroup, match="some steps failed"):
        reconcile.handler(recorded_event("reconcile"), context)

    assert reconcile.watch.delays == list(range(3, 60, 3))


def test_one_step_that_fails_does_not_keep_the_others_and_is_raised_in_the_end(
    reconcile: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    reconcile.jobs.error = PermissionError("AccessDenied")

    with pytest.raises(ExceptionGroup, match="some steps failed"):
        reconcile.handler(recorded_event("reconcile"), context)

    assert reconcile.group.calls == [("suspend", "AZRebalance")]
    assert log_lines()[0]["step"] == "capacity"


def test_there_is_nothing_to_reconcile_before_the_group_exists(
    reconcile: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    reconcile.group = NoGroup()

    reconcile.handler(recorded_event("reconcile"), context)

    assert log_lines()[0]["message"] == "nothing to reconcile"


def test_what_an_instance_refresh_holds_is_said_and_counted_once_a_minute(
    on_queue_depth: Any, reconcile: Any, recorded_event: Recorded, log_lines: Lines, context: Any
) -> None:
    """Each look of the watch sees it, too, and nothing is wrong that an alarm should tell."""
    waiting = group_of(
        min_size=0,
        warm_pool_size=1,
        suspended_processes=frozenset({"AZRebalance", "Launch"}),
        tags=((BREAKER_TAG, "open"),),
    )
    for app, event in ((on_queue_depth, "on_queue_depth_tick"), (reconcile, "reconcile")):
        app.group = RefreshingGroup(described=waiting, pool=(Member(INSTANCE, "Warmed:Stopped"),))
        app.handler(recorded_event(event), context)

    [line] = [it for it in log_lines() if it.get("reason") == "INSTANCE_REFRESH"]
    assert (line["message"], line["trigger"]) == ("waking held", "reconcile")
