"""The pool's prepared capacity, read and set."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from pilotlight.aws.autoscaling import AutoScalingGroup
from pilotlight.fleet.trial import PoolSizes


@pytest.fixture
def autoscaling() -> Any:
    return boto3.client(
        "autoscaling", region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t"
    )


@pytest.mark.parametrize(
    ("configuration", "prepared"),
    [
        ({"MaxGroupPreparedCapacity": 7, "MinSize": 0}, 7),
        ({"MaxGroupPreparedCapacity": -1}, None),
        ({"MinSize": 0}, None),
    ],
)
def test_what_is_prepared_is_read_from_the_pools_configuration(
    autoscaling: Any, configuration: dict[str, int], prepared: int | None
) -> None:
    with Stubber(autoscaling) as stub:
        stub.add_response(
            "describe_warm_pool",
            {"WarmPoolConfiguration": configuration, "Instances": []},
            {"AutoScalingGroupName": "g", "MaxRecords": 1},
        )

        assert AutoScalingGroup(autoscaling, "g").prepared() == prepared


def test_preparing_more_leaves_the_pools_other_settings_alone(autoscaling: Any) -> None:
    with Stubber(autoscaling) as stub:
        stub.add_response(
            "put_warm_pool", {}, {"AutoScalingGroupName": "g", "MaxGroupPreparedCapacity": 9}
        )

        AutoScalingGroup(autoscaling, "g").prepare(9)

        stub.assert_no_pending_responses()


@pytest.mark.parametrize(("prepared", "sent"), [(4, 4), (0, 0), (None, -1)])
def test_a_pool_gets_both_of_its_sizes(autoscaling: Any, prepared: int | None, sent: int) -> None:
    with Stubber(autoscaling) as stub:
        stub.add_response(
            "put_warm_pool",
            {},
            {"AutoScalingGroupName": "g", "MinSize": 2, "MaxGroupPreparedCapacity": sent},
        )

        AutoScalingGroup(autoscaling, "g").resize_pool(PoolSizes(2, prepared))

        stub.assert_no_pending_responses()
