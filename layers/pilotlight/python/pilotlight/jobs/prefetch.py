"""How many messages a worker may hold that no slot is free for yet."""

from collections.abc import Collection

# A message never waits in a worker for longer: somebody else could have begun it by then.
HOLD_SECONDS = 1.0
BATCH = 10  # ReceiveMessage gives no more (botocore's SQS model)
MAX_AHEAD = 2 * BATCH  # one batch to work on while the next is fetched
PLENTY = MAX_AHEAD - BATCH  # with more than so many waiting none is received
WINDOW = 20  # jobs that are looked back upon
ENOUGH = 5  # of them, to go by


def ahead(slots: int, recent_seconds: Collection[float]) -> int:
    """As many as the slots begin within HOLD_SECONDS if each job takes as long as the longest
    of those that ended lately; 0 until enough have ended. `slots` are those that can work."""
    if len(recent_seconds) < ENOUGH:
        return 0
    longest = max(max(recent_seconds), 0.001)
    return min(MAX_AHEAD, int(slots * HOLD_SECONDS / longest))


def to_receive(free: int, waiting: int, allowed_ahead: int) -> int:
    """How many to receive now: at once when a slot would idle, otherwise by the whole batch."""
    room = free + allowed_ahead - waiting
    if waiting < free or room >= BATCH:
        return min(room, BATCH)
    return 0
