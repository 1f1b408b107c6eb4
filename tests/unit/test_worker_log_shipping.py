"""The worker's log on its way to CloudWatch Logs: gathered, bounded, never in the way of a job."""

import io
import json
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from pilotlight.errors import LogsRefusedError, LogsUnreachableError
from pilotlight.worker import log_buffer, log_shipping
from pilotlight.worker.event_log import EventLog
from pilotlight.worker.log_buffer import EVENT_OVERHEAD_BYTES, MAX_BATCH_BYTES, Line, LogBuffer
from pilotlight.worker.log_shipping import LogShipper, log_stream_name

PATIENCE_SECONDS = 20.0


def filled(lines: Sequence[Line], max_bytes: int = 10**9) -> LogBuffer:
    buffer = LogBuffer(max_bytes)
    for line in lines:
        buffer.add(line)
    return buffer


def batches(buffer: LogBuffer) -> Iterator[list[Line]]:
    while batch := buffer.take_batch():
        yield batch


def test_a_full_buffer_loses_its_oldest_lines_and_counts_them() -> None:
    line_bytes = 1 + EVENT_OVERHEAD_BYTES
    buffer = filled([Line(1, "a"), Line(2, "b"), Line(3, "c")], max_bytes=2 * line_bytes)
    assert buffer.take_dropped() == 1
    assert buffer.take_batch() == [Line(2, "b"), Line(3, "c")]
    assert buffer.take_dropped() == 0


def test_a_batch_is_in_order_of_time_whatever_the_threads_did() -> None:
    assert filled([Line(2, "b"), Line(1, "a")]).take_batch() == [Line(1, "a"), Line(2, "b")]


def test_no_batch_has_more_bytes_than_one_call_takes() -> None:
    text = "x" * 300_000
    found = list(batches(filled([Line(at, text) for at in range(7)])))
    assert [len(batch) for batch in found] == [3, 3, 1]
    assert all(sum(line.bytes for line in batch) <= MAX_BATCH_BYTES for batch in found)


def test_no_batch_has_more_lines_than_one_call_takes() -> None:
    found = list(batches(filled([Line(at, "") for at in range(10_001)])))
    assert [len(batch) for batch in found] == [10_000, 1]


def test_no_batch_spans_a_day_though_the_clock_was_set() -> None:
    year = 365 * 86_400.0
    found = list(batches(filled([Line(0, "a"), Line(year, "b"), Line(1, "c")])))
    assert found == [[Line(0, "a")], [Line(year, "b")], [Line(1, "c")]]


def test_a_line_that_no_call_takes_does_not_block_the_others() -> None:
    buffer = filled([Line(0, "x" * MAX_BATCH_BYTES), Line(1, "b")])
    assert buffer.take_batch() == [Line(1, "b")]
    assert buffer.take_dropped() == 1


class Stream:
    """Keeps what was put; `answers` are raised or returned first, one a call."""

    def __init__(self, *answers: Exception | int) -> None:
        self.answers = list(answers)
        self.calls: list[list[str]] = []
        self.changed = threading.Condition()

    def put(self, lines: Sequence[tuple[float, str]]) -> int:
        answer = self.answers.pop(0) if self.answers else 0
        with self.changed:
            self.calls.append([json.loads(text)["event"] for _, text in lines])
            self.changed.notify_all()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def until_calls(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.calls) >= count, PATIENCE_SECONDS)


class Shipping:
    def __init__(self, stream: Stream, buffer: LogBuffer) -> None:
        self.stream = stream
        self.shipper = LogShipper(buffer)
        self.printed = io.StringIO()
        self.log = EventLog(self.printed, time.time, self.shipper)

    def start(self) -> None:
        self.shipper.start(self.stream, self.log)


@pytest.fixture
def ship(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """`ship(stream)`: a log that ships, quicker than a real one except for what it gathers."""
    monkeypatch.setattr(log_shipping, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(log_shipping, "MAX_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(log_shipping, "GATHER_SECONDS", 3600.0)
    made: list[Shipping] = []

    def make(stream: Stream, max_bytes: int = log_buffer.MAX_BUFFER_BYTES) -> Shipping:
        made.append(Shipping(stream, LogBuffer(max_bytes)))
        return made[-1]

    yield make
    for shipping in made:
        shipping.shipper.close(1.0)


def test_lines_are_gathered_until_a_job_ends_and_go_in_one_call(ship) -> None:
    shipping = ship(Stream())
    shipping.log("worker_started")  # before anything can be shipped
    shipping.start()
    shipping.log("job_output", text="half way")
    shipping.log("job_succeeded")
    shipping.stream.until_calls(1)
    assert shipping.stream.calls == [["worker_started", "job_output", "job_succeeded"]]


def test_what_is_left_is_shipped_when_the_worker_ends(ship) -> None:
    shipping = ship(Stream())
    shipping.start()
    shipping.log("worker_state")
    shipping.shipper.close(PATIENCE_SECONDS)
    assert shipping.stream.calls == [["worker_state"]]


def test_lines_are_put_again_when_cloudwatch_was_out_of_reach_and_the_log_says_it_once(
    ship,
) -> None:
    down = LogsUnreachableError("throttled")
    shipping = ship(Stream(down, down))
    shipping.start()
    shipping.log("job_failed")
    shipping.stream.until_calls(3)
    assert shipping.stream.calls[:3] == [["job_failed"]] * 3
    assert shipping.printed.getvalue().count("log_not_shipped") == 1


def test_what_was_dropped_meanwhile_is_counted_in_the_log(ship) -> None:
    shipping = ship(Stream(), max_bytes=300)
    for _ in range(20):
        shipping.log("job_output", text="x" * 40)
    shipping.log("job_succeeded")
    shipping.start()
    shipping.shipper.close(PATIENCE_SECONDS)
    shipped = sum(len(call) for call in shipping.stream.calls[:1])
    dropped = next(
        json.loads(line)
        for line in shipping.printed.getvalue().splitlines()
        if "log_lines_dropped" in line
    )
    assert dropped["lines"] == 21 - shipped
    assert shipping.stream.calls[-1] == ["log_lines_dropped"]


def test_lines_that_cloudwatch_refuses_do_not_block_those_after_them(ship) -> None:
    shipping = ship(Stream(LogsRefusedError("InvalidParameterException")))
    shipping.start()
    shipping.log("job_failed")
    shipping.stream.until_calls(1)
    shipping.log("job_succeeded")
    shipping.stream.until_calls(2)
    assert "job_failed" not in shipping.stream.calls[1]
    assert "log_refused" in shipping.printed.getvalue()


def test_a_log_without_an_end_in_sight_does_not_keep_the_worker_from_ending(ship) -> None:
    shipping = ship(Stream(*[LogsUnreachableError("no route")] * 1_000_000))
    shipping.start()
    shipping.log("drained")
    began = time.monotonic()
    shipping.shipper.close(0.2)
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_nothing_to_say_is_no_call(ship) -> None:
    shipping = ship(Stream())
    shipping.start()
    shipping.shipper.close(PATIENCE_SECONDS)
    assert shipping.stream.calls == []


def test_a_stream_is_named_for_its_instance_and_the_start_of_the_worker() -> None:
    assert log_stream_name("i-1", 1_700_000_000.9) == "i-1/20231114T221320Z"
