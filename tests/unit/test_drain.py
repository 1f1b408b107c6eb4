"""The drain command asks; the worker answers, or is found not to be there."""

import os
import subprocess
import sys

import pytest

from pilotlight.worker.drain import HAND_BACK_SECONDS, drain
from pilotlight.worker.drain_files import DrainFiles, DrainRequest, DrainVerdict
from pilotlight.worker.home import Home
from pilotlight.worker.liveness import STALE_SECONDS, Liveness, write_liveness


class Time:
    """A clock that only moves when somebody sleeps; `meanwhile` happens then."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.meanwhile = lambda: None

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.meanwhile()


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home", tmp_path / "run")


def alive(home, time, pid=None):
    write_liveness(home, Liveness(pid or os.getpid(), "BUSY", 1, time.now))


def test_the_workers_verdict_is_handed_on(home, time):
    files, verdict = DrainFiles(home), DrainVerdict(True, 1, 2, 3.0, "1 finished, 2 handed back")
    alive(home, time)
    time.meanwhile = lambda: files.answer(files.pending(), verdict)
    assert drain(home, 30, time, time.sleep) == verdict


def test_where_no_worker_ever_ran_there_is_nothing_to_drain(home, time):
    verdict = drain(home, 30, time, time.sleep)
    assert verdict.drained
    assert verdict.detail == "the worker is not running"


def test_a_worker_that_died_has_nothing_to_drain(home, time):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    alive(home, time, gone.pid)
    assert drain(home, 30, time, time.sleep).detail == "the worker is not running"


def test_a_worker_that_stopped_giving_signs_of_life_is_not_waited_for(home, time):
    alive(home, time)
    assert drain(home, 3600, time, time.sleep).drained
    assert time.now < 1000 + STALE_SECONDS + 1


def test_a_worker_that_lives_and_does_not_answer_is_not_drained(home, time):
    alive(home, time)
    time.meanwhile = lambda: alive(home, time)
    verdict = drain(home, 30, time, time.sleep)
    assert not verdict.drained
    assert "did not answer" in verdict.detail
    assert time.now < 1000 + 30 + HAND_BACK_SECONDS + 1


def test_the_answer_to_an_earlier_request_does_not_count(home, time):
    files = DrainFiles(home)
    earlier = DrainRequest("earlier", 900.0, 30)
    files.request(earlier)
    files.answer(earlier, DrainVerdict(True, 9, 9, 1.0, "of then"))
    assert drain(home, 30, time, time.sleep).detail == "the worker is not running"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": "x"}', '{"id": 1, "seconds": "many"}'])
def test_a_request_that_cannot_be_read_is_no_request(home, text):
    home.run.mkdir(parents=True)
    home.drain_request_file.write_text(text)
    assert DrainFiles(home).pending() is None
