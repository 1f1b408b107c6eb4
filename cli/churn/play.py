"""Plays a plan: jobs are sent and strikes fall at their times."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol, TypeVar

from cli.churn.plan import ChurnJob, Kind, Plan
from cli.churn.striker import Hit, Striker
from cli.cloudlogs import LogLine
from cli.jobs import JobsDesk, message_body
from cli.watched import Watched

STRIKES_AT_ONCE = 16
TICK_SECONDS = 0.1
KILLED = "Runtime.ExitError"


class Planned(Protocol):
    @property
    def at(self) -> float: ...


_Planned = TypeVar("_Planned", bound=Planned)


def play(
    plan: Plan,
    watched: Watched,
    desk: JobsDesk,
    striker: Striker,
    witness: tuple[str, int],
) -> list[Hit]:
    """Takes as long as the plan, and until its last strike is over. `witness` is told to jobs."""
    jobs, strikes = list(plan.jobs), list(plan.strikes)
    fallen: list[Future[Hit]] = []
    began = time.monotonic()
    with ThreadPoolExecutor(STRIKES_AT_ONCE, thread_name_prefix="strike") as pool:
        while jobs or strikes:
            now = time.monotonic() - began
            if due := taken_until(jobs, now):
                desk.send([body_of(job, witness) for job in due])
            for strike in taken_until(strikes, now):
                watched.view.say(f"STRIKE {strike.kind}")
                fallen.append(pool.submit(striker.strike, strike))
                fallen[-1].add_done_callback(lambda done: watched.view.say(told(done.result())))
            sent = len(plan.jobs) - len(jobs)
            watched.view.status(f"{sent // 10 * 10} of {len(plan.jobs)} jobs sent")
            time.sleep(TICK_SECONDS)
    return sorted((each.result() for each in fallen), key=lambda hit: hit.at)


def taken_until(planned: list[_Planned], now: float) -> list[_Planned]:
    """Take out of `planned`, which is in order, what is due."""
    due = [each for each in planned if each.at <= now]
    del planned[: len(due)]
    return due


def body_of(job: ChurnJob, witness: tuple[str, int]) -> str:
    return message_body({**job.payload, "witness": witness}, job.job_id)


def told(hit: Hit) -> str:
    """A strike in one line."""
    came = hit.detail if hit.landed else f"MISSED, {hit.detail}"
    return f"{hit.target or 'the fleet'}  {hit.kind}: {came}"


def function_kills(hits: Iterable[Hit], lines: Sequence[LogLine]) -> list[Hit]:
    """A function that was to be killed in a call was so only if its log shows that it died."""
    died = [line for line in lines if line.fields.get("record", {}).get("errorType") == KILLED]
    found = []
    for hit in hits:
        if hit.kind is Kind.FUNCTION_KILLED:
            death = next((line for line in died if _is_of(line, hit)), None)
            if death is None:
                hit = replace(hit, landed=False, detail=f"{hit.detail}: never came there")
            else:
                died.remove(death)
        found.append(hit)
    return found


def _is_of(line: LogLine, hit: Hit) -> bool:
    return line.at >= hit.at and hit.target.endswith(line.function)
