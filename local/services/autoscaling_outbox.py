"""Carries the groups' events out, in order, without holding up the model."""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import SimpleQueue

from local.group.events import GroupEvent
from local.services.autoscaling_notifications import Notifications, UndeliverableError

log = logging.getLogger(__name__)

Emit = Callable[[GroupEvent], None]


class Outbox:
    """`emit` puts an event on the bus; `undelivered` hears of actions nobody could be told of."""

    def __init__(
        self, emit: Emit, notifications: Notifications, undelivered: Callable[[GroupEvent], None]
    ) -> None:
        self._emit = emit
        self._notifications = notifications
        self._undelivered = undelivered
        self._waiting: SimpleQueue[GroupEvent | None] = SimpleQueue()

    def put(self, event: GroupEvent) -> None:
        self._waiting.put(event)

    def stop(self) -> None:
        self._waiting.put(None)

    def run(self) -> None:
        """Send until `stop`; the body of a thread."""
        while (event := self._waiting.get()) is not None:
            try:
                self._send(event)
            except Exception:
                # The outermost edge: events are best effort, the next one must still go out.
                log.exception("an event of Auto Scaling was lost: %s", event.detail)

    def _send(self, event: GroupEvent) -> None:
        self._emit(event)
        if event.hook is None or not event.hook.notification_target_arn:
            return
        try:
            self._notifications.send(event, event.hook)
        except UndeliverableError as error:
            # Recorded from the live service: the default result then applies at once.
            log.warning("lifecycle notification to %s failed: %s", event.hook.name, error)
            self._undelivered(event)
