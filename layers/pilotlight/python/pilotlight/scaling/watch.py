"""The watch: a tick that sends itself again, WatchSeconds later, through a FIFO queue.

The queue's own delay is the clock, so no function sleeps. Ticks are numbered by time slot, and the
number is the deduplication id: SQS accepts each once in 5 minutes (SQS guide,
using-messagededuplicationid-property), so two chains meet in the same slot and one of them ends.
"""

import json
from typing import Protocol

from pilotlight.errors import MalformedEventError

MAX_SLOT = 10**12


class TickSender(Protocol):
    def send_tick(self, slot: int) -> None:
        """Sends the tick of a slot, unless it was sent before. Raises TransientError."""
        ...


def next_slot(now_seconds: float, watch_seconds: int, received_slot: int = 0) -> int:
    """The slot after both the clock's and the tick's own.

    After the tick's own, because a tick that arrives a little early would otherwise name its own
    slot again, be taken for a duplicate, and the chain would end.
    """
    return max(int(now_seconds // watch_seconds), received_slot) + 1


def write_tick(slot: int) -> str:
    return json.dumps({"slot": slot})


def read_tick(body: str) -> int:
    """The slot. Raises MalformedEventError."""
    try:
        slot = json.loads(body)["slot"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise MalformedEventError(f"not a tick: {body[:100]!r}") from error
    if not isinstance(slot, int) or not 0 <= slot < MAX_SLOT:
        raise MalformedEventError(f"slot is {str(slot)[:100]}: expected 0 to {MAX_SLOT}")
    return slot
