"""What a worker does next: one pure function of what it knows and sees.

The order of things keeps jobs safe. An instance is protected from scale-in before it receives
and until it has been idle long enough; it stops receiving before it drops protection; and once
that is dropped it receives again only after Auto Scaling has confirmed the protection anew: when
work waits, or when nobody took it within the time of an offer (idleness.py).

An instance that enters service is protected by its group (NewInstancesProtectedFromScaleIn, which
also counts for one that comes from the warm pool: Auto Scaling user guide, instance-protection).
So a woken worker receives at once. It asks for a confirmation a little later, at a moment of its
own, so that many which boot together stay inside the API's limits.
"""

from dataclasses import replace

from pilotlight.worker.loop_state import (
    IN_SERVICE,
    POOL_PREFIX,
    TERMINATED,
    Action,
    Fitness,
    Observation,
    Policy,
    Protection,
    Reason,
    State,
    Step,
)


def decide(state: State, seen: Observation, now: float, policy: Policy) -> Step:
    if state.left_service and seen.target == IN_SERVICE and not seen.terminating:
        return Step(Action.RESUME, Reason.BACK_IN_SERVICE, state)
    state = _follow(state, seen, now, policy)
    if state.hand_back_at is not None:
        return _leave(state, seen, now)
    if seen.target != IN_SERVICE:
        return Step(Action.WAIT, Reason.NOT_IN_SERVICE, state)
    if seen.fitness is Fitness.UNKNOWN:
        return Step(Action.SELF_CHECK, Reason.SELF_CHECK, state)
    if seen.fitness is Fitness.UNFIT:
        return Step(Action.REPORT_UNHEALTHY, Reason.SELF_CHECK_FAILED, state)
    if state.protection in (Protection.DROPPING, Protection.DROPPED):
        return _stay_released(state, now, policy)
    if seen.fitness is Fitness.CHECKING:
        return Step(Action.WAIT, Reason.SELF_CHECK, state)
    return _work(state, seen, now, policy)


def _follow(state: State, seen: Observation, now: float, policy: Policy) -> State:
    """Note that the instance is leaving, and keep the earliest of the deadlines given."""
    deadlines = [state.hand_back_at, seen.drain_deadline, seen.notice_deadline]
    leaves_group = seen.target == TERMINATED or (seen.target or "").startswith(POOL_PREFIX)
    if leaves_group:
        deadlines.append(now + policy.drain_seconds)
    if seen.terminating:
        deadlines.append(now)
    hand_back_at = min((moment for moment in deadlines if moment is not None), default=None)
    left = state.left_service or leaves_group
    return replace(state, hand_back_at=hand_back_at, left_service=left)


def _leave(state: State, seen: Observation, now: float) -> Step:
    if seen.running or seen.receiving:
        return Step(Action.WAIT, Reason.DRAINING, state)
    if seen.terminating:
        return Step(Action.EXIT, Reason.DRAINED, state)
    if seen.notice_deadline is not None and seen.target == IN_SERVICE:
        return Step(Action.REPORT_UNHEALTHY, Reason.INTERRUPTED, state)
    if seen.target == IN_SERVICE and state.holds_protection and now >= state.call_at:
        return Step(Action.UNPROTECT, Reason.DRAINED, state)  # drained by hand: free to go
    return Step(Action.WAIT, Reason.DRAINED, state)


def _work(state: State, seen: Observation, now: float, policy: Policy) -> Step:
    idle_since = max(seen.last_work_at, seen.ready_at, state.active_since)
    idle = not seen.running and now - idle_since >= state.idleness.seconds(policy.patience)
    if idle and seen.receiving:
        return Step(Action.WAIT, Reason.IDLE, state)
    if idle and now >= state.call_at:
        return Step(Action.UNPROTECT, Reason.IDLE, state)
    if seen.wanted and not seen.receiving and now >= state.receive_at:
        return Step(Action.RECEIVE, Reason.RECEIVING, state)
    if state.protection is Protection.ASSUMED and now >= max(state.confirm_at, state.call_at):
        return Step(Action.PROTECT, Reason.CONFIRMING, state)
    if seen.receiving:
        return Step(Action.WAIT, Reason.RECEIVING, state)
    reason = Reason.QUEUE_UNREACHABLE if seen.wanted else Reason.BUSY
    return Step(Action.WAIT, reason, state)


def _stay_released(state: State, now: float, policy: Policy) -> Step:
    if state.waiting and now >= state.call_at:
        return Step(Action.PROTECT, Reason.WORK_WAITING, state)
    if state.protection is Protection.DROPPING and now >= state.call_at:
        return Step(Action.UNPROTECT, Reason.IDLE, state)
    untaken = now >= state.offered_at + policy.patience.offer_seconds
    if untaken and not state.failed_calls:
        return Step(Action.PROTECT, Reason.NOT_TAKEN, state)
    action = Action.LOOK if now >= state.look_at else Action.WAIT
    return Step(action, Reason.RELEASED, state)
