"""Completing a lifecycle action: by its token, once, and only if it is still open."""

from collections.abc import Mapping
from typing import Protocol

from pilotlight.errors import LifecycleActionPendingError, NoActiveLifecycleActionError
from pilotlight.fleet.command_result import Conclusion, Verb
from pilotlight.fleet.lifecycle_action import Pause
from pilotlight.fleet.outcome import Outcome, Result
from pilotlight.fleet.states import may_hold_action


class LifecycleActions(Protocol):
    """The group's side of a pause.

    `complete` and `record_heartbeat` raise NoActiveLifecycleActionError when AWS knows no such
    action, which it says both too early and too late; all raise TransientError when throttled.
    """

    def complete(self, pause: Pause, result: str) -> None: ...

    def record_heartbeat(self, pause: Pause) -> None: ...

    def lifecycle_state(self, instance_id: str) -> str | None:
        """None when no group has the instance."""
        ...


class InstanceHealth(Protocol):
    def set_unhealthy(self, instance_id: str) -> None: ...


class ProofTags(Protocol):
    def write(self, instance_id: str, tags: Mapping[str, str]) -> None: ...


def complete(actions: LifecycleActions, pause: Pause, result: Result, reason: str) -> Outcome:
    """CONTINUE or ABANDON, or the finding that it was done before.

    Raises LifecycleActionPendingError when AWS knows no such action, yet the instance waits.
    """
    try:
        actions.complete(pause, "ABANDON" if result is Result.ABANDONED else "CONTINUE")
    except NoActiveLifecycleActionError:
        return _already_done(actions, pause)
    return Outcome(result, reason)


def heartbeat(actions: LifecycleActions, pause: Pause) -> Outcome | None:
    """Restarts the hook's timeout; an outcome only when the action is over.

    It doubles as the one sure way to ask whether this very action is open: the token decides,
    not a description that lags. Raises LifecycleActionPendingError as `complete` does.
    """
    try:
        actions.record_heartbeat(pause)
    except NoActiveLifecycleActionError:
        return _already_done(actions, pause)
    return None


def settle(
    conclusion: Conclusion,
    pause: Pause,
    actions: LifecycleActions,
    health: InstanceHealth,
    tags: ProofTags,
) -> Outcome:
    """Carries out what a command's end means. Safe to repeat at any point.

    The heartbeat comes first: a result that arrives when its action is long over must not mark
    a working instance unhealthy. The proof is written before the instance passes.
    """
    over = heartbeat(actions, pause)
    if over:
        return over
    if conclusion.verb is Verb.EVICT:
        health.set_unhealthy(pause.instance_id)
    if conclusion.proof_tags:
        tags.write(pause.instance_id, conclusion.proof_tags)
    outcome = complete(actions, pause, _RESULTS[conclusion.verb], conclusion.reason)
    return Outcome(outcome.result, outcome.reason, conclusion.detail)


_RESULTS = {
    Verb.CONTINUE: Result.CONTINUED,
    Verb.ABANDON: Result.ABANDONED,
    Verb.EVICT: Result.EVICTED,
}


def _already_done(actions: LifecycleActions, pause: Pause) -> Outcome:
    state = actions.lifecycle_state(pause.instance_id)
    if may_hold_action(state):
        raise LifecycleActionPendingError(f"{pause.instance_id} is {state}, {pause} is not open")
    return Outcome(Result.ALREADY_DONE, "NO_ACTIVE_ACTION", f"the instance is {state}")
