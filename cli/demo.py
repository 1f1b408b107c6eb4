"""The demo: deploy, let the pool fall asleep, send jobs in waves, watch it wake and return."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from cli.activities import read_activities
from cli.bring_up import bring_up
from cli.cloudlogs import decisions, story
from cli.clouds import Endpoint
from cli.dead_letters import DeadLetterQueue
from cli.jobs import JobsDesk
from cli.ledger import Ledger
from cli.live import View, headline
from cli.recording import Job, Recording
from cli.report import HookStory, Run
from cli.stack import Stack
from cli.stages import wakes
from cli.trouble import explaining
from cli.watched import Watched, watching
from cli.worker_wakes import read_worker_wakes

STACK_NAME = "pilotlight-demo"
WAVE_LIMIT_SECONDS = 240.0
DEAD_LETTER_LIMIT_SECONDS = 60.0
STEPS = 6000  # some seconds of training, so that a woken worker still finds jobs to do
MALFORMED = "this is no job"


@dataclass(frozen=True)
class Plan:
    """Sizes of the waves of jobs, and parameters of the template beside the `local` profile's."""

    waves: tuple[int, ...]
    shows_malformed: bool
    parameters: Mapping[str, str] = field(default_factory=dict)


IDLE = {"IdleSeconds": "5"}  # a person who watches shall see workers return to the pool


def long_plan(jobs: int, waves: int) -> Plan:
    """Waves of `jobs` over five instances, each when the pool is asleep again."""
    return Plan((jobs,) * waves, True, IDLE)


def short_plan(jobs: int) -> Plan:
    """The form for CI: one instance runs, one sleeps and is woken once."""
    return Plan((jobs,), False, {**IDLE, "MaxSize": "2"})


def run_demo(cloud: Endpoint, plan: Plan, folder: Path, speed: float, view: View) -> Run:
    """Raises CommandError, after showing what there is to read, when something never came."""
    with watching(Stack(STACK_NAME, cloud), view) as watched:
        with explaining(watched, folder):
            bring_up(watched, folder, cloud.environment(), plan.parameters)
            view.say(f"asleep: {headline(watched.recorder.latest)}")
            ledger = work(watched, plan)
        return assemble(watched, ledger, speed)


def work(watched: Watched, plan: Plan) -> Ledger:
    """Send every wave, wait for its results and for the pool to be asleep again."""
    desk = JobsDesk(watched.stack)
    dead_letters = DeadLetterQueue(watched.stack)
    ledger = Ledger(desk, dead_letters)
    if plan.shows_malformed:
        desk.send([MALFORMED])
        watched.view.say(f"sent a message that is no job: {MALFORMED!r}")
    asleep = watched.recorder.latest
    for number, size in enumerate(plan.waves, start=1):
        ledger.send(wave_of(number, size))
        watched.view.say(f"wave {number}: sent {size} jobs")
        wait_for_jobs(watched, ledger)
        watched.wait_for_rest(asleep.running)
        watched.view.say(f"asleep again: {headline(watched.recorder.latest)}")
    if plan.shows_malformed:
        show_dead_letter(watched, dead_letters)
    return ledger


def wave_of(number: int, size: int) -> dict[str, object]:
    """Jobs that train the example model of layers/jobs, each with a seed of its own."""
    return {
        f"wave{number}-job{index:02}": {"task": "train", "seed": index, "steps": STEPS}
        for index in range(1, size + 1)
    }


def wait_for_jobs(watched: Watched, ledger: Ledger) -> None:
    """Until each job has its result, or is a dead letter."""

    def over() -> bool:
        for job in ledger.look():
            watched.view.say(f"{job.instance_id}  {told(job)}")
        return ledger.all_over()

    watched.wait_until(over, WAVE_LIMIT_SECONDS, "every job has its result")


def told(job: Job) -> str:
    """A finished job in one line."""
    if job.started_at is None or job.finished_at is None:
        return f"{job.job_id} {job.state}"
    return (
        f"{job.job_id} {job.state}: waited {job.started_at - job.sent_at:.1f} s, "
        f"ran {job.finished_at - job.started_at:.1f} s"
    )


def show_dead_letter(watched: Watched, dead_letters: DeadLetterQueue) -> None:
    """The malformed message ends in the dead-letter queue and has hurt nobody."""

    def there() -> bool:
        with dead_letters.all_letters() as letters:
            return any(letter.body == MALFORMED for letter in letters)

    seconds = watched.wait_until(
        there,
        DEAD_LETTER_LIMIT_SECONDS,
        "the malformed message is in the dead-letter queue",
    )
    watched.view.say(f"the malformed message is in the dead-letter queue ({seconds:.0f} s more)")


def assemble(watched: Watched, ledger: Ledger, speed: float) -> Run:
    """Everything that was seen, as the report wants it."""
    counted = ledger.tally()
    watched.follow_logs()
    lines = watched.logs.lines
    recording = Recording(
        looks=watched.recorder.looks,
        decisions=tuple(decisions(lines)),
        jobs=ledger.jobs,
        activities=tuple(read_activities(watched.stack)),
        worker_wakes=tuple(read_worker_wakes(watched.stack, watched.recorder.looks[0].at)),
    )
    woken = [wake.instance_id for wake in wakes(recording)]
    members = [member.instance_id for member in recording.looks[-1].members]
    hero = (woken + members + [""])[0]
    return Run(
        stack=watched.stack.name,
        speed=speed,
        recording=recording,
        tally=counted,
        story=HookStory(hero, story(lines, hero)),
        versions=versions(watched.stack),
    )


def versions(stack: Stack) -> dict[str, str]:
    """Of what took part. torch is what the instances proved to have, by their tags."""
    tags = stack.cloud.client("ec2").describe_tags(
        Filters=[{"Name": "key", "Values": ["pilotlight:torch-version"]}]
    )["Tags"]
    proven = sorted({tag["Value"] for tag in tags})
    return {
        "pilotlight": metadata.version("pilotlight"),
        "python": platform.python_version(),
        "torch": ", ".join(proven) or "unproven",
        "ministack": metadata.version("ministack"),
    }
