"""Counts that rules derive from a view of the group."""

from simulator.rules import View


def bounded(capacity: int, view: View) -> int:
    """`capacity` inside the group's MinSize and MaxSize, as SetDesiredCapacity demands."""
    return max(view.min_size, min(view.max_size, capacity))


def starting(view: View) -> int:
    """Instances asked for that are not in service yet, launched or not."""
    return max(0, view.desired - view.in_service)


def leaving(view: View) -> int:
    """Instances beyond desired capacity: the group takes them out already."""
    return max(0, view.in_service + view.pending - view.desired)
