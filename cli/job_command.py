"""`pilotlight job ID`: where a job is and how it got there, once or until it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.clouds import ConfiguredCloud
from cli.errors import CommandError
from cli.explained import explained
from cli.job_story import attempt_times, capacity, headline, outcome
from cli.jobs import JobsDesk
from cli.options import StackName
from cli.recording import Job, Look
from cli.stack import Stack
from cli.terminal import console
from cli.watch import Observer

FOLLOW_SECONDS = 1.0
# SQS's counts lag behind, and a message may be on its way: this long an unknown job is awaited.
UNKNOWN_SECONDS = 60.0
STYLES = {"succeeded": "green", "dead_lettered": "red", "failed": "yellow"}

JobId = Annotated[str, typer.Argument(metavar="ID", help="The job_id, or the SQS message id.")]


@dataclass(frozen=True)
class Sight:
    """A job and its fleet at one moment; `job` is None while no worker has received it."""

    job_id: str
    job: Job | None
    look: Look

    @property
    def over(self) -> bool:
        return self.job is not None and self.job.over

    @property
    def known(self) -> bool:
        """Whether a worker has received it, or it may be among what is in the queue."""
        return self.job is not None or bool(self.look.visible or self.look.in_flight)

    @property
    def told(self) -> str:
        if self.job is not None:
            return headline(self.job, self.look, self.look.at)
        if self.known:
            return f"queued: no worker has received it yet; {capacity(self.look)}"
        return f"unknown: nothing is in the queue, and the jobs table has no job {self.job_id!r}"


class Watcher:
    """Looks at one job: four calls a look, of which DynamoDB's is the only one that costs."""

    def __init__(self, stack: Stack, job_id: str) -> None:
        self._desk = JobsDesk(stack)
        self._observer = Observer(stack.cloud, stack.group_name)
        self._observer.queue_url = self._desk.queue_url
        self._job_id = job_id

    def look(self) -> Sight:
        found = self._desk.read([self._job_id])
        return Sight(self._job_id, found[0] if found else None, self._observer.look())


def job(
    job_id: JobId,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until it has succeeded or is given up.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="All that is known, as JSON.")] = False,
    stack_name: StackName = "pilotlight",
) -> None:
    """Show where a job is, each attempt at it, and what the fleet does about it.

    With --follow it exits 0 when the job has succeeded, and 1 when it was dead-lettered.
    """
    with explained():
        watcher = Watcher(Stack(stack_name, ConfiguredCloud()), job_id)
        sight = _follow(watcher.look, as_json) if follow else watcher.look()
        if not sight.known:
            raise CommandError(
                f"{sight.told}. Was it sent to stack {stack_name!r}, and within the last 14 days? "
                "Without a job_id of its own its id is the SQS message id."
            )
        if as_json:
            console.print_json(data=document(sight))
        elif not follow or not console.is_terminal:
            console.print(shown(sight))
    if follow and sight.job is not None and sight.job.state != "succeeded":
        raise typer.Exit(1)


def document(sight: Sight) -> dict[str, Any]:
    """For programs: the item's attributes, and beside them the fleet in numbers."""
    fleet = sight.look
    return {
        **(asdict(sight.job) if sight.job else {"job_id": sight.job_id, "state": "queued"}),
        "told": sight.told,
        "fleet": {
            "waiting": fleet.visible,
            "in_work": fleet.in_flight,
            "desired": fleet.desired,
            "running": fleet.running,
            "stopped": fleet.stopped,
            "moving": fleet.moving,
        },
    }


def shown(sight: Sight) -> Group:
    """For a person: one line, and a row for each attempt."""
    state = sight.job.state if sight.job else "queued"
    line = Text(f"{sight.job_id}  {sight.told}", style=STYLES.get(state, "bold"))
    parts: list[Text | Table] = [line]
    if sight.job is not None and sight.job.attempts:
        parts.append(attempts_table(sight.job, sight.look.at))
    if sight.job is not None and sight.job.state != "succeeded" and sight.job.output_tail:
        parts.append(Text("the last that it printed:", style="dim"))
        parts.append(Text(sight.job.output_tail.rstrip()))
    return Group(*parts)


def attempts_table(job: Job, now: float) -> Table:
    sent = f"sent {_clock(job.sent_at)} UTC" if job.sent_at else ""
    table = Table(title=sent, title_justify="left", title_style="dim")
    for heading in ("attempt", "instance"):
        table.add_column(heading)
    for heading in ("received", "waited", "ran"):
        table.add_column(heading, justify="right")
    table.add_column("ended", overflow="fold")
    for attempt, times in zip(job.attempts, attempt_times(job, now), strict=True):
        received = _clock(attempt.received_at) if attempt.received_at else "-"
        table.add_row(
            str(attempt.attempt),
            attempt.instance_id,
            received,
            _seconds(times.waited_s),
            _seconds(times.ran_s),
            Text(outcome(attempt)),
        )
    return table


def _follow(look: Callable[[], Sight], quietly: bool) -> Sight:
    if quietly:
        return _until_over(look, lambda _: None)
    if not console.is_terminal:
        return _until_over(look, _Lines(console).show)
    with Live(console=console, refresh_per_second=4) as live:
        return _until_over(look, lambda sight: live.update(shown(sight)))


def _until_over(look: Callable[[], Sight], show: Callable[[Sight], None]) -> Sight:
    """Until the job is over; or it stayed unknown for so long that it never was sent."""
    unknown_until = time.monotonic() + UNKNOWN_SECONDS
    while True:
        sight = look()
        show(sight)
        if sight.known:
            unknown_until = time.monotonic() + UNKNOWN_SECONDS
        if sight.over or time.monotonic() > unknown_until:
            return sight
        time.sleep(FOLLOW_SECONDS)


class _Lines:
    """Where there is no terminal to draw on: a line whenever something has changed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._known: object = None

    def show(self, sight: Sight) -> None:
        job = sight.job
        changes = (job and (job.state, job.attempt, job.checkpoints), sight.known)
        if changes != self._known:
            self._known = changes
            moment = _clock(sight.look.at)
            self._console.print(moment, sight.told, highlight=False, markup=False, soft_wrap=True)


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
