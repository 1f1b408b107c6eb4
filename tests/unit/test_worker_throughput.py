"""The benchmark of one worker: that it can start at all is not left to whoever runs it."""

import json
from unittest.mock import MagicMock

from benchmarks.worker_throughput.stage import Stage
from pilotlight.worker.settings import parse_settings


def test_the_benchmark_tells_its_worker_all_that_a_worker_must_be_told() -> None:
    told = Stage(MagicMock()).worker_settings("https://sqs.example/jobs", slots=8)
    assert parse_settings(json.dumps(told)).jobs_per_instance == 8
