"""The warm-pool scenarios in virtual time."""

from __future__ import annotations

import pytest

from tests.scenario_stage import Stage
from tests.virtual_scenario import VirtualSurroundings
from tests.warm_pool_scenarios import *  # noqa: F403


@pytest.fixture
def stage() -> Stage:
    return Stage(VirtualSurroundings(), "workers")
