"""More instances wait than one pass sees to: wakes are first, and each has its turn."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from random import Random

from fleet_fakes import BOOK, NOW, FakeCommands, FakeGroup, FakeMachines, FakeTags

from pilotlight.fleet.lifecycle_action import EC2, GROUP, READY_HOOK, WARM_POOL
from pilotlight.fleet.outcome import Result
from pilotlight.fleet.settle_waits import WaitCare
from pilotlight.fleet.turns import MAX_WAITS_PER_PASS
from pilotlight.fleet.wait_decisions import SentCommand
from pilotlight.fleet.waits import Wait

HOUR_AGO = NOW - timedelta(hours=1)


def setup(number: int) -> Wait:
    instance_id = f"i-{number:017x}"
    return Wait(instance_id, "Warmed:Pending:Wait", READY_HOOK, EC2, WARM_POOL, HOUR_AGO)


def wake(number: int) -> Wait:
    began_at = NOW - timedelta(minutes=1)
    return Wait(f"i-f{number:016x}", "Pending:Wait", READY_HOOK, WARM_POOL, GROUP, began_at)


class AllOpen(FakeGroup):
    """Completing one action ends no other."""

    def complete(self, *_: object) -> None:
        """Nothing is recorded."""


def looked_at(waits: Iterable[Wait], now: datetime = NOW) -> dict[Wait, Result]:
    """In one pass, while the command of every setup runs on."""
    running = SentCommand("command", BOOK.readiness_document, "InProgress", now)
    waits = list(waits)
    group = AllOpen(open_tokens={"any"}, states={it.instance_id: it.state for it in waits})
    commands = FakeCommands(history=[running])
    care = WaitCare(group, group, FakeTags(group), commands, FakeMachines(), BOOK)
    return {wait: outcome.result for wait, outcome in care.settle_all(waits, now)}


def test_a_lost_wake_waits_for_no_setup_however_many_there_are_and_however_long() -> None:
    setups = [setup(number) for number in range(500)]

    results = looked_at([*setups, wake(1)])

    assert results[wake(1)] is Result.CONTINUED
    assert len(results) == MAX_WAITS_PER_PASS


def test_each_setup_has_its_turn_whoever_comes_and_goes() -> None:
    """Two minutes for each hundred that wait, at most."""
    random, numbers = Random(1), count()  # noqa: S311
    ids = [random.getrandbits(64) for _ in range(10_000)]
    waits = [setup(ids[next(numbers)]) for _ in range(500)]
    seen = dict.fromkeys(waits, 0)

    for minute in range(1, 300):
        for wait in looked_at(waits, NOW + timedelta(minutes=minute)):
            seen[wait] = minute
        assert all(minute - seen[wait] < 10 for wait in waits)
        for _ in range(10):
            waits.pop(random.randrange(len(waits)))
            waits.append(setup(ids[next(numbers)]))
            seen[waits[-1]] = minute


def test_wakes_that_nothing_helps_do_not_keep_setups_from_being_looked_at() -> None:
    waits = [setup(number) for number in range(500)] + [wake(number) for number in range(500)]

    results = looked_at(waits)

    assert Counter(results.values()) == {Result.CONTINUED: 75, Result.HEARTBEAT: 25}
