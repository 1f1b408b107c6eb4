"""The breaker: setup that fails again and again stops launching, and a person is told.

After a while one instance is set up for trial. If it is proven, launching goes on; if not, the next
trial is twice as far away. A person who resumes Launch closes the breaker at any time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pilotlight.fleet.breaker_state import BreakerState, Phase
from pilotlight.fleet.group import Group, Member
from pilotlight.fleet.trial import Census, PoolSizes, is_held_back, trial_capacity, trial_pool
from pilotlight.fleet.waits import Activity

LAUNCH = "Launch"
# What mends itself, a package index or a network that is away, mostly does so within minutes to an
# hour. What does not costs a dozen setups a day at the longest.
FIRST_COOL_DOWN = timedelta(minutes=15)
LONGEST_COOL_DOWN = timedelta(hours=2)
# A pass over the queue that read the group before the tag was written has ended by then.
LOWERED = timedelta(seconds=30)
# Auto Scaling launches within seconds, or EC2 has no capacity. Every instance that is lost while
# this lasts would be replaced as well.
LAUNCHED = timedelta(minutes=5)


class BreakerStep(StrEnum):
    """The closed set of what is done in one minute."""

    NONE = "NONE"
    OPEN = "OPEN"
    PREPARE = "PREPARE"
    TRY = "TRY"
    HOLD = "HOLD"
    REOPEN = "REOPEN"
    CLOSE = "CLOSE"


@dataclass(frozen=True, slots=True)
class BreakerDecision:
    """`state` and `pool` are what to set; None: leave it as it is."""

    step: BreakerStep
    reason: str
    state: BreakerState | None = None
    pool: PoolSizes | None = None
    failures: int = 0
    last_message: str = ""


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """`pool` are the sizes of the template; `trial_lasts` is the most that one trial may take."""

    max_failures: int
    pool: PoolSizes
    trial_lasts: timedelta


@dataclass(frozen=True, slots=True)
class Setups:
    """What the breaker sees."""

    group: Group
    warm: tuple[Member, ...]
    activities: tuple[Activity, ...]

    @property
    def can_launch(self) -> bool:
        return LAUNCH not in self.group.suspended_processes

    @property
    def there(self) -> Census:
        return Census.of(self.group, self.warm)

    def since(self, time: datetime) -> list[Activity]:
        """Newest first. A wake is no setup."""
        setups = [it for it in self.activities if it.is_setup and it.started_at > time]
        return sorted(setups, key=lambda it: it.started_at, reverse=True)


def decide_breaker(seen: Setups, policy: BreakerPolicy, now: datetime) -> BreakerDecision:
    """One step at a time; every step is safe to repeat."""
    if seen.group.is_being_deleted:
        return _wait("BEING_DELETED")
    state = BreakerState.of(seen.group)
    if state.phase is Phase.CLOSED:
        return _watch(seen, state, policy, now)
    if state.phase is Phase.TRIAL:
        return _await_launch(seen, state, policy, now)
    if seen.can_launch:
        pool = policy.pool if state.is_small else None
        return BreakerDecision(BreakerStep.CLOSE, "LAUNCH_RESUMED", _closed(now), pool)
    if state.phase is Phase.OPEN:
        return _cool_down(seen, state, policy, now)
    if state.phase is Phase.PREPARING:
        return _await_capacity(seen, state, policy, now)
    return _await_verdict(seen, state, policy, now)


def _watch(
    seen: Setups, state: BreakerState, policy: BreakerPolicy, now: datetime
) -> BreakerDecision:
    """Failures before it was closed do not count, or the old ones would open it at once."""
    failed = _failures_in_a_row(seen.since(state.since))
    if len(failed) < policy.max_failures:
        return BreakerDecision(BreakerStep.NONE, "SETUP_WORKS", failures=len(failed))
    return BreakerDecision(
        BreakerStep.OPEN,
        "SETUP_FAILS_AGAIN_AND_AGAIN",
        BreakerState(Phase.OPEN, now),
        failures=len(failed),
        last_message=failed[0].status_message,
    )


def _cool_down(
    seen: Setups, state: BreakerState, policy: BreakerPolicy, now: datetime
) -> BreakerDecision:
    if now < state.since + cool_down(state.failed_trials):
        return _wait("COOLING_DOWN")
    if any(not it.is_over for it in seen.activities if it.is_setup):
        return _wait("SETUP_STILL_RUNS")
    if not is_held_back(seen.group, seen.there, policy.pool):
        return _wait("NOTHING_WANTED")
    capacity = trial_capacity(seen.group, seen.there)
    preparing = BreakerState(Phase.PREPARING, now, state.failed_trials, capacity)
    return BreakerDecision(BreakerStep.PREPARE, "COOLED_DOWN", preparing)


def _await_capacity(
    seen: Setups, state: BreakerState, policy: BreakerPolicy, now: datetime
) -> BreakerDecision:
    """Whoever sets the capacity reads the tag; nobody may still be about to set a larger one."""
    if now > state.since + policy.trial_lasts:
        return _reopen(state, policy, now, "CAPACITY_NOT_LOWERED")
    if now < state.since + LOWERED or seen.group.desired_capacity > state.largest_capacity:
        return _wait("CAPACITY_NOT_LOWERED")
    trial = BreakerState(Phase.TRIAL, now, state.failed_trials, state.largest_capacity)
    pool = trial_pool(seen.group, seen.there, policy.pool)
    return BreakerDecision(BreakerStep.TRY, "CAPACITY_LOWERED", trial, pool)


def _await_launch(
    seen: Setups, state: BreakerState, policy: BreakerPolicy, now: datetime
) -> BreakerDecision:
    """What EC2 refused has not begun: Auto Scaling asks again, for a while.

    The group is made smaller each time, since it may have lost what it had: an instance that EC2
    has no capacity to wake is terminated.
    """
    if any(not it.was_refused for it in seen.since(state.since)):
        tried = BreakerState(Phase.TRIED, state.since, state.failed_trials)
        return BreakerDecision(BreakerStep.HOLD, "SETUP_BEGAN", tried, policy.pool)
    if now > state.since + LAUNCHED:
        return _reopen(state, policy, now, "NOTHING_LAUNCHED")
    smaller = min(state.largest_capacity, trial_capacity(seen.group, seen.there))
    trial = BreakerState(Phase.TRIAL, state.since, state.failed_trials, smaller)
    pool = trial_pool(seen.group, seen.there, policy.pool)
    return BreakerDecision(BreakerStep.TRY, "NOTHING_LAUNCHED", trial, pool)


def _await_verdict(
    seen: Setups, state: BreakerState, policy: BreakerPolicy, now: datetime
) -> BreakerDecision:
    setups = seen.since(state.since)
    if any(it.status == "Successful" for it in setups):
        return BreakerDecision(BreakerStep.CLOSE, "TRIAL_SUCCEEDED", _closed(now))
    if any(not it.is_over for it in setups):
        too_long = now > state.since + policy.trial_lasts
        return _fail(state, now, "TRIAL_TOO_LONG") if too_long else _wait("TRIAL_RUNS")
    if any(it.setup_failed for it in setups):
        return _fail(state, now, "TRIAL_FAILED", setups[0].status_message)
    return BreakerDecision(BreakerStep.REOPEN, "TRIAL_WITHOUT_RESULT", _open(state, now))


def cool_down(failed_trials: int) -> timedelta:
    """Doubles with each trial that failed, up to the longest."""
    doublings: int = 2 ** min(failed_trials, 10)
    return min(FIRST_COOL_DOWN * doublings, LONGEST_COOL_DOWN)


def _failures_in_a_row(setups: Iterable[Activity]) -> list[Activity]:
    """Newest first. Lack of capacity is no failure of the setup."""
    failed: list[Activity] = []
    for activity in setups:
        if activity.status == "Successful":
            break
        if activity.setup_failed:
            failed.append(activity)
    return failed


def _wait(reason: str) -> BreakerDecision:
    return BreakerDecision(BreakerStep.NONE, reason)


def _closed(now: datetime) -> BreakerState:
    return BreakerState(Phase.CLOSED, now)


def _open(state: BreakerState, now: datetime, failed: int = 0) -> BreakerState:
    return BreakerState(Phase.OPEN, now, state.failed_trials + failed)


def _fail(state: BreakerState, now: datetime, reason: str, message: str = "") -> BreakerDecision:
    again = _open(state, now, failed=1)
    return BreakerDecision(BreakerStep.REOPEN, reason, again, last_message=message)


def _reopen(
    state: BreakerState, policy: BreakerPolicy, now: datetime, reason: str
) -> BreakerDecision:
    """Nothing was tried, so the next trial is no further away; the pool gets its sizes back."""
    return BreakerDecision(BreakerStep.REOPEN, reason, _open(state, now), policy.pool)
