"""One colour for each kind of lifecycle state, the same on the terminal and in the picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """States that mean the same to a reader: `states` are prefixes of LifecycleState."""

    label: str
    colour: str
    states: tuple[str, ...]


# Told apart with the common colour blindnesses too (Okabe and Ito, "Color Universal Design").
# The first kind whose prefix fits is it: a wait state stands before the state it belongs to.
KINDS = (
    Kind("set up for the pool (Warmed:Pending)", "#E69F00", ("Warmed:Pending",)),
    Kind("asleep (Warmed:Stopped)", "#8AA4B8", ("Warmed:Stopped", "Warmed:Hibernated")),
    Kind("idle in the pool (Warmed:Running)", "#56B4E9", ("Warmed:Running",)),
    Kind("waking or launching (Pending)", "#CC79A7", ("Pending",)),
    Kind("in service (InService)", "#009E73", ("InService",)),
    Kind("leaving (Terminating)", "#D55E00", ("Terminating", "Warmed:Terminating", "Terminated")),
)
RETURNING = Kind("drained, back to the pool (Warmed:Pending)", "#F0E442", ())
OTHER = Kind("other", "#999999", ())
ALL_KINDS = (*KINDS, RETURNING, OTHER)


def kind_of(state: str) -> Kind:
    """The kind of a LifecycleState; AWS adds states now and then, so an unknown one is OTHER."""
    return next((kind for kind in KINDS if state.startswith(kind.states)), OTHER)


def style_of(state: str) -> str:
    """A rich style."""
    return kind_of(state).colour
