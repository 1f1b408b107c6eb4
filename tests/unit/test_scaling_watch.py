"""The watch's chain of ticks, played on a queue with SQS's deduplication."""

import heapq

import pytest

from pilotlight.errors import MalformedEventError
from pilotlight.scaling.watch import next_slot, read_tick, write_tick

WATCH_SECONDS = 2


class TickQueue:
    """Delays each tick by the queue's delay plus jitter, and drops a slot that was sent before."""

    def __init__(self) -> None:
        self.sent: set[int] = set()
        self.waiting: list[tuple[float, int]] = []

    def send(self, slot: int, now: float, jitter: float = 0.0) -> None:
        if slot not in self.sent:
            self.sent.add(slot)
            heapq.heappush(self.waiting, (now + WATCH_SECONDS + jitter, slot))

    def play(self, until: float, jitters: list[float]) -> None:
        looks = 0
        while self.waiting and self.waiting[0][0] < until:
            now, slot = heapq.heappop(self.waiting)
            self.send(next_slot(now, WATCH_SECONDS, slot), now, jitters[looks % len(jitters)])
            looks += 1


@pytest.mark.parametrize("jitters", [[0.0], [0.3, 1.9, 0.01], [-0.9, 0.4], [-0.99]])
def test_the_chain_lives_on_whether_ticks_come_late_or_early(jitters: list[float]) -> None:
    queue = TickQueue()
    queue.send(next_slot(1_000.7, WATCH_SECONDS), 1_000.7)

    queue.play(until=1_300.0, jitters=jitters)

    assert len(queue.waiting) == 1


def test_seeding_a_living_chain_each_minute_leaves_one_chain() -> None:
    queue = TickQueue()
    for minute in range(10):
        now = 1_000.3 + minute * 60.37
        queue.send(next_slot(now, WATCH_SECONDS), now)
        queue.play(until=now + 59.0, jitters=[0.21])

    assert len(queue.waiting) == 1


def test_a_lost_chain_begins_again_with_a_seed() -> None:
    queue = TickQueue()
    queue.send(next_slot(1_000.0, WATCH_SECONDS), 1_000.0)
    queue.waiting.clear()

    queue.send(next_slot(1_060.0, WATCH_SECONDS), 1_060.0)

    assert len(queue.waiting) == 1


def test_a_tick_carries_its_slot() -> None:
    assert read_tick(write_tick(17)) == 17


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"slot": "1"}', '{"slot": -1}', "[" * 100_000])
def test_what_is_not_a_tick_is_named(body: str) -> None:
    with pytest.raises(MalformedEventError):
        read_tick(body)
