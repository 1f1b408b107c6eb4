"""Every policy on one trace, on all cores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.field import choose
from simulator.ours import NAME, Ours, with_target
from simulator.parallel import simulate_all
from simulator.result import Result
from simulator.run import Entrant
from simulator.surroundings import Surroundings
from simulator.trace import Trace
from simulator.verdict import Verdict, judge, pareto_front

TARGETS_SECONDS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 24.0, 30.0)
"""Other values of TargetWaitSeconds, which show what else our one setting can buy. With 0 one
worker is always without a job; with 24, just below a start, little is foreseen, with 30 nothing."""


@dataclass(frozen=True, slots=True)
class Comparison:
    trace: Trace
    surroundings: Surroundings
    ours: Result
    variants: tuple[Result, ...]
    peers: tuple[Result, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def results(self) -> tuple[Result, ...]:
        return (self.ours, *self.variants, *self.peers)

    def as_json(self) -> dict[str, Any]:
        front = {result.policy for result in pareto_front(self.results)}
        return {
            "trace": self.trace.name,
            "jobs": len(self.trace),
            "work_hours": round(self.trace.work_hours, 1),
            "instance_type": self.surroundings.instance_type,
            "prepared": self.surroundings.prepared,
            "max_size": self.surroundings.max_size,
            "seed": self.surroundings.seed,
            "verdicts": [
                {"claim": verdict.claim, "holds": verdict.holds, "because": verdict.because}
                for verdict in self.verdicts
            ],
            "policies": [
                {**result.as_json(), "on_pareto_front": result.policy in front}
                for result in self.results
            ],
        }


def compare(
    trace: Trace, surroundings: Surroundings, names: str = "all", processes: int = 1
) -> Comparison:
    """Ours takes part whether named or not. Raises UnknownPolicyError."""
    peers = [entrant for entrant in choose(names) if not isinstance(entrant, Ours)]
    variants = [with_target(target, f"{NAME}@{target:g}s") for target in TARGETS_SECONDS]
    entrants: list[Entrant] = [Ours(), *variants, *peers]
    runs = [(trace, entrant, surroundings) for entrant in entrants]
    results = simulate_all(runs, processes)
    split = 1 + len(variants)
    ours, others, rivals = results[0], results[1:split], results[split:]
    verdicts = tuple(judge(ours, others, rivals))
    return Comparison(trace, surroundings, ours, tuple(others), tuple(rivals), verdicts)
