"""Writing into a table that may not answer for a while, without letting go of the message."""

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.lease import Lease
from pilotlight.worker.supervision import StopSign

# How long a record waits for a table that does not answer before the job is left to run again.
PATIENCE_SECONDS = 600.0
RETRY_SECONDS = 3.0

T = TypeVar("T")


class Recording:
    """Tries again rather than giving the message back: each delivery counts towards the last."""

    def __init__(
        self,
        stop: StopSign,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        log: EventLog,
    ) -> None:
        self._stop = stop
        self._clock = clock
        self._sleep = sleep
        self._log = log

    def patiently(
        self, write: Callable[[], T], lease: Lease, named: Mapping[str, object]
    ) -> T | None:
        """The write's answer; None when the table stayed out of reach, or the instance leaves."""
        return self._try(write, lease, named, lambda: self._stop.hand_back_at or math.inf)

    def while_staying(
        self, call: Callable[[], T], lease: Lease, named: Mapping[str, object]
    ) -> T | None:
        """The call's answer; None also once the instance is told to leave: what has not begun yet
        is better begun elsewhere."""
        return self._try(call, lease, named, lambda: 0.0 if self._stop.hand_back_at else math.inf)

    def _try(
        self,
        call: Callable[[], T],
        lease: Lease,
        named: Mapping[str, object],
        stop_at: Callable[[], float],
    ) -> T | None:
        give_up_at = self._clock() + PATIENCE_SECONDS
        while (answer := self.once(call, named)) is None:
            if self._clock() + RETRY_SECONDS >= min(give_up_at, stop_at()):
                return None
            lease.keep()
            self._sleep(RETRY_SECONDS)
            if self._clock() >= stop_at():
                return None
        return answer

    def once(self, write: Callable[[], T], named: Mapping[str, object]) -> T | None:
        """The write's answer; None, and a line in the log, when there was none."""
        try:
            return write()
        except AWS_CALL_ERRORS as error:
            self._log("not_recorded", **named, error=str(error))
            return None
