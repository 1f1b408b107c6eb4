"""A heartbeat says that the worker's loop turns, and nothing less."""

import io
import json
import threading
from datetime import UTC, datetime

import pytest
from botocore.exceptions import EndpointConnectionError

from pilotlight.worker.event_log import EventLog
from pilotlight.worker.heartbeat import RETRY_SECONDS, HeartbeatSender

INSTANCE = "i-065912b0a0b011650"
EVERY_SECONDS = 60.0
PATIENCE_SECONDS = 60.0


class Table:
    def __init__(self) -> None:
        self.sent = []
        self.reachable = True
        self.tried = threading.Semaphore(0)

    def send(self, sender, heartbeat):
        self.tried.release()
        if not self.reachable:
            raise EndpointConnectionError(endpoint_url="https://dynamodb")
        self.sent.append((sender, heartbeat))


class Pauses:
    """The sender's sleep: the test sees each pause, and ends it."""

    def __init__(self) -> None:
        self._begun = threading.Semaphore(0)
        self._over = threading.Semaphore(0)

    def __call__(self, seconds):
        self._begun.release()
        self._over.acquire()

    def await_one(self):
        assert self._begun.acquire(timeout=PATIENCE_SECONDS)

    def end(self):
        self._over.release()


class Scene:
    def __init__(self) -> None:
        self.now = 1_000.0
        self.table, self.pauses, self.log = Table(), Pauses(), io.StringIO()
        self.sender = HeartbeatSender(
            self.table,
            INSTANCE,
            EVERY_SECONDS,
            lambda: self.now,
            self.pauses,
            EventLog(self.log, lambda: self.now),
        )

    def events(self):
        return [json.loads(line)["event"] for line in self.log.getvalue().splitlines()]


@pytest.fixture
def scene():
    return Scene()


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_it_says_since_when_the_worker_works_and_when_the_next_is_due(scene):
    scene.now = 1_500.0
    assert scene.sender.send() == EVERY_SECONDS
    [(sender, heartbeat)] = scene.table.sent
    assert sender == INSTANCE
    assert (heartbeat.since, heartbeat.due_at) == (moment(1_000.0), moment(1_560.0))


def test_without_a_turn_of_the_loop_there_is_none(scene):
    scene.sender.start()
    assert not scene.table.tried.acquire(timeout=0.2)
    scene.sender.loop_turned()
    scene.pauses.await_one()
    assert len(scene.table.sent) == 1


def test_a_turn_before_the_pause_is_over_is_no_sign_of_life_after_it(scene):
    scene.sender.start()
    scene.sender.loop_turned()
    scene.pauses.await_one()
    scene.sender.loop_turned()  # and then it hangs
    scene.pauses.end()
    assert scene.table.tried.acquire(timeout=PATIENCE_SECONDS)  # of the first
    assert not scene.table.tried.acquire(timeout=0.2)
    scene.sender.loop_turned()
    assert scene.table.tried.acquire(timeout=PATIENCE_SECONDS)


def test_one_that_fails_is_logged_once_and_tried_again_soon(scene):
    scene.table.reachable = False
    assert [scene.sender.send() for _ in range(2)] == [RETRY_SECONDS] * 2
    scene.table.reachable = True
    assert scene.sender.send() == EVERY_SECONDS
    assert len(scene.table.sent) == 1
    assert scene.events() == ["heartbeat_not_sent"]
