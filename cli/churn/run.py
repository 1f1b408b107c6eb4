"""A churn run: send jobs and strike by the plan, wait for the end, and judge."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cli.churn.acts import Acts, Faults
from cli.churn.fleet import serving
from cli.churn.plan import Plan
from cli.churn.play import function_kills, play
from cli.churn.striker import Hit, Striker
from cli.churn.table_log import TableLog
from cli.churn.verdict import Verdict, judge
from cli.churn.witness import Sighting, Witness
from cli.dead_letters import DeadLetterQueue, Letter
from cli.errors import CommandError
from cli.jobs import JobsDesk
from cli.waiting import wait_until
from cli.watched import Watched

OVER_LIMIT_SECONDS = 900.0  # poison alone is tried for a minute, and a new instance takes two
QUIET_LIMIT_SECONDS = 120.0
# A job whose process is killed has failed, and chance shall not use up a good job's attempts.
PARAMETERS = {"MinSize": "1", "MaxSize": "5", "MaxAttempts": "5"}


@dataclass(frozen=True)
class Churn:
    """All that was seen of a run. `seconds` from the first job to the end of the last."""

    plan: Plan
    verdict: Verdict
    hits: tuple[Hit, ...]
    sightings: tuple[Sighting, ...]
    letters: tuple[Letter, ...]
    seconds: float


def run_churn(watched: Watched, faults: Faults, plan: Plan) -> Churn:
    """On a fleet that is deployed and at rest."""
    stack = watched.stack
    log = TableLog(stack)
    log.open()
    striker = Striker(stack, Acts(stack, faults), lambda: serving(watched))
    with Witness() as witness:
        began = time.time()
        hits = play(plan, watched, JobsDesk(stack), striker, witness.address)
        wait_for_the_end(watched, plan, witness)
        seconds = time.time() - began
        look = watched.recorder.latest
    watched.logs.read_new()
    hits = function_kills(hits, watched.logs.lines)
    with DeadLetterQueue(stack).all_letters() as letters:
        verdict = judge(
            plan.jobs,
            log.writes(),
            witness.sightings,
            letters,
            hits,
            left=look.visible + look.in_flight,
        )
    return Churn(plan, verdict, tuple(hits), witness.sightings, tuple(letters), seconds)


def wait_for_the_end(watched: Watched, plan: Plan, witness: Witness) -> None:
    """Until every job has its result or is a dead letter, and no attempt runs any more.

    What does not come within the limit is left to the verdict.
    """
    desk = JobsDesk(watched.stack)
    unfinished = {job.job_id for job in plan.jobs}

    def over() -> bool:
        for job in desk.read(sorted(unfinished)):
            if job.over:
                unfinished.discard(job.job_id)
        return not unfinished

    def quiet() -> bool:
        look = watched.recorder.latest
        running = [each for each in witness.sightings if each.ended_at is None]
        return not running and look.visible + look.in_flight == 0

    waits: list[tuple[Callable[[], bool], float, str]] = [
        (over, OVER_LIMIT_SECONDS, "every job is over"),
        (quiet, QUIET_LIMIT_SECONDS, "the queue is empty and no attempt runs"),
    ]
    for condition, limit_seconds, what in waits:
        watched.view.status(f"waiting until {what}")
        try:
            wait_until(condition, limit_seconds, what)
        except CommandError as error:
            watched.view.say(f"{error} Left: {', '.join(sorted(unfinished)) or 'no job'}")
