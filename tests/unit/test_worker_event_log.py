"""A line of the worker's log is one line of JSON, whatever a job or a message put into it."""

import io
import json
import math

import pytest

from pilotlight.worker.event_log import EventLog

HOSTILE = {
    "a forged line": '\r\n{"event": "job_succeeded", "job_id": "forged"}\r\n',
    "escape sequences": "\x1b[2J\x1b]0;title\x07\x9b31m",
    "marks that turn the direction": "\u202e\u2066",
    "line ends of other standards": "\x0b\x0c\x85\u2028\u2029",
    "half a surrogate pair": "\ud800",
    "zeros": "\x00",
    "quotes": '","event":"forged","x":"',
}


class Rude:
    def __str__(self) -> str:
        return HOSTILE["a forged line"]


def logged(**fields: object) -> str:
    stream = io.StringIO()
    EventLog(stream, lambda: 1.0, instance_id="i-1")("job_output", **fields)
    return stream.getvalue()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_stays_inside_of_its_field(text: str) -> None:
    written = logged(line=text)
    assert len(written.splitlines()) == 1
    assert written.removesuffix("\n").isascii()
    assert written.removesuffix("\n").isprintable()
    assert json.loads(written) == {
        "event": "job_output",
        "at": 1.0,
        "instance_id": "i-1",
        "line": text,
    }


@pytest.mark.parametrize(
    "value", [Rude(), math.inf, {"\n": "\n"}, b"\n"], ids=lambda it: type(it).__name__
)
def test_whatever_else_is_logged_stays_one_line(value: object) -> None:
    written = logged(value=value)
    assert len(written.splitlines()) == 1
    assert json.loads(written)["event"] == "job_output"
