"""Lifecycle actions: the pauses that hooks put into a transition, each with a token of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from local.group.clock import Schedule, Timer
from local.group.errors import NoActiveLifecycleActionError, ValidationError
from local.group.settings import ABANDON, CONTINUE, Hook, check_result

HEARTBEAT_TIMEOUT = "Heartbeat Timeout"


@dataclass(slots=True, eq=False)
class LifecycleAction:
    """An open pause; in epoch seconds. No heartbeat moves `expires_at` past `limit_at`."""

    token: str
    hook: Hook
    instance_id: str
    expires_at: float
    limit_at: float
    timer: Timer | None = None


class Resolution(NamedTuple):
    """How the pauses of one transition ended: the result, the token and reason that decided it."""

    result: str
    token: str
    reason: str

    @property
    def abandoned(self) -> bool:
        return self.result == ABANDON


class LifecycleActions:
    """All open actions of a group; tells `on_resolved` when the last one of an instance is done.

    ABANDON of any hook ends the others of the same pause too; CONTINUE waits for them (user guide,
    adding-lifecycle-hooks).
    """

    def __init__(
        self,
        schedule: Schedule,
        new_token: Callable[[], str],
        on_resolved: Callable[[str, Resolution], None],
    ) -> None:
        self._schedule = schedule
        self._new_token = new_token
        self._on_resolved = on_resolved
        self._by_token: dict[str, LifecycleAction] = {}
        self._by_instance: dict[str, dict[str, LifecycleAction]] = {}

    def __len__(self) -> int:
        return len(self._by_token)

    def open(self, instance_id: str, hooks: Iterable[Hook]) -> list[LifecycleAction]:
        """Begin one action for each hook; the instance must have none open."""
        opened = [self._begin(instance_id, hook) for hook in hooks]
        self._by_instance[instance_id] = {action.hook.name: action for action in opened}
        return opened

    def of(self, instance_id: str) -> list[LifecycleAction]:
        return list(self._by_instance.get(instance_id, {}).values())

    def complete(
        self, hook_name: str, result: str, token: str | None, instance_id: str | None
    ) -> None:
        """End one action; raises NoActiveLifecycleActionError when it is not open."""
        check_result(result)
        action = self._find(hook_name, token, instance_id)
        self._end(action, result, f"Lifecycle Action Completed with {result} Result")

    def heartbeat(self, hook_name: str, token: str | None, instance_id: str | None) -> None:
        """Restart the timeout of one action, up to its limit; the same error as `complete`."""
        action = self._find(hook_name, token, instance_id)
        wait = action.hook.heartbeat_timeout_seconds
        action.expires_at = min(self._schedule.now() + wait, action.limit_at)

    def cancel(self, instance_id: str) -> None:
        """Drop what is open for the instance; nobody is told."""
        for action in self._by_instance.pop(instance_id, {}).values():
            self._forget(action)

    def complete_all_of(self, hook: Hook) -> None:
        """What DeleteLifecycleHook does to open actions: ABANDON launches, CONTINUE the others."""
        result = ABANDON if hook.kind.value.endswith("LAUNCHING") else CONTINUE
        for action in [a for a in self._by_token.values() if a.hook.name == hook.name]:
            if action.token in self._by_token:
                self._end(action, result, f"Lifecycle Action Completed with {result} Result")

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
        action.timer = self._schedule.timer_at(action.expires_at, self._time_is_up, action)
        return action

    def _time_is_up(self, action: LifecycleAction) -> None:
        if self._schedule.now() < action.expires_at:
            action.timer = self._schedule.timer_at(action.expires_at, self._time_is_up, action)
            return
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
        self._forget(action)
        if open_actions and result == CONTINUE:
            return
        self.cancel(action.instance_id)
        self._on_resolved(action.instance_id, Resolution(result, action.token, reason))

    def _forget(self, action: LifecycleAction) -> None:
        del self._by_token[action.token]
        if action.timer is not None:
            action.timer.cancel()
