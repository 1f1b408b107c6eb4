"""Modules of shared scenarios show their assertions as test modules do."""

import pytest

pytest.register_assert_rewrite("tests.scenario_stage", "tests.warm_pool_scenarios")
