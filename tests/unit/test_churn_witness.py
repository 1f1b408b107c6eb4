"""The witness outside of the instances, told by the handler that a churn deploys."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from cli.churn import handler
from cli.churn.witness import Sighting, Witness
from pilotlight.jobs.job import Job

PATIENCE_SECONDS = 30.0


def payload(witness: Witness, **more: Any) -> dict[str, Any]:
    return {"witness": witness.address, **more}


def the_one_sighting(witness: Witness) -> Sighting:
    """Once it has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seen := [each for each in witness.sightings if each.ended_at is not None]):
        assert time.monotonic() < deadline, "the witness saw no end"
        time.sleep(0.01)
    return seen[0]


def test_an_attempt_that_completes_is_seen_to_complete() -> None:
    with Witness() as witness:
        asked = payload(witness, task="count", tenths=1, patient=True, saves=False)
        assert handler.handle(asked, Job("one", attempt=4)) == {"counted": 1}
        seen = the_one_sighting(witness)
    assert (seen.job_id, seen.attempt, seen.completed) == ("one", 4, True)
    assert seen.ended_at is not None
    assert seen.ended_at >= seen.began_at


def test_an_attempt_that_raises_ends_without_completing() -> None:
    with Witness() as witness:
        with pytest.raises(handler.PoisonError):
            handler.handle(payload(witness, task="raise"), Job("one"))
        assert not the_one_sighting(witness).completed


def test_an_impatient_job_gives_up_when_it_is_told_to_stop() -> None:
    with Witness() as witness:
        job = Job("one")
        job.request_stop()
        asked = payload(witness, task="count", tenths=600, patient=False, saves=False)
        with pytest.raises(handler.GivenUpError, match="after 0 of 600"):
            handler.handle(asked, job)


def test_a_process_that_is_killed_ends_its_attempt_by_the_end_of_its_connection() -> None:
    with Witness() as witness:
        with socket.create_connection(witness.address) as dying:
            dying.sendall(b'{"job_id": "one", "attempt": 1, "event": "began"}\n')
            dying.sendall(b'{"job_id": "one", "attempt": 1, "event": "saved"}\n{"job_id"')
        seen = the_one_sighting(witness)
    assert not seen.completed
    assert seen.saved_at is not None
