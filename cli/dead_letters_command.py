"""`pilotlight dead-letters` and `pilotlight replay`: jobs that were given up, and their return."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from cli.clouds import ConfiguredCloud
from cli.dead_letters import DeadLetterQueue, Letter
from cli.errors import CommandError
from cli.explained import explained
from cli.jobs import JobsDesk
from cli.options import StackName
from cli.recording import Job
from cli.replay import JobsTable, Replay, Replayed, Verdict, is_lost, lost_reason
from cli.stack import Stack
from cli.terminal import console

SHOWN_OUTPUT_LINES = 3


@dataclass(frozen=True)
class DeadJob:
    """A letter, and what the table says of its job; `reason` is never empty."""

    letter: Letter
    job: Job | None
    reason: str

    @property
    def failures(self) -> int:
        return max(self.letter.failures, self.job.failures if self.job else 0)

    @property
    def interruptions(self) -> int:
        return max(self.letter.interruptions, self.job.interruptions if self.job else 0)

    @property
    def output_tail(self) -> str:
        return self.job.output_tail if self.job else ""


def dead_letters(
    as_json: Annotated[bool, typer.Option("--json", help="All that is known, as JSON.")] = False,
    stack_name: StackName = "pilotlight",
) -> None:
    """List the jobs that were given up: why, what they printed last, where their log is.

    Nothing is taken out of the queue.
    """
    with explained():
        stack = Stack(stack_name, ConfiguredCloud())
        found = read_dead_jobs(stack)
        if as_json:
            console.print_json(data=[document(dead) for dead in found])
            return
        if not found:
            console.print("No dead letters.")
            return
        console.print(table_of(found))
        console.print(
            "`pilotlight logs ID` has the whole log, `pilotlight replay ID` sends a job again.",
            style="dim",
        )


def replay(
    job_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Jobs to send again.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every job of the dead-letter queue.")
    ] = False,
    stack_name: StackName = "pilotlight",
) -> None:
    """Send dead-lettered jobs back to the jobs queue, each with all of its attempts again.

    Exits 1 unless every one that was asked for is on its way.
    """
    wanted = set(job_ids or ())
    if bool(wanted) == everything:
        raise typer.BadParameter("name the jobs to replay, or --all; `pilotlight dead-letters`")
    with explained():
        stack = Stack(stack_name, ConfiguredCloud())
        queue = DeadLetterQueue(stack)
        with queue.all_letters() as letters:
            chosen = [it for it in letters if everything or it.job_id in wanted]
            absent = wanted - {letter.job_id for letter in chosen}
            replayed = _run(Replay(stack, JobsDesk(stack), queue), chosen)
        _tell(replayed)
        if absent:
            raise CommandError(
                f"Not in the dead-letter queue {queue.url}: {', '.join(sorted(absent))}. "
                "`pilotlight dead-letters` lists what is; another command may be reading it now."
            )
    if any(one.verdict not in (Verdict.REPLAY, Verdict.HAS_RESULT) for one in replayed):
        raise typer.Exit(1)


def read_dead_jobs(stack: Stack) -> list[DeadJob]:
    """What lies in the queue, joined with the table; a lost job is declared dead there, too."""
    with DeadLetterQueue(stack).all_letters() as letters:
        jobs = {job.job_id: job for job in JobsDesk(stack).read({it.job_id for it in letters})}
        table = JobsTable(stack)
        found = []
        for letter in letters:
            job = jobs.get(letter.job_id)
            reason = reason_of(letter, job)
            if job is not None and is_lost(letter, job):
                table.declare_dead(job, reason, time.time())
            found.append(DeadJob(letter, job, reason))
        return found


def reason_of(letter: Letter, job: Job | None) -> str:
    """The worker's, else what can be concluded from the table."""
    if letter.reason:
        return letter.reason
    if job is None:
        return "moved by SQS; no worker ever began it, as far as the jobs table knows"
    return lost_reason(job) if is_lost(letter, job) else f"moved by SQS; the job is {job.state}"


def document(dead: DeadJob) -> dict[str, Any]:
    """For programs. The payload is left out: it may be large, and is the user's own."""
    letter = {
        name: value
        for name, value in asdict(dead.letter).items()
        if name not in ("receipt_handle", "body")
    }
    return {
        **letter,
        "reason": dead.reason,
        "failures": dead.failures,
        "interruptions": dead.interruptions,
        "output_tail": dead.output_tail,
        "job": asdict(dead.job) if dead.job else None,
    }


def table_of(found: list[DeadJob]) -> Table:
    table = Table(show_lines=True)
    for heading in ("job", "given up", "why"):
        table.add_column(heading, overflow="fold")
    for heading in ("failed", "interrupted"):
        table.add_column(heading, justify="right")
    table.add_column("printed last", overflow="fold")
    for dead in found:
        table.add_row(
            Text(dead.letter.job_id),
            _moment(dead.job.dead_lettered_at if dead.job else None),
            Text(dead.reason),
            str(dead.failures),
            str(dead.interruptions),
            Text("\n".join(dead.output_tail.splitlines()[-SHOWN_OUTPUT_LINES:])),
        )
    return table


def _run(replay: Replay, letters: list[Letter]) -> list[Replayed]:
    done: list[Replayed] = []
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("replaying", total=len(letters))

        def told(one: Replayed) -> None:
            done.append(one)
            progress.advance(task)

        replay.run(letters, told)
    return done


def _tell(replayed: list[Replayed]) -> None:
    """A line for each that was not sent, and one with the counts."""
    for one in replayed:
        if one.verdict is not Verdict.REPLAY:
            console.print(f"{one.letter.job_id}: {one.verdict}", highlight=False, markup=False)
    counts = Counter(one.verdict for one in replayed)
    console.print(f"{counts[Verdict.REPLAY]} replayed, {len(replayed)} letters", highlight=False)


def _moment(at: float | None) -> str:
    return "-" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
