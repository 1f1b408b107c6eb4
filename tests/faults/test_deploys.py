"""What a person deploys in the middle of a run."""

from faults.drawn_settings import new_settings
from faults.plan import Settings


def test_no_deploy_has_more_instances_at_least_than_at_most() -> None:
    for index in range(500):
        for max_size in (1, 2, 3, 4):
            deployed = new_settings(Settings(min_size=0, max_size=max_size), index)

            assert deployed.min_size <= deployed.max_size, (index, max_size)
