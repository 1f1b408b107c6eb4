"""Who can be simulated, by name: our policy and every peer."""

from __future__ import annotations

from simulator.contestants import CONTESTANTS
from simulator.ours import Ours
from simulator.run import Entrant

ALL = "all"


class UnknownPolicyError(Exception):
    """No contestant has that name."""


def choose(names: str, ours: Ours | None = None) -> tuple[Entrant, ...]:
    """From `all`, or names with commas between; ours first. Raises UnknownPolicyError."""
    everybody: tuple[Entrant, ...] = (ours or Ours(), *CONTESTANTS)
    by_name = {entrant.name: entrant for entrant in everybody}
    if names.strip() == ALL:
        return tuple(by_name.values())
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    for name in chosen:
        if name not in by_name:
            raise UnknownPolicyError(
                f"There is no policy {name!r}. There are {ALL}, {', '.join(by_name)}."
            )
    if not chosen:
        raise UnknownPolicyError(f"No policy is named. There are {ALL}, {', '.join(by_name)}.")
    return tuple(by_name[name] for name in dict.fromkeys(chosen))
