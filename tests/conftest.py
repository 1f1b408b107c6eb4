"""What holds for all tests: shared scenarios show their assertions, functions start afresh."""

import pytest

from pilotlight.observability import metrics

pytest.register_assert_rewrite("tests.scenario_stage", "tests.warm_pool_scenarios")


@pytest.fixture(autouse=True, scope="module")
def _no_function_ran_before() -> None:
    """In Lambda each function has a process to itself; here they share one registry of metrics."""
    metrics.clear_default_dimensions()
    metrics.clear_metrics()
