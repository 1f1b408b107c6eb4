"""Heartbeats: a row for each sender that says until when the next one is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

# Instances send under their ids, and reconcile under this: its own show since when the table takes
# any at all.
RECONCILE = "reconcile"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`since` is when its sender began: a worker with its start, reconcile after its last gap."""

    since: datetime
    due_at: datetime


class Heartbeats(Protocol):
    """Both raise what the call raised: a table that cannot be read condemns nobody."""

    def of(self, senders: Iterable[str]) -> Mapping[str, Heartbeat]:
        """By sender; one that never sent is missing. One call per 100."""
        ...

    def send(self, sender: str, heartbeat: Heartbeat) -> None: ...


def following(last: Heartbeat | None, now: datetime, every: timedelta) -> Heartbeat:
    """The next one; after a gap it is the first again."""
    unbroken = last is not None and now <= last.due_at
    return Heartbeat(last.since if last is not None and unbroken else now, now + every)
