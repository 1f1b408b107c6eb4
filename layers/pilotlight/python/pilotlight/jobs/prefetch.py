"""How many messages a worker may hold that no slot is free for yet: as many as its pace allows."""

from collections import deque

# A message never waits in a worker for longer: somebody else could have begun it by then.
HOLD_SECONDS = 1.0
BATCH = 10  # ReceiveMessage gives no more (botocore's SQS model)
MAX_AHEAD = 4 * BATCH  # some wait, others are being recorded, the next are being fetched
PLENTY = MAX_AHEAD - BATCH  # with more than so many waiting none is received
WINDOW = 20  # jobs that are looked back upon
ENOUGH = 5  # of them, to go by


class Pace:
    """How long jobs took lately, by the longest of them, in a worker of so many slots."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._seconds: deque[float] = deque(maxlen=WINDOW)

    def note(self, seconds: float) -> None:
        """One job more has ended."""
        self._seconds.append(seconds)

    def forget(self) -> None:
        """They say nothing about those to come."""
        self._seconds.clear()

    def ahead(self, slots: int) -> int:
        """As many as `slots` begin within HOLD_SECONDS, each job taking as long as the longest
        lately; 0 until enough have ended."""
        recent = tuple(self._seconds)
        if len(recent) < ENOUGH:
            return 0
        return min(MAX_AHEAD, int(slots * HOLD_SECONDS / max(*recent, 0.001)))

    @property
    def is_quick(self) -> bool:
        """Whether the worker does a batch of jobs in HOLD_SECONDS."""
        return self.ahead(self._slots) >= BATCH


def to_receive(free: int, waiting: int, allowed_ahead: int) -> int:
    """How many to receive now: at once when a slot would idle, otherwise by the whole batch."""
    room = free + allowed_ahead - waiting
    if waiting < free or room >= BATCH:
        return min(room, BATCH)
    return 0
