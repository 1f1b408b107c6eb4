"""Where the time of a wake goes: from a recording to seconds. docs/measure.md defines each."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cli.recording import Activity, Decision, Job, Recording, Span, spans

STAGES = ("detect_s", "decide_s", "start_s", "hook_s", "ready_s", "total_s")

# States that an instance can only have once EC2 runs it, and once its launching hook is completed.
STARTED = ("Pending:Wait", "Pending:Proceed", "InService")
PROVEN = ("Warmed:Pending:Proceed", "Warmed:Stopped", "Pending:Proceed", "InService")

_INTO_POOL = "into warm pool"
_FROM_POOL = "from warm pool"


@dataclass(frozen=True, slots=True)
class Wake:
    """One stopped instance that was woken, with the moments on its way; None was not observed."""

    instance_id: str
    sent_at: float | None
    decided_at: float | None
    set_at: float | None
    left_pool_at: float
    waiting_at: float | None
    in_service_at: float | None
    started_at: float | None
    result_at: float | None

    def seconds(self) -> dict[str, float | None]:
        """Each stage's duration, by the names of STAGES and `first_result_s`."""
        return {
            "detect_s": _between(self.sent_at, self.decided_at),
            "decide_s": _between(self.decided_at, self.set_at),
            "start_s": _between(self.set_at, self.waiting_at),
            "hook_s": _between(self.waiting_at, self.in_service_at),
            "ready_s": _between(self.in_service_at, self.started_at),
            "first_result_s": _between(self.started_at, self.result_at),
            "total_s": _between(self.sent_at, self.started_at),
        }


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Over `count` observations; None when there was none."""

    p50: float | None
    p95: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Starts:
    """How instances came into service: woken from the pool, or launched because it was empty."""

    warm: int
    cold: int


def wakes(recording: Recording) -> list[Wake]:
    """Every move of an instance from the warm pool into the group, in order of time."""
    found = [
        _wake(instance_id, history, index, recording)
        for instance_id, history in spans(recording.looks).items()
        for index in range(1, len(history))
        if _leaves_pool(history[index - 1], history[index])
    ]
    return sorted(found, key=lambda wake: wake.left_pool_at)


def stage_percentiles(found: Iterable[Wake]) -> dict[str, Percentiles]:
    """p50 and p95 of each stage over the wakes in which it was observed."""
    rows = [wake.seconds() for wake in found]
    return {
        stage: percentiles([value for row in rows if (value := row[stage]) is not None])
        for stage in (*STAGES, "first_result_s")
    }


def percentiles(values: Sequence[float]) -> Percentiles:
    """Linear interpolation between the closest ranks."""
    if len(values) < 2:
        only = values[0] if values else None
        return Percentiles(only, only, len(values))
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return Percentiles(cuts[49], cuts[94], len(values))


def starts(activities: Iterable[Activity]) -> Starts:
    """Successful launches into service, told apart by AWS's own description of the activity."""
    done = [activity for activity in activities if activity.status == "Successful"]
    warm = sum(_FROM_POOL in activity.description for activity in done)
    cold = sum(_is_cold_launch(activity) for activity in done)
    return Starts(warm=warm, cold=cold)


def setup_seconds(recording: Recording) -> list[float]:
    """For each new instance that was proven ready: from its launch until its hook was completed.

    The launch is the activity's StartTime; the end is the first look at which the instance had
    left the wait state of its launch (for the pool Warmed:Pending:Wait, else Pending:Wait).
    """
    histories = spans(recording.looks)
    found = []
    for activity in recording.activities:
        if _INTO_POOL in activity.description or _is_cold_launch(activity):
            proven_at = _since(PROVEN, histories.get(activity.instance_id, []))
            if proven_at is not None:
                found.append(proven_at - activity.start)
    return found


def _is_cold_launch(activity: Activity) -> bool:
    return (
        activity.description.startswith("Launching")
        and _INTO_POOL not in activity.description
        and _FROM_POOL not in activity.description
    )


def _leaves_pool(before: Span, after: Span) -> bool:
    return before.state.startswith("Warmed:") and after.state.startswith(("Pending", "InService"))


def _wake(instance_id: str, history: Sequence[Span], index: int, recording: Recording) -> Wake:
    left_pool_at = history[index].start
    in_service_at = _since(("InService",), history[index:])
    decision = _decision_behind(left_pool_at, recording.decisions)
    first = _first_job_on(instance_id, left_pool_at, in_service_at, recording.jobs)
    return Wake(
        instance_id=instance_id,
        sent_at=_sent_at(decision, recording) if decision else None,
        decided_at=decision.at if decision else None,
        set_at=decision.set_at if decision else None,
        left_pool_at=left_pool_at,
        waiting_at=_since(STARTED, history[index:]),
        in_service_at=in_service_at,
        started_at=first.started_at if first else None,
        result_at=first.finished_at if first else None,
    )


def _decision_behind(left_pool_at: float, decisions: Iterable[Decision]) -> Decision | None:
    """The last raise which was in force before the instance began to move."""
    raises = [one for one in decisions if one.raises and one.set_at <= left_pool_at]
    return max(raises, key=lambda one: one.set_at, default=None)


def _sent_at(decision: Decision, recording: Recording) -> float | None:
    """When the first job was sent that this raise, and none before it, can have seen waiting."""
    earlier = [one.at for one in recording.decisions if one.raises and one.at < decision.at]
    since = max(earlier, default=float("-inf"))
    waiting = [
        job.sent_at
        for job in recording.jobs
        if since < job.sent_at <= decision.at
        and (job.received_at is None or job.received_at > decision.at)
    ]
    return min(waiting, default=None)


def _first_job_on(
    instance_id: str, left_pool_at: float, in_service_at: float | None, jobs: Iterable[Job]
) -> Job | None:
    """The first job that the woken instance started, of those which waited for it.

    A job sent after the instance was in service waited for no wake and tells nothing about one.
    """
    if in_service_at is None:
        return None
    taken = [
        (job.started_at, job)
        for job in jobs
        if job.instance_id == instance_id
        and job.started_at is not None
        and job.started_at >= left_pool_at
        and job.sent_at <= in_service_at
    ]
    return min(taken, key=lambda pair: pair[0], default=(None, None))[1]


def _since(states: Sequence[str], history: Sequence[Span]) -> float | None:
    return next((span.start for span in history if span.state in states), None)


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else max(0.0, end - start)
