"""Lifecycle actions: the pauses that hooks put into a transition, each with a token of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from math import inf

from local.group.clock import Schedule
from local.group.errors import NoActiveLifecycleActionError, ValidationError
from local.group.settings import ABANDON, CONTINUE, Hook, check_result

HEARTBEAT_TIMEOUT = "Heartbeat Timeout"
_COMPLETED = {
    result: f"Lifecycle Action Completed with {result} Result" for result in (CONTINUE, ABANDON)
}


@dataclass(slots=True, eq=False)
class LifecycleAction:
    """An open pause; in epoch seconds. No heartbeat moves `expires_at` past `limit_at`."""

    token: str
    hook: Hook
    instance_id: str
    expires_at: float
    limit_at: float


class LifecycleActions:
    """All open actions of a group; tells `on_resolved` when the last one of an instance is done:
    the action that decided it, its result and the reason.

    ABANDON of any hook ends the others of the same pause too; CONTINUE waits for them (user guide,
    adding-lifecycle-hooks).
    """

    def __init__(
        self,
        schedule: Schedule,
        new_token: Callable[[], str],
        on_resolved: Callable[[LifecycleAction, str, str], None],
    ) -> None:
        self._schedule = schedule
        self._new_token = new_token
        self._on_resolved = on_resolved
        self._by_token: dict[str, LifecycleAction] = {}
        self._by_instance: dict[str, dict[str, LifecycleAction]] = {}
        # By when they may expire, those that have ended too until then; no two have one number, so
        # that actions are never compared.
        self._expiries: list[tuple[float, int, LifecycleAction]] = []
        self._numbers = count()
        self._looks_at = inf

    def __len__(self) -> int:
        return len(self._by_token)

    def open(self, instance_id: str, hooks: Iterable[Hook]) -> list[LifecycleAction]:
        """Begin one action for each hook; the instance must have none open."""
        opened = {hook.name: self._begin(instance_id, hook) for hook in hooks}
        self._by_instance[instance_id] = opened
        return list(opened.values())

    def of(self, instance_id: str) -> list[LifecycleAction]:
        return list(self._by_instance.get(instance_id, {}).values())

    def complete(
        self, hook_name: str, result: str, token: str | None, instance_id: str | None
    ) -> None:
        """End one action; raises NoActiveLifecycleActionError when it is not open."""
        check_result(result)
        action = self._find(hook_name, token, instance_id)
        self._end(action, result, _COMPLETED[result])

    def heartbeat(self, hook_name: str, token: str | None, instance_id: str | None) -> None:
        """Restart the timeout of one action, up to its limit; the same error as `complete`."""
        action = self._find(hook_name, token, instance_id)
        wait = action.hook.heartbeat_timeout_seconds
        action.expires_at = min(self._schedule.now() + wait, action.limit_at)

    def cancel(self, instance_id: str) -> None:
        """Drop what is open for the instance; nobody is told."""
        for action in self._by_instance.pop(instance_id, {}).values():
            del self._by_token[action.token]

    def complete_all_of(self, hook: Hook) -> None:
        """What DeleteLifecycleHook does to open actions: ABANDON launches, CONTINUE the others."""
        result = ABANDON if hook.kind.value.endswith("LAUNCHING") else CONTINUE
        for action in [a for a in self._by_token.values() if a.hook.name == hook.name]:
            if action.token in self._by_token:
                self._end(action, result, _COMPLETED[result])

    def _begin(self, instance_id: str, hook: Hook) -> LifecycleAction:
        now = self._schedule.now()
        action = LifecycleAction(
            token=self._new_token(),
            hook=hook,
            instance_id=instance_id,
            expires_at=now + hook.heartbeat_timeout_seconds,
            limit_at=now + hook.global_timeout_seconds,
        )
        self._by_token[action.token] = action
        heappush(self._expiries, (action.expires_at, next(self._numbers), action))
        self._look_at(action.expires_at)
        return action

    def _look_at(self, when: float) -> None:
        """One look for all, when the first of them may have expired: hardly any ever does."""
        if when < self._looks_at:
            self._looks_at = when
            self._schedule.call_at(when, self._look, when)

    def _look(self, when: float) -> None:
        if when != self._looks_at:
            return  # an earlier look has planned the next one
        self._looks_at = inf
        expired = []
        while self._expiries and self._expiries[0][0] <= when:
            _, number, action = heappop(self._expiries)
            if action.token not in self._by_token:
                continue
            if action.expires_at <= when:
                expired.append(action)
            else:  # by a heartbeat since
                heappush(self._expiries, (action.expires_at, number, action))
        if self._expiries:
            self._look_at(self._expiries[0][0])
        for action in expired:
            if action.token in self._by_token:
                self._end(action, action.hook.default_result, HEARTBEAT_TIMEOUT)

    def _find(self, hook_name: str, token: str | None, instance_id: str | None) -> LifecycleAction:
        if token is None and instance_id is None:
            raise ValidationError("Either LifecycleActionToken or InstanceId must be specified.")
        if token is not None:
            action = self._by_token.get(token)
        else:
            action = self._by_instance.get(instance_id or "", {}).get(hook_name)
        if action is None or action.hook.name != hook_name:
            raise NoActiveLifecycleActionError(token, instance_id)
        return action

    def _end(self, action: LifecycleAction, result: str, reason: str) -> None:
        open_actions = self._by_instance[action.instance_id]
        del open_actions[action.hook.name]
        del self._by_token[action.token]
        if open_actions and result == CONTINUE:
            return
        self.cancel(action.instance_id)
        self._on_resolved(action, result, reason)
