"""3. No instance stays in a Wait state beyond its due and two minutes while AWS answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from local.group.actions import LifecycleAction
from local.group.states import HookKind, LifecycleState, Place
from pilotlight.fleet.commands import CommandBook
from pilotlight.fleet.lifecycle_action import DRAIN_HOOK, READY_HOOK

if TYPE_CHECKING:
    from faults.plan import Settings
    from faults.world import World

GRACE_SECONDS = 120.0
LOOK_SECONDS = 60.0
EVENT_SECONDS = 120.0
WAKE_SECONDS = 30.0
_WAITS = tuple(state for state in LifecycleState if state.endswith(":Wait"))


def waits_end(world: World) -> Iterator[str]:
    now = world.clock.now()
    for instance in world.group.members.within(_WAITS):
        for action in world.group.journeys.actions.of(instance.instance_id):
            origin = instance.transition.origin
            since = max(began_at(action), world.answering_since)
            due = due_seconds(action.hook.kind, origin, world.settings_so_far)
            if now > since + due + GRACE_SECONDS:
                waited = f"for {now - began_at(action):.0f} s, due after {due:.0f}"
                yield f"{instance.instance_id} is {instance.state} {waited}"


def began_at(action: LifecycleAction) -> float:
    return action.limit_at - action.hook.global_timeout_seconds


def due_seconds(kind: HookKind, origin: Place, deployed: Sequence[Settings]) -> float:
    """With its event lost and its first command unanswered, which is the worst that is mended."""
    if origin is Place.WARM_POOL:
        return WAKE_SECONDS + LOOK_SECONDS
    hook = DRAIN_HOOK if kind is HookKind.TERMINATING else READY_HOOK
    setup_timeout_seconds = max(it.setup_timeout_seconds for it in deployed)
    book = CommandBook("", "", setup_timeout_seconds, max(it.drain_seconds for it in deployed))
    one_try = book.longest(hook).total_seconds() + LOOK_SECONDS
    return EVENT_SECONDS + 2 * one_try
