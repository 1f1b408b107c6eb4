"""Lifecycle states, as strings: AWS adds new ones, so an unknown state is never an error."""

ABOUT_TO_WAIT = frozenset({"Pending", "Warmed:Pending", "Terminating", "Warmed:Terminating"})


def is_waiting(state: str) -> bool:
    """Whether a lifecycle hook holds the instance, e.g. `Warmed:Pending:Wait`."""
    return state.endswith(":Wait")


def may_hold_action(state: str | None) -> bool:
    """Whether a lifecycle action may be open, or about to be; None: the group has no such instance.

    Descriptions lag behind events, so a state just before a Wait counts too.
    """
    return state is not None and (is_waiting(state) or state in ABOUT_TO_WAIT)


def is_active(state: str) -> bool:
    """Whether an instance counts towards the group's desired capacity."""
    return state == "InService" or state.startswith("Pending")


def is_in_pool(state: str) -> bool:
    """Whether it counts as one of the pool: what enters it, and what rests there."""
    return rests_in_pool(state) or state.startswith("Warmed:Pending")


def rests_in_pool(state: str) -> bool:
    """Whether it could be woken."""
    return state in ("Warmed:Stopped", "Warmed:Running", "Warmed:Hibernated")
