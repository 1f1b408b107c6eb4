"""The worker's heartbeat: while its main loop turns, a table that reconcile reads says so."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pilotlight.aws.call_errors import AWS_CALL_ERRORS
from pilotlight.fleet.heartbeat import Heartbeat
from pilotlight.worker.event_log import EventLog

RETRY_SECONDS = 5.0


class Table(Protocol):
    def send(self, sender: str, heartbeat: Heartbeat) -> None:
        """Raises one of AWS_CALL_ERRORS."""
        ...


class HeartbeatSender:
    """Sends from a thread of its own, so that no job waits for it; only after a turn of the loop.

    One that fails is tried again soon: when the table has been away, its workers have to be heard
    well before they are judged.
    """

    def __init__(
        self,
        table: Table,
        instance_id: str,
        every_seconds: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        log: EventLog,
    ) -> None:
        self._table = table
        self._instance_id = instance_id
        self._every_seconds = every_seconds
        self._clock = clock
        self._sleep = sleep
        self._log = log
        self._since = self._now()
        self._turned = threading.Event()
        self._failed = False

    def start(self) -> None:
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    def loop_turned(self) -> None:
        self._turned.set()

    def _beat(self) -> None:
        while True:
            self._turned.wait()
            self._sleep(self.send())
            self._turned.clear()  # what turned meanwhile may have stopped since

    def send(self) -> float:
        """The seconds until the next one."""
        due_at = self._now() + timedelta(seconds=self._every_seconds)
        try:
            self._table.send(self._instance_id, Heartbeat(self._since, due_at))
        except AWS_CALL_ERRORS as error:
            if not self._failed:
                self._log("heartbeat_not_sent", error=str(error))
            self._failed = True
            return RETRY_SECONDS
        self._failed = False
        return self._every_seconds

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
