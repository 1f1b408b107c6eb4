"""Attempts at a job: which delivery is run, when the next one comes, how long one may take."""

from dataclasses import dataclass, replace

MAX_RETRY_DELAY_SECONDS = 60

# SQS forgets a receipt 12 hours after ReceiveMessage and no extension moves that (SQS guide,
# visibility timeout: 43,195 s is granted, 43,200 s is not). Half a minute is for handing back.
LEASE_CEILING_SECONDS = 43_195
LEASE_MARGIN_SECONDS = 30
# A job that will cross the ceiling hears of it this long before it is handed back.
CEILING_NOTICE_SECONDS = 300


@dataclass(frozen=True)
class ReceivedMessage:
    """One delivery of a message; times in epoch seconds."""

    message_id: str
    receipt_handle: str
    body: str
    attempt: int  # SQS's ApproximateReceiveCount: 1 at the first delivery
    sent_at: float
    received_at: float


@dataclass(frozen=True)
class Tally:
    """How attempts ended so far; what is in neither number was lost with its worker."""

    failures: int = 0  # by the job's own doing: raised, timed out, crashed, took too much memory
    interruptions: int = 0  # handed back: the instance left, or SQS's 12 hours were over

    def with_failure(self) -> "Tally":
        return replace(self, failures=self.failures + 1)

    def with_interruption(self) -> "Tally":
        return replace(self, interruptions=self.interruptions + 1)


@dataclass(frozen=True)
class Limits:
    """When a job is given up and dead-lettered."""

    max_attempts: int  # failures
    max_receive_count: int  # deliveries, whatever became of them


def reason_to_give_up(tally: Tally, deliveries: int, limits: Limits) -> str | None:
    """Why the job is not run (again) but dead-lettered; None when it is run.

    `deliveries` is SQS's receive count. A failure costs one of `max_attempts`, an interruption
    none: only a job that was handed out very often, most likely because it takes its worker
    along each time, is given up without having failed.
    """
    if tally.failures >= limits.max_attempts:
        return f"failed {tally.failures} times"
    if deliveries >= limits.max_receive_count:
        return (
            f"handed out {deliveries} times; {tally.failures} failed, "
            f"{tally.interruptions} interrupted, the rest lost with their workers"
        )
    return None


def retry_delay_seconds(failures: int) -> int:
    """Wait after the nth failure: 2, 4, 8, ... and never more than a minute."""
    return int(min(2 ** min(failures, 10), MAX_RETRY_DELAY_SECONDS))


def lease_ends_at(message: ReceivedMessage) -> float:
    """The last moment at which the message can be handed back in good order."""
    return message.received_at + LEASE_CEILING_SECONDS - LEASE_MARGIN_SECONDS


def extension_seconds(message: ReceivedMessage, now: float, visibility_timeout_seconds: int) -> int:
    """How far the visibility timeout may be extended now; 0 at the 12 hour ceiling."""
    left = message.received_at + LEASE_CEILING_SECONDS - now
    return max(0, min(visibility_timeout_seconds, int(left)))
