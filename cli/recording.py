"""What was seen of a run: plain data, no AWS. Moments are epoch seconds, durations seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Member:
    """One instance in the group or its warm pool. `state` is AWS's LifecycleState."""

    instance_id: str
    state: str
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """The group, its pool and its queue as they were at one moment.

    `desired` running and `pool_size` pooled instances are wanted; all is 0 without a group.
    """

    at: float
    desired: int
    members: tuple[Member, ...]
    pool_size: int = 0
    visible: int = 0
    in_flight: int = 0

    def count(self, *states: str) -> int:
        return sum(member.state in states for member in self.members)

    @property
    def running(self) -> int:
        return self.count("InService")

    @property
    def stopped(self) -> int:
        return self.count("Warmed:Stopped")

    @property
    def moving(self) -> int:
        """Instances that are on their way from one state of rest to another."""
        return len(self.members) - self.running - self.stopped

    @property
    def at_rest(self) -> bool:
        """Whether the wanted number serves, the wanted number sleeps, and none is on the way."""
        wanted = (self.desired, self.pool_size, 0)
        return bool(self.members) and (self.running, self.stopped, self.moving) == wanted

    def same_as(self, other: Look) -> bool:
        """Whether nothing but the time differs."""
        return replace(self, at=0.0) == replace(other, at=0.0)


@dataclass(frozen=True, slots=True)
class Span:
    """One instance was in one lifecycle state from `start` to `end` (of what was observed)."""

    state: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Decision:
    """A capacity that was decided.

    `at` is when the invocation that decided it began, `set_at` when SetDesiredCapacity had
    answered; `woken_by` is what invoked it: the alarm, the watch or the minute's reconcile.
    """

    at: float
    set_at: float
    before: int
    capacity: int
    reason: str
    woken_by: str

    @property
    def raises(self) -> bool:
        return self.capacity > self.before


UNRECORDED = "unrecorded"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a job; None is what has not happened, or is not known.

    `state` is how it ended, or running, or UNRECORDED: deliveries up to this number left nothing
    in the table, at least not yet.
    """

    attempt: int
    instance_id: str
    state: str
    received_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its item in the jobs table tells it; None is what has not happened.

    `failures` and `interruptions` count attempts, `history` has those that ended, oldest first.
    `log_stream` is of the worker that ran the latest attempt.
    """

    job_id: str
    state: str
    sent_at: float
    attempt: int = 1
    instance_id: str = ""
    received_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    result: str = ""
    error: str = ""
    message_id: str = ""
    failures: int = 0
    interruptions: int = 0
    checkpoints: int = 0
    checkpointed_at: float | None = None
    dead_lettered_at: float | None = None
    output_tail: str = ""
    log_stream: str = ""
    history: tuple[Attempt, ...] = ()

    @property
    def over(self) -> bool:
        """Whether nothing more will happen, unless somebody replays it."""
        return self.state in ("succeeded", "dead_lettered")

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All that is known of, the latest last, though it may not have ended."""
        known = list(self.history)
        if self.started_at is not None and self.started_at not in {it.started_at for it in known}:
            known.append(
                Attempt(
                    self.attempt,
                    self.instance_id,
                    self.state,
                    self.received_at,
                    self.started_at,
                    self.finished_at,
                    self.error,
                )
            )
        return tuple(_with_gaps(known))


def _with_gaps(known: Sequence[Attempt]) -> Iterator[Attempt]:
    """One that its worker did not live to record is only told when the next one ends."""
    number = 0
    for attempt in known:
        if missing := attempt.attempt - number - 1:
            said = f"{missing} lost with the worker, or handed back before it began"
            yield Attempt(attempt.attempt - 1, "", UNRECORDED, error=said)
        number = attempt.attempt
        yield attempt


@dataclass(frozen=True, slots=True)
class Activity:
    """A scaling activity that launched an instance or took it from the pool."""

    instance_id: str
    description: str
    status: str
    start: float
    end: float | None


@dataclass(frozen=True, slots=True)
class WorkerWake:
    """One woken worker: when it first asked for a job, and seconds by what they were spent on."""

    instance_id: str
    at: float
    spent: Mapping[str, float]

    @property
    def seconds(self) -> float:
        return sum(self.spent.values())


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole run."""

    looks: tuple[Look, ...]
    decisions: tuple[Decision, ...] = ()
    jobs: tuple[Job, ...] = ()
    activities: tuple[Activity, ...] = ()
    worker_wakes: tuple[WorkerWake, ...] = ()

    @property
    def start(self) -> float:
        """When the first instance was seen: moment 0 of what is shown. Raises ValueError."""
        for look in self.looks:
            if look.members:
                return look.at
        raise ValueError("no instance was seen: there is nothing to show")


def spans(looks: Sequence[Look]) -> dict[str, list[Span]]:
    """Lifecycle states of every instance in order; a state that was left between two looks ends
    at the look which saw the next one. An instance that vanished ends at its last look.
    """
    found: dict[str, list[Span]] = {}
    for look in looks:
        for member in look.members:
            _extend(found.setdefault(member.instance_id, []), member.state, look.at)
    return found


def _extend(known: list[Span], state: str, at: float) -> None:
    if known:
        last = known[-1]
        known[-1] = Span(last.state, last.start, at)
        if last.state == state:
            return
    known.append(Span(state, at, at))
