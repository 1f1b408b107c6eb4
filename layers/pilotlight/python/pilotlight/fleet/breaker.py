"""The breaker: setup that fails again and again stops launching, and a person is told.

After a while one instance is set up for trial. If it is proven, launching goes on; if not, the next
trial is twice as far away. A deploy of another setup, or a person, closes it at any time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pilotlight.fleet.breaker_state import LONG_AGO, BreakerState, Phase
from pilotlight.fleet.group import Group, Member
from pilotlight.fleet.trial import Census, PoolSizes, is_held_back, trial_capacity, trial_pool
from pilotlight.fleet.waits import Activity

# What mends itself, a package index or a network that is away, mostly does so within minutes to an
# hour. What does not costs a dozen setups a day at the longest.
FIRST_COOL_DOWN = timedelta(minutes=15)
LONGEST_COOL_DOWN = timedelta(hours=2)
# A look at the queue that read the group before the tag was written has ended by then.
LOOKED = timedelta(seconds=30)
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
    RESUME = "RESUME"
    CLOSED = "CLOSED"


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
    """`pool` are the sizes of the template; `trial_lasts` is the most that one trial may take;
    `deployed` are the versions of what was deployed last, by which a setup is made: layers and
    launch template.
    """

    max_failures: int
    pool: PoolSizes
    trial_lasts: timedelta
    deployed: str

    def setup_of(self, group: Group) -> str:
        """The version of all that a setup is made from.

        The launch template is in it twice. A deploy may give it to an instance refresh, which
        replaces nothing while launching is suspended, and to the group when that has succeeded;
        or to the group at first, which is after the functions know of it.
        """
        return f"{group.launch_template_version}.{self.deployed}"


@dataclass(frozen=True, slots=True)
class Setups:
    """What the breaker sees."""

    group: Group
    warm: tuple[Member, ...]
    activities: tuple[Activity, ...]

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
    if state.phase is Phase.CLOSING:
        return _await_launching(seen, state, policy, now)
    if state.setup not in ("", policy.setup_of(seen.group)):
        return _close(now, "ANOTHER_SETUP_DEPLOYED")
    if state.phase is Phase.OPEN:
        return _cool_down(seen, state, policy, now)
    if state.phase is Phase.PREPARING:
        return _await_capacity(seen, state, policy, now)
    if state.phase is Phase.TRIAL:
        return _await_launch(seen, state, policy, now)
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
        BreakerState(Phase.OPEN, now, setup=policy.setup_of(seen.group)),
        failures=len(failed),
        last_message=failed[0].status_message,
    )


def _cool_down(
    seen: Setups, state: BreakerState, policy: BreakerPolicy, now: datetime
) -> BreakerDecision:
    """What replaces an instance that is lost during a wake is as good as a trial."""
    if any(it.status == "Successful" for it in seen.since(state.since)):
        return _close(now, "SETUP_SUCCEEDED")
    if now < state.since + cool_down(state.failed_trials):
        return _wait("COOLING_DOWN")
    if any(not it.is_over for it in seen.activities if it.is_setup):
        return _wait("SETUP_STILL_RUNS")
    if not is_held_back(seen.group, seen.there, policy.pool):
        return _wait("NOTHING_WANTED")
    capacity = trial_capacity(seen.group, seen.there)
    preparing = replace(
        state,
        phase=Phase.PREPARING,
        since=now,
        largest_capacity=capacity,
        setup=policy.setup_of(seen.group),
    )
    return BreakerDecision(BreakerStep.PREPARE, "COOLED_DOWN", preparing)


def _await_capacity(
    seen: Setups, state: BreakerState, policy: BreakerPolicy, now: datetime
) -> BreakerDecision:
    """Whoever sets the capacity reads the tag; nobody may still be about to set a larger one."""
    if now > state.since + policy.trial_lasts:
        return _reopen(state, now, "CAPACITY_NOT_LOWERED")
    if now < state.since + LOOKED or seen.group.desired_capacity > state.largest_capacity:
        return _wait("CAPACITY_NOT_LOWERED")
    trial = replace(state, phase=Phase.TRIAL, since=now)
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
        tried = replace(state, phase=Phase.TRIED, largest_capacity=0)
        return BreakerDecision(BreakerStep.HOLD, "SETUP_BEGAN", tried)
    if now > state.since + LAUNCHED:
        return _reopen(state, now, "NOTHING_LAUNCHED")
    smaller = min(state.largest_capacity, trial_capacity(seen.group, seen.there))
    trial = replace(state, largest_capacity=smaller)
    pool = trial_pool(seen.group, seen.there, policy.pool)
    return BreakerDecision(BreakerStep.TRY, "NOTHING_LAUNCHED", trial, pool)


def _await_verdict(
    seen: Setups, state: BreakerState, policy: BreakerPolicy, now: datetime
) -> BreakerDecision:
    setups = seen.since(state.since)
    if any(it.status == "Successful" for it in setups):
        return _close(now, "TRIAL_SUCCEEDED")
    if any(not it.is_over for it in setups):
        too_long = now > state.since + policy.trial_lasts
        return _fail(state, now, "TRIAL_TOO_LONG") if too_long else _wait("TRIAL_RUNS")
    if any(it.setup_failed for it in setups):
        return _fail(state, now, "TRIAL_FAILED", setups[0].status_message)
    return _reopen(state, now, "TRIAL_WITHOUT_RESULT")


def _await_launching(
    seen: Setups, state: BreakerState, policy: BreakerPolicy, now: datetime
) -> BreakerDecision:
    """A look at the queue may have suspended launching just after it was resumed.

    The pool gets its sizes back last: an instance refresh, which a deploy begins, keeps them as
    they are until it is over, and needs launches before that.
    """
    if state.since == LONG_AGO:
        return _close(now, "ASKED_FOR")
    watched = _watch(seen, state, policy, now)
    if watched.step is BreakerStep.OPEN:
        return watched
    if now < state.since + LOOKED or not seen.group.can_launch:
        return BreakerDecision(BreakerStep.RESUME, "LAUNCHING_RESUMED")
    closed = BreakerState(Phase.CLOSED, state.since)
    return BreakerDecision(BreakerStep.CLOSED, "LAUNCHING_GOES_ON", closed, policy.pool)


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


def _close(now: datetime, reason: str) -> BreakerDecision:
    return BreakerDecision(BreakerStep.CLOSE, reason, BreakerState(Phase.CLOSING, now))


def _open(state: BreakerState, now: datetime, failed: int = 0) -> BreakerState:
    failed_trials = state.failed_trials + failed
    return replace(
        state, phase=Phase.OPEN, since=now, failed_trials=failed_trials, largest_capacity=0
    )


def _fail(state: BreakerState, now: datetime, reason: str, message: str = "") -> BreakerDecision:
    again = _open(state, now, failed=1)
    return BreakerDecision(BreakerStep.REOPEN, reason, again, last_message=message)


def _reopen(state: BreakerState, now: datetime, reason: str) -> BreakerDecision:
    """Nothing was tried, so the next trial is no further away."""
    return BreakerDecision(BreakerStep.REOPEN, reason, _open(state, now))
