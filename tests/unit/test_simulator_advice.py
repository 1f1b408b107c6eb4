"""Advice: the pool that pays is advised, the one that does not is called a loss."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.advise import pool_sentence, sentences
from simulator.advice import Advice, Way, advise, advised_pool
from simulator.prices import Bill
from simulator.result import Result
from simulator.surroundings import Surroundings
from simulator.trace import Trace

HOUR = 3600.0
TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def way(name: str, prepared: int, usd: float, waited_hours: float) -> Way:
    result = Result(
        policy="pilotlight",
        jobs=1,
        unfinished=0,
        waits_seconds=(1.0,),
        warm_starts=0,
        cold_starts=0,
        failed_starts=0,
        busy_kills=0,
        lost_job_seconds=0.0,
        instance_hours={},
        bill=Bill(usd, 0.0, 0.0),
        looks=1,
        api_calls=0,
        at_max_seconds=0.0,
        samples=(),
    )
    return Way(name, 5.0, 5.0, 0, prepared, result, usd, waited_hours)


def advice(pool: Way, bare: Way, worth: float) -> Advice:
    best = min((pool, bare), key=lambda way: way.price(worth))
    return Advice((pool, bare), best, worth, disks_usd_a_month=24.0)


@pytest.mark.parametrize(
    ("pool", "bare", "sentence"),
    [
        pytest.param(
            way("pool", 10, 124.0, 1.0),
            way("baked", 0, 100.0, 3.0),
            "it pays from USD 12.00 for an hour",
            id="a pool that saves two hours for 24 dollars pays at 12 dollars an hour",
        ),
        pytest.param(
            way("pool", 10, 124.0, 1.0),
            way("baked", 0, 100.0, 1.1),
            "is a loss: it pays when an hour of waiting is worth more than USD 240.00",
            id="a pool that saves minutes for 24 dollars is a loss",
        ),
        pytest.param(
            way("pool", 10, 124.0, 1.0),
            way("baked", 0, 100.0, 1.0),
            "is a loss: it saves no wait",
            id="a pool that saves nothing is a loss",
        ),
        pytest.param(
            way("pool", 10, 100.0, 3.0),
            way("always running", 0, 180.0, 1.0),
            "is worth it: it costs USD 80.00 a month less than 'always running', and pays up to "
            "USD 40.00 for an hour",
            id="a pool that saves money and no wait pays up to what the wait is worth",
        ),
        pytest.param(
            way("pool", 10, 100.0, 11.0),
            way("always running", 0, 180.0, 1.0),
            "is a loss: it pays while an hour of waiting is worth less than USD 8.00",
            id="a pool that saves money for a long wait is a loss",
        ),
        pytest.param(
            way("pool", 10, 100.0, 1.0),
            way("always running", 0, 180.0, 1.0),
            "is worth it: it costs USD 80.00 a month less than 'always running', for no longer "
            "a wait",
            id="a pool that saves money alone is worth it",
        ),
    ],
)
def test_the_sentence_on_the_pool(pool: Way, bare: Way, sentence: str) -> None:
    assert sentence in pool_sentence(advice(pool, bare, worth=20.0))


def test_what_it_says_to_set_are_parameters_of_the_template() -> None:
    found = advice(way("pool", 3, 1.0, 0.0), way("bare", 0, 2.0, 1.0), worth=5.0)
    named = re.findall(r"(\w+)=", sentences(found)[0])
    parameters = TEMPLATE.read_text("utf-8").partition("\nParameters:\n")[2]
    assert named
    assert [name for name in named if f"\n  {name}:\n" not in parameters] == []


def test_the_pool_is_what_the_running_system_would_set_for_that_demand() -> None:
    trace = Trace("t", tuple(float(n * 60) for n in range(2000)), (300.0,) * 2000)
    assert advised_pool(trace, max_size=100) == 5
    assert advised_pool(trace, max_size=3) == 3


def test_rare_jobs_that_nobody_waits_for_need_no_pool() -> None:
    trace = Trace("rare", (0.0, 10 * HOUR, 20 * HOUR), (600.0,) * 3)
    found = advise(trace, Surroundings(max_size=5), worth=0.0)
    assert found.pool_is_a_loss
    assert found.best.prepared == 0
