"""What the time until the first receive was spent on."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from pilotlight.worker import wake
from pilotlight.worker.home import Home
from pilotlight.worker.marker import SetupMarker
from pilotlight.worker.wake import (
    CodeCheck,
    Stopwatch,
    note_code_check,
    process_started_at,
    start_stopwatch,
)

BOOTED, OWN_START = 100.0, 107.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    starts = {os.getppid(): BOOTED, os.getpid(): OWN_START}
    monkeypatch.setattr(wake, "process_started_at", starts.get)
    home = Home(tmp_path, tmp_path / "run")
    home.run.mkdir()
    return home


def test_the_laps_add_up_to_all_of_the_time() -> None:
    now = iter([11.0, 15.0])
    stopwatch = Stopwatch(10.0, lambda: next(now))
    stopwatch.lap("settings")
    stopwatch.lap("self_check", until=14.5)
    stopwatch.lap("in_service")
    assert stopwatch.spent == {"settings": 1.0, "self_check": 3.5, "in_service": 0.5}
    assert stopwatch.seconds == 5.0


def test_what_was_over_before_the_lap_began_took_no_time() -> None:
    stopwatch = Stopwatch(10.0, lambda: 12.0)
    stopwatch.lap("boto3")
    stopwatch.lap("self_check", until=11.0)
    stopwatch.lap("in_service")
    assert stopwatch.spent == {"boto3": 2.0, "self_check": 0.0, "in_service": 0.0}


def set_up(home: Home, finished_at: float) -> None:
    marker = SetupMarker("hash", "2.13.0", "3.12.4", ("torch",), finished_at)
    home.marker_file.write_text(json.dumps(asdict(marker)))


def test_a_wake_begins_with_the_system_manager_and_the_code_check(home: Home) -> None:
    set_up(home, BOOTED - 3600)
    note_code_check(home, CodeCheck(began_at=104.0, ended_at=106.5))
    assert start_stopwatch(home, lambda: 0.0).spent == {"boot": 4.0, "code_check": 2.5}


@pytest.mark.parametrize("finished_at", [None, BOOTED + 65])
def test_what_comes_before_the_service_at_the_very_first_start_is_the_setup(
    home: Home, finished_at: float | None
) -> None:
    """Which is over a moment before or after the service has started."""
    if finished_at is not None:
        set_up(home, finished_at)
    note_code_check(home, CodeCheck(began_at=164.0, ended_at=166.5))
    assert start_stopwatch(home, lambda: 0.0).spent == {"setup": 64.0, "code_check": 2.5}


def test_a_worker_that_systemd_started_again_counts_from_its_own_start(home: Home) -> None:
    set_up(home, BOOTED - 3600)
    home.liveness_file.touch()
    note_code_check(home, CodeCheck(began_at=104.0, ended_at=106.5))
    stopwatch = start_stopwatch(home, lambda: OWN_START + 1)
    stopwatch.lap("worker_start")
    assert stopwatch.spent == {"worker_start": 1.0}


def test_the_start_of_a_process_is_known_to_a_hundredth() -> None:
    before = time.time()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        started_at = process_started_at(process.pid)
        process.communicate(b"\n")
    if started_at is None:
        pytest.skip("this kernel does not tell when a process began")
    assert before - 0.05 <= started_at <= time.time() + 0.05


def test_of_a_process_that_is_gone_the_start_is_not_known() -> None:
    assert process_started_at(2**22 + 1) is None
