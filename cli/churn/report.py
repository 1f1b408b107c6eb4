"""A churn run in figures: tables for a person, JSON for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.churn.plan import Kind
from cli.churn.run import Churn


def print_churn(churn: Churn, console: Console) -> None:
    """Strikes and what they cost; poison; the last line is the caller's."""
    verdict = churn.verdict
    console.print(strikes_table(churn))
    told = [
        f"{verdict.attempts} attempts in {churn.seconds:.0f} s did {verdict.useful_seconds:.0f} s "
        f"of useful work and {verdict.wasted_seconds:.0f} s of wasted work; "
        f"{verdict.ran_again} ran again to the end",
        f"{verdict.poisoned} poisoned jobs besides, "
        f"{verdict.poisoned - len(verdict.poison_left)} of them dead letters with a reason",
    ]
    flaws: Mapping[str, tuple[str, ...]] = {
        "lost": verdict.lost,
        "twice": verdict.twice,
        "wrong result": verdict.wrong,
        "poisoned, no dead letter with a reason": verdict.poison_left,
    }
    told += [f"{what}: {', '.join(found)}" for what, found in flaws.items() if found]
    told += [
        f"{letter.job_id} is a dead letter: {letter.reason or 'SQS moved it'}"
        for letter in churn.letters
        if letter.job_id in verdict.lost
    ]
    for line in told:
        console.print(line, highlight=False, soft_wrap=True)


def strikes_table(churn: Churn) -> Table:
    table = Table(title=f"Churn with seed {churn.plan.seed}")
    table.add_column("what was done to the fleet")
    for heading in ("times", "landed", "attempts it ended", "seconds of work lost"):
        table.add_column(heading, justify="right")
    for kind, times, landed in struck(churn):
        waste = churn.verdict.wasted.get(str(kind))
        table.add_row(
            kind,
            str(times),
            str(landed),
            str(waste.attempts) if waste else "",
            f"{waste.seconds:.1f}" if waste else "",
        )
    for cause, waste in churn.verdict.wasted.items():
        if cause not in set(Kind):
            table.add_row(cause, "", "", str(waste.attempts), f"{waste.seconds:.1f}")
    return table


def struck(churn: Churn) -> list[tuple[Kind, int, int]]:
    """Each kind that was tried: how often, and how often it landed."""
    tried = Counter(hit.kind for hit in churn.hits)
    landed = Counter(hit.kind for hit in churn.hits if hit.landed)
    return [(kind, tried[kind], landed[kind]) for kind in Kind if tried[kind]]


def as_document(churn: Churn) -> dict[str, Any]:
    """Everything, as JSON can hold it."""
    return {
        "sentence": churn.verdict.sentence,
        "seed": churn.plan.seed,
        "seconds": churn.seconds,
        "strikes": [
            {"kind": kind, "times": times, "landed": landed}
            for kind, times, landed in struck(churn)
        ],
        "verdict": asdict(churn.verdict),
        "hits": [asdict(hit) for hit in churn.hits],
        "attempts": [asdict(sighting) for sighting in churn.sightings],
        "dead_letters": [asdict(letter) for letter in churn.letters],
    }
