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
