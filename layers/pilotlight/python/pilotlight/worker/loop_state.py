"""What a worker knows and sees, and how what it did changes what it knows. See loop.py."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from pilotlight.worker.idleness import NEW, Idleness, Patience, patience_of_one

IN_SERVICE = "InService"
TERMINATED = "Terminated"
POOL_PREFIX = "Warmed:"

CONFIRM_AFTER_SECONDS = 5.0  # it cannot be confirmed while the launch hook is open
# 500 that woke together then make four calls a second, which leaves the API to the scaler.
CONFIRM_SPREAD_SECONDS = 120.0
IDLE_SPREAD = 0.25  # of the idle time; workers that fell idle together do not call together
LOOK_SECONDS = 2.0  # how soon an idle, unprotected worker notices work
MAX_RETRY_SECONDS = 60.0


class Protection(StrEnum):
    ASSUMED = "assumed"  # given by the group; this worker has not asked yet
    CONFIRMED = "confirmed"
    DROPPING = "dropping"  # a request to drop it was not answered: it may be either
    DROPPED = "dropped"


class Fitness(StrEnum):
    UNKNOWN = "unknown"
    CHECKING = "checking"
    FIT = "fit"
    UNFIT = "unfit"


class Action(StrEnum):
    WAIT = "wait"
    SELF_CHECK = "self_check"
    RECEIVE = "receive"
    LOOK = "look"
    PROTECT = "protect"
    UNPROTECT = "unprotect"
    REPORT_UNHEALTHY = "report_unhealthy"
    RESUME = "resume"
    EXIT = "exit"


class Reason(StrEnum):
    NOT_IN_SERVICE = "NOT_IN_SERVICE"
    BACK_IN_SERVICE = "BACK_IN_SERVICE"
    SELF_CHECK = "SELF_CHECK"
    SELF_CHECK_FAILED = "SELF_CHECK_FAILED"
    CONFIRMING = "CONFIRMING"
    RECEIVING = "RECEIVING"
    BUSY = "BUSY"
    QUEUE_UNREACHABLE = "QUEUE_UNREACHABLE"
    IDLE = "IDLE"
    RELEASED = "RELEASED"
    NOT_TAKEN = "NOT_TAKEN"
    WORK_WAITING = "WORK_WAITING"
    DRAINING = "DRAINING"
    DRAINED = "DRAINED"
    INTERRUPTED = "INTERRUPTED"


@dataclass(frozen=True)
class Policy:
    patience: Patience
    drain_seconds: float


def policy_of_one(
    idle_seconds: float, watch_seconds: int, drain_seconds: float, jitter: float
) -> Policy:
    """`jitter` from 0 to 1 makes a worker's idle time its own: never shorter than asked for."""
    patience = patience_of_one(idle_seconds, watch_seconds, jitter * IDLE_SPREAD)
    return Policy(patience, drain_seconds)


@dataclass(frozen=True)
class Observation:
    """What is so now. Deadlines are moments at which running jobs are handed back."""

    target: str | None  # of the instance metadata; None: no answer, or not in a group
    fitness: Fitness = Fitness.FIT
    running: int = 0
    wanted: int = 1  # messages that could be begun soon; 0: there are enough
    receiving: bool = False  # a receive is open: it may still bring messages
    last_work_at: float = 0.0
    ready_at: float = 0.0  # when the self check had passed; 0 before
    terminating: bool = False  # told to end, as systemd does when the instance stops
    drain_deadline: float | None = None  # asked for by the drain command
    notice_deadline: float | None = None  # EC2 announced an interruption


@dataclass(frozen=True)
class State:
    """What must be remembered from one step to the next."""

    protection: Protection
    confirm_at: float = 0.0
    active_since: float = 0.0
    call_at: float = 0.0  # no protection call before: an earlier one failed
    failed_calls: int = 0
    look_at: float = 0.0
    waiting: int = 0  # messages in the queue, by the last look
    idleness: Idleness = NEW
    offered_at: float = 0.0  # since when it has been unprotected
    receive_at: float = 0.0
    failed_receives: int = 0
    hand_back_at: float | None = None  # set while leaving
    left_service: bool = False

    @property
    def holds_protection(self) -> bool:
        """Whether the group may think that this instance is protected."""
        return self.protection is not Protection.DROPPED


@dataclass(frozen=True)
class Step:
    action: Action
    reason: Reason
    state: State


def entering_service(now: float, jitter: float) -> State:
    """Protected by the group; `jitter` from 0 to 1 chooses the moment of the confirmation."""
    confirm_at = now + CONFIRM_AFTER_SECONDS + jitter * CONFIRM_SPREAD_SECONDS
    return State(Protection.ASSUMED, confirm_at=confirm_at, active_since=now)


def perhaps_unprotected(now: float) -> State:
    """Of a worker that starts again in a boot during which it asked to drop its protection: perhaps
    that was refused, or its instance has entered service since, protected by the group."""
    return State(Protection.DROPPING, active_since=now)


def protected(state: State, now: float) -> State:
    """After being unprotected the idle time begins anew; a mere confirmation does not touch it."""
    was_released = state.protection in (Protection.DROPPING, Protection.DROPPED)
    untaken = was_released and not state.waiting
    return replace(
        state,
        protection=Protection.CONFIRMED,
        active_since=now if was_released else state.active_since,
        idleness=state.idleness.offer_untaken() if untaken else state.idleness,
        waiting=0,
        call_at=0.0,
        failed_calls=0,
    )


def protection_dropped(state: State, now: float) -> State:
    """An API that refuses calls is not asked to take back what nobody may have seen."""
    return replace(
        state,
        protection=Protection.DROPPED,
        offered_at=math.inf if state.failed_calls else now,
        waiting=0,
        look_at=now + LOOK_SECONDS,
        call_at=0.0,
        failed_calls=0,
    )


def protection_call_failed(state: State, action: Action, now: float, jitter: float) -> State:
    """Try later. A drop whose answer was lost may have happened: no receive until it is clear."""
    protection = Protection.DROPPING if action is Action.UNPROTECT else state.protection
    return replace(
        state,
        protection=protection,
        failed_calls=state.failed_calls + 1,
        call_at=now + _retry_seconds(state.failed_calls, jitter),
    )


def looked(state: State, waiting: int, now: float) -> State:
    return replace(state, waiting=waiting, look_at=now + LOOK_SECONDS)


def received(state: State) -> State:
    return replace(state, receive_at=0.0, failed_receives=0)


def job_came(state: State, idle_seconds: float) -> State:
    """`idle_seconds` had the worker had nothing to do when messages came."""
    return replace(state, idleness=state.idleness.job_came(idle_seconds))


def receive_failed(state: State, now: float, jitter: float) -> State:
    return replace(
        state,
        failed_receives=state.failed_receives + 1,
        receive_at=now + _retry_seconds(state.failed_receives, jitter),
    )


def _retry_seconds(earlier_failures: int, jitter: float) -> float:
    """1, 2, 4, ... to 60 s, each shortened by up to a half so that no two workers keep step."""
    whole: float = min(2.0 ** min(earlier_failures, 10), MAX_RETRY_SECONDS)
    return whole * (1 - jitter / 2)
