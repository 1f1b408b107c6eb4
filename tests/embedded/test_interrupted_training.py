"""PyTorch itself, interrupted on one instance and going on upon another."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from cli.interrupted import run_interrupted
from cli.live import LineView
from local.cloud import EmbeddedCloud
from tests.embedded.whole_stack import unique_name

pytestmark = pytest.mark.timeout(1200)


def test_a_training_interrupted_twice_has_the_losses_of_one_that_was_left_alone(
    cloud: EmbeddedCloud, tmp_path: Path
) -> None:
    found = run_interrupted(cloud, unique_name(), tmp_path, LineView(Console(width=150)))
    first, *_ = attempts = found.interrupted.attempts
    assert (first.state, "StoppedError" in first.error) == ("interrupted", True)
    assert len(attempts) >= 3
    assert len({attempt.instance_id for attempt in attempts}) >= 2
    assert found.interrupted.failures == 0
    assert len(found.alone.attempts) == 1
    assert found.same, found.sentence
