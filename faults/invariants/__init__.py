"""What holds at every moment of a run, whatever goes wrong: one sentence and one function a file.

Each takes the world and yields what is not so, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from faults.invariants.breaker_stops_setup import breaker_stops_setup
from faults.invariants.calls_are_bounded import calls_are_bounded
from faults.invariants.capacity_follows_demand import CapacityFollowsDemand
from faults.invariants.code_raises_nothing import code_raises_nothing
from faults.invariants.healthy_are_kept import healthy_are_kept
from faults.invariants.jobs_are_kept import jobs_are_kept
from faults.invariants.jobs_go_on import jobs_go_on
from faults.invariants.never_above_limits import never_above_limits
from faults.invariants.newest_code_is_used import newest_code_is_used
from faults.invariants.no_leaks import NoLeaks
from faults.invariants.no_unproven import no_unproven
from faults.invariants.no_work_while_warming import no_work_while_warming
from faults.invariants.one_run_at_a_time import one_run_at_a_time
from faults.invariants.open_breaker_launches_nothing import open_breaker_launches_nothing
from faults.invariants.running_jobs_stay import running_jobs_stay
from faults.invariants.sleepers_are_woken import SleepersAreWoken
from faults.invariants.trial_is_small import trial_is_small
from faults.invariants.waiting_jobs_are_served import WaitingJobsAreServed
from faults.invariants.waits_end import waits_end
from faults.invariants.working_are_kept import working_are_kept

if TYPE_CHECKING:
    from faults.world import World

Invariant = Callable[["World"], Iterator[str]]

# Looked at after every moment in which anything happened.
AT_EVERY_MOMENT: tuple[Invariant, ...] = (
    code_raises_nothing,
    jobs_are_kept,
    running_jobs_stay,
    no_unproven,
    no_work_while_warming,
    one_run_at_a_time,
    healthy_are_kept,
    never_above_limits,
    jobs_go_on,
    newest_code_is_used,
    working_are_kept,
)


def over_time() -> tuple[Invariant, ...]:
    """About how long things last: looked at every few seconds. Some remember since when."""
    return (
        waits_end,
        CapacityFollowsDemand(),
        NoLeaks(),
        calls_are_bounded,
        breaker_stops_setup,
        open_breaker_launches_nothing,
        trial_is_small,
        SleepersAreWoken(),
        WaitingJobsAreServed(),
    )
