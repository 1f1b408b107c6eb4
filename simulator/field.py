"""Who can be simulated, by name: our policy and every peer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simulator.contestants import CONTESTANTS
from simulator.ours import NAME
from simulator.result import Result
from simulator.rules import Contestant
from simulator.run import simulate
from simulator.surroundings import Surroundings
from simulator.trace import Trace

ALL = "all"


class UnknownPolicyError(Exception):
    """No contestant has that name."""


def choose(names: str) -> tuple[Contestant | None, ...]:
    """From `all`, or names with commas between; None is ours. Raises UnknownPolicyError."""
    by_name = {NAME: None} | {contestant.name: contestant for contestant in CONTESTANTS}
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


def simulate_each(
    trace: Trace, contestants: Iterable[Contestant | None], surroundings: Surroundings
) -> Iterator[Result]:
    for contestant in contestants:
        yield simulate(trace, contestant, surroundings)
