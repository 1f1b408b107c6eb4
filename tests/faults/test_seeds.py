"""Some hundred seeds of the fault run, and that a seed is all it takes to have a run again."""

import pytest

from faults.draw import draw
from faults.plan import Plan
from faults.run import run
from faults.shrink import shrink

SEEDS = range(1, 205)
PER_TEST = 12  # a test of a few seconds: they are spread over the processes


@pytest.mark.parametrize("first", SEEDS[::PER_TEST])
def test_nothing_is_lost_or_stuck_whatever_goes_wrong(first: int) -> None:
    results = [run(draw(seed)) for seed in range(first, first + PER_TEST)]

    broken = {f"make faults FIRST={it.plan.seed} SEEDS=1": it.broken for it in results if it.broken}
    assert broken == {}


def test_a_seed_gives_the_same_run_again() -> None:
    first, again = (run(draw(7), listens=True) for _ in range(2))

    assert (first.story, first.tally, first.calls) == (again.story, again.tally, again.calls)


def test_a_failing_plan_is_made_short() -> None:
    plan = draw(3)
    culprits = (plan.faults[0], plan.faults[-1])

    def fails(smaller: Plan) -> bool:
        return all(it in smaller.faults for it in culprits)

    short = shrink(plan, fails)

    assert (short.faults, short.jobs) == (tuple(dict.fromkeys(culprits)), ())
