"""What became of a job so far, in words: pure, from its item and the fleet's state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from cli.recording import UNRECORDED, Attempt, Job, Look

# States of rest, and of what leaves: none of these is about to take a job.
NOT_COMING = ("InService", "Warmed:", "Terminating", "Terminated", "Detach", "Standby")


@dataclass(frozen=True, slots=True)
class AttemptTimes:
    """Seconds of one attempt; None is what has not happened, or is not known.

    `waited_s` is until the receive: since the sending, or the end of the attempt before.
    """

    waited_s: float | None
    ran_s: float | None


def attempt_times(job: Job, now: float) -> list[AttemptTimes]:
    """One for each of the job's attempts; the one that runs has run until now."""
    found = []
    before: Attempt | None = None
    for attempt in job.attempts:
        end = now if attempt.state == "running" else attempt.finished_at
        waiting_since = _waiting_since(job, before, attempt.received_at)
        found.append(
            AttemptTimes(
                waited_s=_between(waiting_since, attempt.received_at),
                ran_s=_between(attempt.started_at, end),
            )
        )
        before = before if attempt.state == UNRECORDED else attempt
    return found


def _waiting_since(job: Job, before: Attempt | None, received_at: float | None) -> float | None:
    """A replay sends anew: attempts before it were not waiting since then, the next one was."""
    sent_at = job.sent_at if received_at and 0 < job.sent_at <= received_at else None
    if before is None:
        return sent_at
    ended_at = before.finished_at
    return None if ended_at is None else max(ended_at, sent_at or ended_at)


def headline(job: Job, look: Look, now: float) -> str:
    """One line: the state, since when, and what has to happen next. `look` is the fleet."""
    told = {
        "queued": lambda: f"queued again after a replay; {capacity(look)}",
        "running": lambda: _running(job, look, now),
        "failed": lambda: f"failed: {job.error}. It runs again; {capacity(look)}",
        "interrupted": lambda: f"interrupted: {job.error}. It runs again; {capacity(look)}",
        "succeeded": lambda: _succeeded(job),
        "dead_lettered": lambda: _dead_lettered(job),
    }
    return told.get(job.state, lambda: job.state)()


def capacity(look: Look) -> str:
    """What the group does about the queue."""
    starting = Counter(
        member.state for member in look.members if not member.state.startswith(NOT_COMING)
    )
    starting_told = ", ".join(f"{count} in {state}" for state, count in sorted(starting.items()))
    return (
        f"{look.visible} waiting and {look.in_flight} in work; {look.running} running, "
        f"{starting.total()} starting{f' ({starting_told})' if starting else ''}, "
        f"{look.stopped} asleep, {look.desired} wanted"
    )


def _running(job: Job, look: Look, now: float) -> str:
    seconds = now - (job.started_at or now)
    told = f"running on {job.instance_id} for {seconds:.0f} s (attempt {job.attempt})"
    if job.checkpointed_at:
        told += f", checkpoint {now - job.checkpointed_at:.0f} s ago"
    if job.instance_id not in {member.instance_id for member in look.members}:
        told += (
            ", but that instance is no longer in the group: the job comes again "
            "when its visibility timeout is over"
        )
    return told


def _succeeded(job: Job) -> str:
    total = _between(job.sent_at or None, job.finished_at)
    ran = _between(job.started_at, job.finished_at)
    times = f" {total:.1f} s after it was sent" if total is not None else ""
    times += f", ran {ran:.1f} s" if ran is not None else ""
    return f"succeeded on {job.instance_id}{times} (attempt {job.attempt})"


def _dead_lettered(job: Job) -> str:
    return (
        f"dead-lettered: {job.error or 'no reason is known'}. {job.failures} failed, "
        f"{job.interruptions} interrupted; `pilotlight replay {job.job_id}` sends it again"
    )


def outcome(attempt: Attempt) -> str:
    """How an attempt ended."""
    return f"{attempt.state}: {attempt.error}" if attempt.error else attempt.state


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else max(0.0, end - start)
