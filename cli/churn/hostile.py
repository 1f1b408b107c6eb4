"""Messages that somebody malicious, or something broken, may put into the jobs queue.

Each says what has to become of it: a result that is its own data, unharmed; a dead letter with a
reason; or nothing, because SQS itself refuses it. Whatever might be executed or written would
leave a file named by `canary`.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle, islice
from typing import Any

MIB = 1_048_576
BAD_EVERY = 10
DATA_EVERY = 20  # one good message of so many carries data that looks like an attack


class Fate(StrEnum):
    """What has to become of a message."""

    RESULT = "have a result, their data unharmed"
    DEAD_LETTER = "are dead letters with a reason"
    REFUSED = "were refused by SQS"


@dataclass(frozen=True, slots=True)
class Message:
    """`kind` says what is wrong with it; `data` is what a job has to return."""

    kind: str
    body: str
    fate: Fate
    job_id: str = ""
    data: Any = None


class Executed:
    """What unpickling it would do: run a command."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (self._command,)


def make_messages(seed: int, count: int, canary: str) -> list[Message]:
    """`count` messages in an order of their own, a tenth of them bad in every way in turn."""
    bad = list(islice(cycle(BAD), count // BAD_EVERY))
    messages = [make(number, canary) for number, make in enumerate(bad)]
    messages += _good(count - len(messages), canary)
    random.Random(seed).shuffle(messages)  # noqa: S311 - a seeded generator is what a replay wants
    return messages


def _good(count: int, canary: str) -> Iterator[Message]:
    data = cycle(_looks_like_an_attack(canary))
    for number in range(count):
        job_id = f"good-{number:05}"
        if number < len(STRANGE_IDS):
            job_id = STRANGE_IDS[number]
        hostile = number % DATA_EVERY == 0
        yield _job(
            "hostile data" if hostile else "plain", job_id, next(data) if hostile else number
        )


STRANGE_IDS = ("...", "-rf", "--help", "con", "a" * 128, "__proto__", "NaN")


def _looks_like_an_attack(canary: str) -> list[Any]:
    """Strings and numbers that are nothing but that."""
    command = f"touch /tmp/{canary}"
    pickled = pickle.dumps(Executed(command))
    return [
        f"$({command})",
        f"`{command}`",
        f"; {command} #",
        f"' || {command} || '",
        f"\n{command}\n",
        f"__import__('os').system('{command}')",
        base64.b64encode(pickled).decode(),
        pickled.decode("latin-1"),
        {"__reduce__": ["os.system", command], "py/object": "os.system"},
        "../../../../etc/passwd",
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "%s%s%s%n {0.__class__} ${jndi:ldap://127.0.0.1/a}",
        '\r\n{"event": "job_succeeded", "job_id": "forged"}\r\n',
        "\u0000\u001b[31m\u202e\ufeff",
        "\ud800 half a pair",
        10**4000,
        -(2**63),
        1e308,
        "\N{CAT FACE}" * 1000,
        {"": {"": [[], {}]}},
        _nested(60),
    ]


def _nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


def _job(kind: str, job_id: str, data: Any) -> Message:
    payload = {"task": "echo", "data": data}
    body = json.dumps({"job_id": job_id, "payload": payload})
    return Message(kind, body, Fate.RESULT, job_id, data)


Make = Callable[[int, str], Message]


def _dead(kind: str, body: Callable[[int, str], str]) -> Make:
    return lambda number, canary: Message(kind, body(number, canary), Fate.DEAD_LETTER)


def _refused(kind: str, body: str) -> Make:
    return lambda _number, _canary: Message(kind, body, Fate.REFUSED)


def _named(kind: str, job_id: Any) -> Make:
    """A job that calls itself `job_id`."""
    return _dead(kind, lambda _number, _canary: json.dumps({"job_id": job_id, "payload": None}))


def _stored(kind: str, *, readable: bool = False, **stored: Any) -> Make:
    """A job whose payload is said to be in the bucket; a readable message is known by its job."""

    def make(number: int, _canary: str) -> Message:
        job_id = f"stored-{number:05}"
        body = json.dumps({"job_id": job_id, "payload_in_s3": stored})
        return Message(kind, body, Fate.DEAD_LETTER, job_id if readable else "")

    return make


def _pickled(_number: int, canary: str) -> str:
    return pickle.dumps(Executed(f"touch /tmp/{canary}"), protocol=0).decode("ascii")


BAD: tuple[Make, ...] = (
    _dead("no JSON", lambda number, _: f"this is no job, {number}"),
    _dead("cut short", lambda _, __: '{"job_id": "cut", "payload": {"task": "ec'),
    _dead("shell", lambda _, canary: f"$(touch /tmp/{canary}); touch /tmp/{canary} #"),
    _dead("pickle", _pickled),
    _dead("array", lambda _, __: '[{"payload": 1}]'),
    _dead("string", lambda _, __: '"payload"'),
    _dead("null", lambda _, __: "null"),
    _dead("no payload", lambda _, __: "{}"),
    _dead("unknown field", lambda _, canary: json.dumps({"payload": 1, "run": f"touch {canary}"})),
    _dead("not a number", lambda _, __: '{"payload": NaN}'),
    _dead("infinity", lambda _, __: '{"payload": -Infinity}'),
    _dead("number of 5,000 digits", lambda _, __: '{"payload": ' + "9" * 5_000 + "}"),
    _dead("nested 65 deep", lambda _, __: '{"payload": ' + "[" * 65 + "]" * 65 + "}"),
    _dead("nested 100,000 deep", lambda _, __: '{"payload": ' + "[" * 100_000),
    _dead("byte order mark", lambda _, __: '\ufeff{"payload": null}'),
    _dead("a megabyte of nothing", lambda _, __: "x" * (MIB - 8_192)),
    _dead("infinity in digits", lambda _, __: '{"payload": 1e999}'),
    _dead("two ids", lambda _, __: '{"job_id": "good-00001", "payload": 1, "job_id": "other"}'),
    _named("id is the folder", "."),
    _named("id is the folder above", ".."),
    _named("id climbs", "../../../etc/passwd"),
    _named("id of another's checkpoint", "good-00001/../good-00002"),
    _named("id is absolute", "/etc/passwd"),
    _named("id of Windows", "..\\..\\boot.ini"),
    _named("id with a command", "$(reboot)"),
    _named("id with a line", 'a\n{"event": "forged"}'),
    _named("id with a zero", "a\u0000b"),
    _named("id is half a pair", "\ud800"),
    _named("id of other digits", "\N{FULLWIDTH DIGIT ONE}"),
    _named("id is empty", ""),
    _named("id is too long", "a" * 129),
    _named("id is a number", 17),
    _named("id is an object", {"S": "good-00001"}),
    _stored("stored under a key", key="../secret", bytes=1, sha256="0" * 64),
    _stored("stored nowhere", readable=True, bytes=1, sha256="0" * 64),
    _stored("stored without end", bytes=10**30, sha256="0" * 64),
    _stored("stored with a digest of its own", bytes=1, sha256="$(reboot)"),
    _refused("over 1 MiB", "x" * (MIB + 1)),
    _refused("a zero byte", '{"payload": "\u0000"}'),
    _refused("an escape sequence", '{"payload": "\u001b[2J"}'),
    _refused("a noncharacter", '{"payload": "\ufffe"}'),
)
