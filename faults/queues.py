"""SQS queues in virtual time: visibility, receive counts, redrive, delay, long polls.

SQS developer guide: sqs-visibility-timeout, sqs-dead-letter-queues. A standard queue may hand a
message out twice and in any order; both happen here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any

from faults.clients import RefusedError
from faults.tasks import Signal, Tasks

LONGEST_LEASE_SECONDS = 43_200.0
A_RUN_SECONDS = 345_600.0  # no run is that long
# Of thousands that are ready, these are looked at together: no order is promised beyond.
WINDOW = 100
COPY_SECONDS = 5.0  # until the copy of a deleted message is handed out; AWS gives no figure


@dataclass(eq=False)
class Message:
    """`visible_at` is when it may be received; times are epoch seconds."""

    message_id: str
    body: str
    sent_at: float
    visible_at: float
    attributes: dict[str, Any] = field(default_factory=dict)
    receives: int = 0
    receipt: str = ""
    leased_at: float = 0.0
    copies: int = 0  # that a delete does not reach
    place: int = 0  # in its queue, in the order of arrival


@dataclass(frozen=True)
class QueueSettings:
    name: str
    visibility_seconds: float = 30.0
    retention_seconds: float = 345_600.0
    max_receives: int | None = None


class Queue:
    """`on_change` is told whenever a message may have become ready to be received."""

    def __init__(
        self,
        tasks: Tasks,
        random: Random,
        settings: QueueSettings,
        dead_letters: Queue | None = None,
    ) -> None:
        self.settings = settings
        self.messages: dict[str, Message] = {}
        self.dead_letters = dead_letters
        self.sent = self.deleted = self.most_receives = 0
        self.on_change: Callable[[], None] = lambda: None
        self._tasks = tasks
        self._random = random
        self._numbers = count(1)
        self._places = count(1)
        self._by_place: dict[int, Message] = {}
        # When each place may become visible, and which have; outdated entries are skipped.
        self._hidden: list[tuple[float, int]] = []
        self._visible: list[int] = []
        self._ready = Signal(tasks)

    @property
    def url(self) -> str:
        return f"https://sqs.us-east-1.amazonaws.com/123456789012/{self.settings.name}"

    # What a client does

    def send(
        self,
        body: str,
        delay_seconds: float = 0.0,
        attributes: dict[str, Any] | None = None,
    ) -> str:
        now = self._now()
        message_id = f"{self.settings.name}-{next(self._numbers):06d}"
        message = Message(message_id, body, now, now + delay_seconds, attributes or {})
        self.sent += 1
        self._enter(message)
        self._tell_at(message.visible_at)
        return message_id

    def receive(self, at_most: int, wait_seconds: float) -> list[Message]:
        """Blocks until there is a message, or the wait is over."""
        until = self._now() + wait_seconds
        while True:
            taken = self.take(at_most)
            left = until - self._now()
            if taken or left <= 0:
                return taken
            self._ready.clear()
            self._ready.wait(left)

    def take(self, at_most: int) -> list[Message]:
        """What is ready now, redriven messages aside."""
        taken: list[Message] = []
        while len(taken) < at_most and (window := self._window()):
            for number, message in enumerate(window):
                if len(taken) == at_most:
                    self._put_back(window[number:])
                    break
                if self._is_used_up(message):
                    self._redrive(message)
                else:
                    self._lease(message)
                    taken.append(message)
        return taken

    def change_visibility(self, receipt: str, seconds: float) -> None:
        message, now = self._leased(receipt), self._now()
        if now + seconds > message.leased_at + LONGEST_LEASE_SECONDS - 1:
            raise RefusedError(
                "InvalidParameterValue", "Total VisibilityTimeout is beyond 12 hours"
            )
        self._show_at(message, now + seconds)

    def delete(self, receipt: str) -> None:
        """An old receipt may be accepted without an effect (API reference, DeleteMessage)."""
        message_id, _, _ = receipt.partition("#")
        message = self.messages.get(message_id)
        if message is None or (message.receipt != receipt and self._random.random() < 0.5):
            return
        if message.copies:
            self._show_copy(message)
            return
        self._leave(message)
        self.deleted += 1

    # What goes wrong

    def lapse(self, message: Message) -> None:
        """Hands out a message that somebody still holds."""
        self._show_at(message, self._now())

    def keep_copy(self, message: Message) -> None:
        """A server that is away when the message is deleted hands it out again once it is back (SQS
        developer guide, standard-queues-at-least-once-delivery)."""
        message.copies += 1

    def _show_copy(self, message: Message) -> None:
        message.copies -= 1
        message.receipt = ""
        self._show_at(message, self._now() + COPY_SECONDS)

    # What there is

    def counts(self) -> tuple[int, int, int]:
        """Visible, in flight, delayed."""
        now = self._now()
        self._expire(now)
        visible = in_flight = 0
        for message in self.messages.values():
            if message.visible_at <= now:
                visible += 1
            elif message.receipt:
                in_flight += 1
        return visible, in_flight, len(self.messages) - visible - in_flight

    def in_flight(self) -> list[Message]:
        now = self._now()
        return [it for it in self.messages.values() if it.receipt and it.visible_at > now]

    def _now(self) -> float:
        return self._tasks.clock.now()

    def _window(self) -> list[Message]:
        """Out of what is visible, in the order of arrival or, now and then, in none."""
        now = self._now()
        self._expire(now)
        while self._hidden and self._hidden[0][0] <= now:
            heappush(self._visible, heappop(self._hidden)[1])
        window: list[Message] = []
        while self._visible and len(window) < WINDOW:
            message = self._by_place.get(heappop(self._visible))
            is_twice = message is not None and window and window[-1] is message
            if message is not None and message.visible_at <= now and not is_twice:
                window.append(message)
        if len(window) > 1 and self._random.random() < 0.25:
            self._random.shuffle(window)
        return window

    def _put_back(self, messages: list[Message]) -> None:
        for message in messages:
            heappush(self._visible, message.place)

    def _is_used_up(self, message: Message) -> bool:
        limit = self.settings.max_receives
        return limit is not None and message.receives >= limit and self.dead_letters is not None

    def _enter(self, message: Message) -> None:
        message.place = next(self._places)
        self.messages[message.message_id] = self._by_place[message.place] = message
        heappush(self._hidden, (message.visible_at, message.place))

    def _leave(self, message: Message) -> None:
        del self.messages[message.message_id], self._by_place[message.place]

    def _show_at(self, message: Message, when: float) -> None:
        message.visible_at = when
        heappush(self._hidden, (when, message.place))
        self._tell_at(when)

    def _lease(self, message: Message) -> None:
        message.receives += 1
        self.most_receives = max(self.most_receives, message.receives)
        message.receipt = f"{message.message_id}#{message.receives}"
        message.leased_at = self._now()
        self._show_at(message, message.leased_at + self.settings.visibility_seconds)

    def _leased(self, receipt: str) -> Message:
        message_id, _, _ = receipt.partition("#")
        message = self.messages.get(message_id)
        if message is None or message.receipt != receipt:
            raise RefusedError("InvalidParameterValue", f"{receipt} is not available for a change")
        if message.visible_at <= self._now():
            raise RefusedError("MessageNotInflight", f"{message_id} is not in flight")
        return message

    def _redrive(self, message: Message) -> None:
        self._leave(message)
        target = self.dead_letters
        if target is not None:
            message.visible_at, message.receipt = self._now(), ""
            target._enter(message)
            target.on_change()

    def _expire(self, now: float) -> None:
        if self.settings.retention_seconds >= A_RUN_SECONDS:
            return
        for message in list(self.messages.values()):
            if now >= message.sent_at + self.settings.retention_seconds:
                self._leave(message)

    def _tell_at(self, when: float) -> None:
        self._tasks.clock.call_at(when, self._tell)

    def _tell(self) -> None:
        self._ready.set()
        self.on_change()
