"""Hostile messages through a real worker: what became of each, and what was executed."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from cli.churn.hostile import Fate, Message
from cli.churn.hostile_logs import harmed, read_lines
from cli.dead_letters import DeadLetterQueue
from cli.errors import CommandError
from cli.jobs import JobsDesk
from cli.stack import Stack
from cli.waiting import wait_until
from cli.watched import Watched

LARGE_BYTES = 50_000  # ten of them are half of what SQS takes at once
LOOK_AGAIN = 3  # a queue that looked empty so often in a row is


@dataclass(frozen=True)
class Sent:
    """A message that SQS took, by the id that it gave."""

    message: Message
    message_id: str

    @property
    def job_id(self) -> str:
        """The key in the jobs table."""
        return self.message.job_id or self.message_id


@dataclass(frozen=True)
class HostileVerdict:
    """`missing` are kinds of message whose fate was another one; `executed` are files found.

    `logged` are lines of the stack's logs that hold a payload, or were written by one.
    """

    messages: int
    fates: Mapping[Fate, int]
    missing: Mapping[str, int]
    executed: tuple[str, ...]
    logged: tuple[str, ...]
    seconds: float

    @property
    def flawless(self) -> bool:
        return not (self.missing or self.executed or self.logged)

    @property
    def sentence(self) -> str:
        """The last line of a run."""
        fates = ", ".join(f"{self.fates[fate]} {fate}" for fate in Fate)
        return (
            f"{self.messages} messages: {fates}; {sum(self.missing.values())} lost or harmed, "
            f"{len(self.executed)} executed, {len(self.logged)} logged"
        )


def make_canary() -> str:
    """A file name that nothing else has."""
    return f"executed-{uuid.uuid4().hex}"


def run_hostile(
    watched: Watched, messages: Sequence[Message], canary: str, disks: Path, limit_seconds: float
) -> HostileVerdict:
    """Raises CommandError when the queue is not empty within the limit.

    `disks` is the folder with the instances' disks.
    """
    sent, refused = send_all(JobsDesk(watched.stack), messages)
    watched.view.say(f"{len(sent)} messages sent, {len(refused)} refused by SQS")
    seconds = wait_until(_EmptyQueue(watched), limit_seconds, "the queue is empty")
    met = refused + read_fates(watched.stack, sent)
    executed = tuple(str(path) for path in found_canaries(canary, disks))
    logged = tuple(harmed(read_lines(watched.stack), canary))
    return judge_hostile(messages, met, executed, logged, seconds)


def judge_hostile(
    messages: Sequence[Message],
    met: Sequence[Message],
    executed: tuple[str, ...],
    logged: tuple[str, ...],
    seconds: float,
) -> HostileVerdict:
    """`met` are those of `messages` that met their fate."""
    fates = Counter(message.fate for message in met)
    missing = Counter(message.kind for message in messages)
    missing.subtract(message.kind for message in met)
    return HostileVerdict(
        messages=len(messages),
        fates={fate: fates[fate] for fate in Fate},
        missing={kind: count for kind, count in missing.items() if count},
        executed=executed,
        logged=logged,
        seconds=round(seconds, 1),
    )


def send_all(desk: JobsDesk, messages: Iterable[Message]) -> tuple[list[Sent], list[Message]]:
    """What SQS took, and what it refused as it had to; raises what another refusal raised."""
    sent: list[Sent] = []
    refused: list[Message] = []
    small: list[Message] = []
    for message in messages:
        if message.fate is Fate.REFUSED or len(message.body) > LARGE_BYTES:
            try:
                sent += _sent(desk, [message])
            except (ClientError, CommandError):  # all of a batch, or one message of it
                if message.fate is not Fate.REFUSED:
                    raise
                refused.append(message)
        else:
            small.append(message)
    return sent + _sent(desk, small), refused


def _sent(desk: JobsDesk, messages: Sequence[Message]) -> list[Sent]:
    ids = desk.send([message.body for message in messages])
    return [Sent(message, id_) for message, id_ in zip(messages, ids, strict=True)]


def read_fates(stack: Stack, sent: Sequence[Sent]) -> list[Message]:
    """Those which met the fate that they should."""
    jobs = JobsDesk(stack).read({each.job_id for each in sent})
    results = {job.job_id: job.result for job in jobs}
    with DeadLetterQueue(stack).all_letters() as letters:
        reasons = {letter.job_id: letter.reason for letter in letters}
    return [
        each.message
        for each in sent
        if met_its_fate(each, results.get(each.job_id, ""), reasons.get(each.job_id))
    ]


def met_its_fate(sent: Sent, result: str, reason: str | None) -> bool:
    """`result` is the table's, empty when it has none; `reason` the dead letter's, None without."""
    if sent.message.fate is Fate.DEAD_LETTER:
        return bool(reason) and not result
    return reason is None and bool(result) and json.loads(result) == sent.message.data


def found_canaries(canary: str, disks: Path) -> list[Path]:
    """Files of that name on the instances' disks, and on this computer where they would be."""
    return [*disks.rglob(canary), *Path("/tmp").glob(canary), *Path.cwd().glob(canary)]  # noqa: S108


class _EmptyQueue:
    """Whether nothing waits and nothing is in work, look after look."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._empty_looks = 0

    def __call__(self) -> bool:
        look = self._watched.recorder.latest
        empty = look.visible + look.in_flight == 0
        self._empty_looks = self._empty_looks + 1 if empty else 0
        return self._empty_looks >= LOOK_AGAIN
