"""Writing into a table that may not answer for a while, without letting go of the message."""

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
        give_up_at = self._clock() + PATIENCE_SECONDS
        while True:
            answer = self.once(write, named)
            if answer is not None:
                return answer
            stop_at = min(give_up_at, self._stop.hand_back_at or give_up_at)
            if self._clock() + RETRY_SECONDS >= stop_at:
                return None
            lease.keep()
            self._sleep(RETRY_SECONDS)

    def once(self, write: Callable[[], T], named: Mapping[str, object]) -> T | None:
        """The write's answer; None, and a line in the log, when there was none."""
        try:
            return write()
        except AWS_CALL_ERRORS as error:
            self._log("not_recorded", **named, error=str(error))
            return None
