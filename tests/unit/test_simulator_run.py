"""Runs in virtual time: what waits, what is lost, what is paid."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from local.group.clock import VirtualClock
from simulator.arrivals import ArrivalMetric
from simulator.generators import bursty, steady
from simulator.limits import STARTS_AT_ONCE
from simulator.news import News
from simulator.ours import Ours
from simulator.result import Result
from simulator.rules import Contestant, Rule, View
from simulator.run import simulate
from simulator.surroundings import Surroundings
from simulator.trace import Trace

HOUR = 3600.0
ROOT = Path(__file__).parents[2]


@dataclass
class Backlog:
    """One instance for each unfinished job."""

    views: list[View] = field(default_factory=list)

    def decide(self, view: View) -> int | None:
        self.views.append(view)
        return view.visible + view.in_flight


@dataclass
class OnlyAdds:
    def decide(self, view: View) -> int | None:
        return max(view.desired, view.visible + view.in_flight)


@dataclass
class Script:
    """Capacities by the second from which they hold."""

    steps: dict[float, int]

    def decide(self, view: View) -> int | None:
        return [capacity for at, capacity in self.steps.items() if at <= view.now][-1]


def contestant(make: Callable[[], Rule] = Backlog, **surroundings: object) -> Contestant:
    settings = {"every_seconds": 5, "look_delay_seconds": 0, "kills_busy": False} | surroundings
    return Contestant(name="peer", make=make, **settings)


def jobs(*pairs: tuple[float, float]) -> Trace:
    arrivals, services = zip(*pairs, strict=True)
    return Trace("jobs", arrivals, services)


def run(trace: Trace, entrant: Contestant | Ours, **changes: object) -> Result:
    settings = {"prepared": 10, "max_size": 20} | changes
    return simulate(trace, entrant, Surroundings(**settings))


@pytest.mark.parametrize("entrant", [Ours(), contestant()], ids=["ours", "peer"])
def test_a_job_at_rest_waits_for_one_warm_start(entrant: Contestant | Ours) -> None:
    result = run(jobs((100.0, 50.0)), entrant)
    assert 13.0 < result.waits_seconds[0] < 40.0
    assert result.warm_starts >= 1
    assert result.cold_starts == 0
    assert result.unfinished == 0


def test_without_a_pool_a_job_waits_for_a_setup() -> None:
    result = run(jobs((100.0, 50.0)), contestant(), prepared=0)
    assert 120.0 < result.waits_seconds[0] < 900.0
    assert result.warm_share == 0.0


def test_an_idle_worker_takes_a_job_at_once() -> None:
    result = run(jobs((100.0, 50.0), (300.0, 5.0)), contestant(), min_size=1)
    assert max(result.waits_seconds) < 3.0


def test_a_worker_killed_at_work_loses_it_and_the_job_is_done_again() -> None:
    script = contestant(lambda: Script({0: 1, 200: 0, 400: 1}), kills_busy=True)
    result = run(jobs((0.0, 300.0)), script)
    assert result.busy_kills == 1
    assert 100.0 < result.lost_job_seconds < 200.0
    assert result.waits_seconds[0] > 400.0
    assert result.unfinished == 0


def test_a_protected_worker_ends_its_job_before_it_leaves() -> None:
    script = contestant(lambda: Script({0: 1, 200: 0, 1000: 1}))
    result = run(jobs((0.0, 300.0)), script)
    assert result.busy_kills == 0
    assert result.waits_seconds[0] < 40.0


def test_a_worker_that_exits_by_itself_takes_its_place_with_it() -> None:
    """Else a rule that only adds would keep it for ever."""
    trace = jobs((0.0, 100.0), (5 * HOUR, 100.0))
    stays, leaves = (
        run(trace, contestant(OnlyAdds, worker_idle_exit_seconds=exit_seconds))
        for exit_seconds in (None, 60)
    )
    assert leaves.instance_hours["billed"] < 0.2
    assert leaves.unfinished == 0
    assert stays.instance_hours["billed"] > 5.0


def test_a_capacity_that_nobody_gives_leaves_jobs_undone_and_says_so() -> None:
    result = run(jobs((0.0, 10.0)), contestant(lambda: Script({0: 0})))
    assert result.unfinished == 1
    assert result.waits_seconds[0] > 86_000.0


def test_a_start_is_billed_for_a_minute_at_least() -> None:
    seconds = run(jobs((100.0, 1.0)), Ours(idle_seconds=0.0)).instance_hours["billed"] * HOUR
    assert seconds >= 60.0


def test_old_metrics_show_the_queue_as_it_was() -> None:
    rule = Backlog()
    run(jobs((100.0, 1000.0)), contestant(lambda: rule, look_delay_seconds=60))
    first = next(view for view in rule.views if view.visible)
    assert first.now >= 160.0
    assert first.now - 66.0 < first.measured_at <= first.now - 60.0


def test_time_in_which_nothing_happens_costs_no_looks() -> None:
    def looks(gap_hours: float) -> int:
        rule = Backlog()
        trace = jobs((0.0, 10.0), (gap_hours * HOUR, 10.0))
        run(trace, contestant(lambda: rule, memory_seconds=0.0))
        return len(rule.views)

    assert looks(2000.0) <= looks(2.0) + 5


def test_looks_at_what_workers_do_are_left_out_only_where_they_would_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trace = bursty(days=0.5)
    spared = simulate(trace, Ours(), Surroundings(max_size=500))
    monkeypatch.setattr(News, "tell_of_worker", News.tell)

    assert simulate(trace, Ours(), Surroundings(max_size=500)) == spared


def test_what_arrivals_have_counted_is_what_their_minutes_tell() -> None:
    clock = VirtualClock()
    arrivals = ArrivalMetric(clock)
    for at in bursty(days=0.5).arrivals_seconds:
        clock.run_until(at)
        arrivals.sent()
        counted = arrivals.history()

        assert counted.followers == replace(counted, counted_followers=None).followers


def test_a_run_leaves_the_collection_of_garbage_as_it_was() -> None:
    usual = gc.get_threshold()
    simulate(jobs((0.0, 60.0)), Ours(), Surroundings())

    assert gc.get_threshold() == usual


def test_the_same_seed_gives_the_same_result_and_another_one_does_not() -> None:
    trace = steady(days=0.05)
    first, again = run(trace, Ours()), run(trace, Ours())
    assert first == again
    assert run(trace, Ours(), seed=2).waits_seconds != first.waits_seconds


def test_ours_kills_nobody_and_finishes_all() -> None:
    result = run(steady(days=0.1), Ours(), prepared=30, max_size=40)
    assert (result.busy_kills, result.lost_job_seconds, result.unfinished) == (0, 0.0, 0)


def test_a_batch_of_each_hour_waits_only_until_four_of_them_are_known() -> None:
    hours, batch = 10, 6
    moments = [hour * HOUR + 600 + second for hour in range(hours) for second in range(batch)]

    result = run(jobs(*((moment, 300.0) for moment in moments)), Ours())

    assert sum(wait > 1 for wait in result.waits_seconds) == 4 * batch


def test_capacity_errors_fail_starts_and_the_jobs_are_done_all_the_same() -> None:
    result = run(steady(days=0.02), Ours(), capacity_error_probability=0.3)
    assert result.failed_starts > 0
    assert result.unfinished == 0


def test_ours_is_what_the_template_ships() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")

    def default(parameter: str) -> float:
        found = re.search(rf"^  {parameter}:\n(?:    .*\n)*?    Default: (\S+)", template, re.M)
        assert found, parameter
        return float(found[1])

    ours = Ours()
    assert ours.watch_seconds == default("WatchSeconds")
    assert ours.idle_seconds == default("IdleSeconds")
    assert ours.policy.target_wait_seconds == default("TargetWaitSeconds")


def test_a_throttled_start_comes_later_and_is_not_lost() -> None:
    """A burst twice as large as what EC2 starts at once; the last one waits for its turn."""
    burst = jobs(*((100.0, 900.0) for _ in range(2 * STARTS_AT_ONCE)))
    sizes = {"prepared": 0, "max_size": 2 * STARTS_AT_ONCE, "setup_seconds": 1.0}
    throttled = run(burst, contestant(), starts_per_second=10.0, **sizes)
    free = run(burst, contestant(), **sizes)
    assert throttled.unfinished == 0
    assert 80.0 < max(throttled.waits_seconds) - max(free.waits_seconds) < 120.0
    assert throttled.waits_seconds[STARTS_AT_ONCE // 2] < free.waits_seconds[-1]


def test_a_throttled_scaler_asks_again_at_its_next_look() -> None:
    result = run(steady(days=0.02), contestant(), calls_per_second=0.1)
    assert result.throttled_calls > 0
    assert result.unfinished == 0
