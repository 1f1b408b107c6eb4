"""How often a job was tried, how long until the next try, and how long one try may take."""

from dataclasses import dataclass

MAX_RETRY_DELAY_SECONDS = 60

# SQS forgets a receipt 12 hours after ReceiveMessage and no extension moves that (SQS guide,
# visibility timeout: 43,195 s is granted, 43,200 s is not). Half a minute is for handing back.
LEASE_CEILING_SECONDS = 43_195
LEASE_MARGIN_SECONDS = 30


@dataclass(frozen=True)
class ReceivedMessage:
    """One delivery of a message; times in epoch seconds."""

    message_id: str
    receipt_handle: str
    body: str
    attempt: int  # SQS's ApproximateReceiveCount: 1 at the first delivery
    sent_at: float
    received_at: float


def retry_delay_seconds(attempt: int) -> int:
    """Wait after a failed attempt: 2, 4, 8, ... and never more than a minute."""
    return int(min(2 ** min(attempt, 10), MAX_RETRY_DELAY_SECONDS))


def time_limit_at(message: ReceivedMessage, started_at: float, job_timeout_seconds: float) -> float:
    """The moment at which this attempt is ended: its own limit, or the end of SQS's patience."""
    ceiling = message.received_at + LEASE_CEILING_SECONDS - LEASE_MARGIN_SECONDS
    return min(started_at + job_timeout_seconds, ceiling)


def extension_seconds(message: ReceivedMessage, now: float, visibility_timeout_seconds: int) -> int:
    """How far the visibility timeout may be extended now; 0 at the 12 hour ceiling."""
    left = message.received_at + LEASE_CEILING_SECONDS - now
    return max(0, min(visibility_timeout_seconds, int(left)))
