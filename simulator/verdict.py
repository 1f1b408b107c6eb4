"""Is ours better? Said plainly, from the results alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simulator.result import Result


@dataclass(frozen=True, slots=True)
class Verdict:
    """One claim on one trace, whether it holds, and the numbers behind it."""

    claim: str
    holds: bool
    because: str


def fair_peers(peers: Iterable[Result]) -> list[Result]:
    """Those that did all the work and never killed a busy worker: one can be cheap by not serving,
    and the wait after a kill is not its price."""
    return [peer for peer in peers if not peer.unfinished and not peer.busy_kills]


def judge(ours: Result, variants: Sequence[Result], peers: Sequence[Result]) -> list[Verdict]:
    """`variants` are ours with other values of its one setting, TargetWaitSeconds."""
    rivals = fair_peers(peers)
    settings = [ours, *variants]
    verdicts = [_kills_none(settings)]
    if rivals:
        verdicts = [
            _undominated(ours, rivals),
            _at_cost_of_cheapest(settings, rivals),
            _at_wait_of_fastest(settings, rivals),
            *verdicts,
        ]
    return verdicts


def pareto_front(results: Iterable[Result]) -> list[Result]:
    """Those that no other is both cheaper than and as fast as; cheapest first."""
    front: list[Result] = []
    for result in sorted(results, key=lambda result: (result.usd, result.wait_p95_s)):
        if not front or result.wait_p95_s < front[-1].wait_p95_s:
            front.append(result)
    return front


def _undominated(ours: Result, rivals: Sequence[Result]) -> Verdict:
    claim = "as it ships, no peer is as fast for less"
    better = [
        peer for peer in rivals if peer.usd <= ours.usd and peer.wait_p95_s <= ours.wait_p95_s
    ]
    if better:
        names = ", ".join(_point(peer) for peer in better)
        return Verdict(claim, False, f"{_point(ours)}; but {names}")
    return Verdict(claim, True, _point(ours))


def _at_cost_of_cheapest(settings: Sequence[Result], rivals: Sequence[Result]) -> Verdict:
    """The cheapest peer that meets ours: costs as much as our cheapest setting, or more."""
    floor = min(settings, key=lambda result: result.usd).usd
    reachable = [peer for peer in rivals if peer.usd >= floor]
    claim = "at the cost of the cheapest peer that meets ours, p95 is lower"
    if not reachable:
        return Verdict(claim, False, f"all peers cost less than our cheapest, USD {floor:,.2f}")
    peer = min(reachable, key=lambda result: (result.usd, result.wait_p95_s))
    best = min(
        (result for result in settings if result.usd <= peer.usd),
        key=lambda result: result.wait_p95_s,
    )
    return Verdict(claim, best.wait_p95_s < peer.wait_p95_s, f"{_point(best)} to {_point(peer)}")


def _at_wait_of_fastest(settings: Sequence[Result], rivals: Sequence[Result]) -> Verdict:
    claim = "at the p95 of the fastest peer, ours costs less"
    peer = min(rivals, key=lambda result: (result.wait_p95_s, result.usd))
    as_fast = [result for result in settings if result.wait_p95_s <= peer.wait_p95_s]
    if not as_fast:
        fastest = min(settings, key=lambda result: result.wait_p95_s)
        return Verdict(claim, False, f"not as fast: {_point(fastest)} to {_point(peer)}")
    best = min(as_fast, key=lambda result: result.usd)
    return Verdict(claim, best.usd < peer.usd, f"{_point(best)} to {_point(peer)}")


def _kills_none(settings: Sequence[Result]) -> Verdict:
    kills = sum(result.busy_kills for result in settings)
    return Verdict("no busy worker is killed", kills == 0, f"{kills} busy kills")


def _point(result: Result) -> str:
    return f"{result.policy} p95 {result.wait_p95_s:,.1f} s for USD {result.usd:,.2f}"
