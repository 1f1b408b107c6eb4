"""What happened elsewhere does not happen here: each incident as a story with its own faults.

docs/incidents.md names each, and what holds off those that are about the template alone.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from faults.plan import Fault, JobSpec, Plan, Settings
from faults.run import Result, run

ROOT = Path(__file__).parents[2]


class Incident(NamedTuple):
    """A story, and what has to be true of it beyond all invariants."""

    plan: Plan
    holds: Callable[[Result], bool] = lambda _: True


def story(*faults: Fault, jobs: tuple[JobSpec, ...] = (), **settings: object) -> Plan:
    return Plan(1, Settings(**settings), jobs, faults)


def burst(at: float, count: int, seconds: float = 20.0) -> tuple[JobSpec, ...]:
    return tuple(JobSpec(at + it / 10, f"job-{at:.0f}-{it}", seconds) for it in range(count))


def all_done(result: Result) -> bool:
    return result.jobs == result.results > 0


def calls_of_workers(result: Result, service: str) -> int:
    return sum(
        times
        for (who, call), times in result.calls.items()
        if who == "workers" and call.startswith(service)
    )


INCIDENTS = {
    "worker-takes-job-while-warming": Incident(
        story(jobs=burst(30, 3), min_size=0, max_size=3), all_done
    ),
    "stop-terminate-replace-loop": Incident(
        story(jobs=burst(200, 2) + burst(600, 2), min_size=0, max_size=2),
        lambda result: all_done(result) and result.launches == 2,
    ),
    "bootstrap-fails-but-in-service": Incident(
        story(Fault(0, "setup_fails", count=2), jobs=burst(100, 3)), all_done
    ),
    "setup-fails-forever": Incident(
        story(Fault(0, "setup_fails", count=99), max_size=3, max_setup_failures=3),
        lambda result: result.alerts >= 1 and result.launches <= 12,
    ),
    "only-first-of-two-hooks": Incident(
        story(jobs=burst(300, 2), min_size=0, max_size=2), all_done
    ),
    "expired-token-redelivered-forever": Incident(
        story(
            Fault(0, "event_doubled", seconds=1200, count=99, index=200),
            jobs=burst(200, 2) + burst(700, 2),
            min_size=0,
        ),
        all_done,
    ),
    "late-entry-event-completes-exit": Incident(
        story(
            Fault(0, "event_late", seconds=60, count=4, what="aws.autoscaling", index=150),
            jobs=burst(150, 2),
            min_size=0,
        ),
        all_done,
    ),
    "lost-event-strands-instance": Incident(
        story(Fault(0, "event_lost", seconds=1200, count=999), jobs=burst(300, 3), min_size=0),
        all_done,
    ),
    "ssm-pending-abandons": Incident(
        story(Fault(0, "agent_registers_late", seconds=100, count=9), max_size=2),
        lambda result: result.launches == 2,
    ),
    "install-longer-than-lambda": Incident(
        story(
            max_size=2, heartbeat_seconds=240, setup_timeout_seconds=600, real_setup_seconds=400.0
        ),
        lambda result: result.launches == 2,
    ),
    "scale-in-kills-busy-worker": Incident(
        story(
            *(Fault(at, "capacity_set_by_hand", index=0) for at in range(320, 400, 10)),
            jobs=burst(300, 4, seconds=120.0),
            min_size=0,
        ),
        lambda result: all_done(result) and result.ran_again == 0,
    ),
    "check-then-kill-race": Incident(
        story(
            *(Fault(at, "capacity_set_by_hand", index=0) for at in range(330, 900, 20)),
            jobs=tuple(job for at in range(300, 900, 17) for job in burst(at, 1, 1.0)),
            min_size=0,
            idle_seconds=5,
        ),
        all_done,
    ),
    "all-protected-stuck": Incident(
        story(
            Fault(320, "worker_cannot_start"),
            jobs=burst(300, 1, seconds=60.0) + burst(400, 2),
            max_size=1,
        ),
        lambda result: all_done(result) and result.at < 1500,
    ),
    "drain-stuck-48h": Incident(
        story(
            Fault(340, "worker_hangs", seconds=3000.0),
            Fault(345, "marked_unhealthy"),
            jobs=burst(300, 2, seconds=60.0),
            max_size=2,
        ),
        all_done,
    ),
    "capacity-lost-while-stopped": Incident(
        story(Fault(250, "no_capacity", seconds=600), jobs=burst(300, 3), min_size=0), all_done
    ),
    "throttled-scale-out": Incident(
        story(
            Fault(290, "call_throttled", seconds=240, count=9999, what="autoscaling"),
            jobs=burst(300, 4),
        ),
        all_done,
    ),
    "queue-asleep": Incident(
        story(
            Fault(0, "metrics_missing", seconds=1200),
            jobs=burst(300, 2),
            min_size=0,
            watch_seconds=0,
        ),
        all_done,
    ),
    "cannot-leave-zero": Incident(story(jobs=burst(300, 1), min_size=0, pool_min_size=1), all_done),
    "alarm-fires-once": Incident(
        story(jobs=burst(300, 1, 120.0) + burst(400, 6), min_size=0, watch_seconds=0), all_done
    ),
    "rule-deleted-before-group": Incident(
        story(Fault(360, "stack_deleted"), jobs=burst(300, 4, 120.0), min_size=0),
        lambda result: result.results + result.left == result.jobs and result.left > 0,
    ),
    "stale-pool-after-update": Incident(  # invariant 15 looks at the code that each start uses
        story(Fault(400, "stack_updated", index=1), jobs=burst(600, 3), min_size=0),
        lambda result: all_done(result) and result.tally["stack_updated"] == 1,
    ),
    "boot-storm-throttles-itself": Incident(
        story(
            Fault(600, "call_throttled", count=40, what="autoscaling", who="workers"),
            jobs=burst(600, 40, seconds=60.0),
            min_size=0,
            max_size=40,
        ),
        lambda result: all_done(result) and calls_of_workers(result, "autoscaling") <= 3 * 40,
    ),
    "double-claim-of-stopping-node": Incident(
        story(
            jobs=tuple(job for at in range(300, 700, 7) for job in burst(at, 1 + at % 2, 1.0)),
            min_size=0,
            max_size=2,
            idle_seconds=5,
            drain_seconds=0,
        ),
        lambda result: all_done(result) and result.ran_again == 0,
    ),
    "warm-pool-slower-than-cold": Incident(
        story(jobs=burst(300, 1), min_size=0, max_size=1, watch_seconds=10),
        lambda result: all_done(result) and result.longest_wait_seconds < 45.0,
    ),
    "update-resets-capacity": Incident(
        story(
            Fault(360, "stack_updated", index=1),
            jobs=burst(300, 4, seconds=120.0),
            min_size=0,
        ),
        lambda result: all_done(result) and result.ran_again == 0,
    ),
    "pool-larger-than-thought": Incident(
        story(max_size=500, max_prepared=2, min_size=0), lambda result: result.launches == 2
    ),
    "disk-full-during-install": Incident(
        story(Fault(0, "setup_fills_disk", count=2), jobs=burst(100, 2)), all_done
    ),
}


def rows_of_the_page() -> dict[str, str]:
    """What holds each incident off, by its name."""
    page = (ROOT / "docs/incidents.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    return {row[0]: row[-1] for row in rows if row[0] != "incident"}


def test_every_incident_of_the_page_has_its_test() -> None:
    rows = rows_of_the_page()

    assert {name for name, held in rows.items() if held.startswith("story")} == INCIDENTS.keys()
    for held in rows.values():
        for file, test in re.findall(r"`([\w/.]+)::(\w+)`", held):
            assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")
    assert all(held.startswith(("story", "`tests/")) for held in rows.values())


@pytest.mark.parametrize("name", INCIDENTS)
def test_an_incident_of_others_does_not_happen_here(name: str) -> None:
    plan, holds = INCIDENTS[name]

    result = run(plan)

    assert result.broken == ""
    assert holds(result), result
