"""A stack with a KMS key of the user's: what keeps data says that it uses it.

Stacks of the emulator keep the keys of queues and logs alone; tests/template sees to the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cli.deploy import ROOT
from local.cloud import EmbeddedCloud
from local.environment import ACCOUNT_ID, REGION
from tests.embedded.privileges import physical_ids
from tests.embedded.whole_stack import Package


@pytest.fixture(scope="module")
def key_arn(cloud: EmbeddedCloud) -> str:
    """A key with the policy that the documentation gives."""
    policy = (ROOT / "docs/key-policy.json").read_text("utf-8")
    policy = policy.replace("ACCOUNT", ACCOUNT_ID).replace("REGION", REGION)
    key = cloud.client("kms").create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)
    return str(key["KeyMetadata"]["Arn"])


@pytest.fixture(scope="module")
def resources(
    cloud: EmbeddedCloud, key_arn: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    package = Package(cloud, tmp_path_factory.mktemp("own-key"))
    fleet = package.create(package.template, KmsKeyArn=key_arn)
    yield physical_ids(cloud, fleet.name)
    fleet.delete()


def test_queues_and_logs_are_encrypted_with_the_key(
    cloud: EmbeddedCloud, key_arn: str, resources: dict[str, str]
) -> None:
    keys = {name: key_of(cloud, name, physical_id) for name, physical_id in resources.items()}
    named = {name: key for name, key in keys.items() if key is not None}
    assert {"JobsQueue", "LifecycleQueue", "ReconcileLogGroup", "WorkersLogGroup"} <= set(named)
    assert {name: key for name, key in named.items() if key != key_arn} == {}


def key_of(cloud: EmbeddedCloud, name: str, physical_id: str) -> str | None:
    """The key which a resource names; empty when it could name one and does not."""
    if name.endswith("Queue"):
        asked = {"QueueUrl": physical_id, "AttributeNames": ["All"]}
        found: dict[str, Any] = cloud.client("sqs").get_queue_attributes(**asked)["Attributes"]
        return str(found.get("KmsMasterKeyId", ""))
    if name.endswith("LogGroup"):
        groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix=physical_id)
        return str(groups["logGroups"][0].get("kmsKeyId", ""))
    return None


def test_every_role_may_use_the_key(cloud: EmbeddedCloud, resources: dict[str, str]) -> None:
    iam = cloud.client("iam")
    policy_arn = resources["OwnKeyPolicy"]
    roles = [name for name in resources if name.endswith("Role")]
    assert len(roles) == 5
    for role in roles:
        attached = iam.list_attached_role_policies(RoleName=resources[role])["AttachedPolicies"]
        assert policy_arn in {one["PolicyArn"] for one in attached}, role
