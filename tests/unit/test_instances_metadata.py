"""The metadata service over HTTP, as programs on an instance meet it."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator

import pytest
from botocore.utils import InstanceMetadataFetcher

from local.instances.imds import MetadataService
from local.instances.instance import InstanceSpec
from local.instances.metadata import Credentials, metadata_tree

SPEC = InstanceSpec(
    instance_id="i-0123456789abcdef0",
    image_id="ami-0abcdef1234567890",
    instance_type="t3.medium",
    zone="us-east-1a",
    region="us-east-1",
    private_ip="172.31.0.9",
    user_data=b"#!/bin/sh\n",
    role_arn="arn:aws:iam::000000000000:role/path/worker",
    tags={"Name": "one"},
)
FAR_OFF = 4_000_000_000.0


class Instance:
    """A metadata service and what a test does to it."""

    def __init__(self, spec: InstanceSpec, expirations: list[float]) -> None:
        self.extra: dict[str, str] = {}
        self.issued = 0
        self.expirations = expirations
        identity = spec.identity()
        self.service = MetadataService(
            tree=lambda: metadata_tree(identity, spec.tags, self.extra),
            user_data=spec.user_data,
            role_name=identity.role_name,
            credentials=self.issue,
            token_required=spec.token_required,
        )

    def issue(self) -> Credentials:
        self.issued += 1
        expires_at = self.expirations[min(self.issued, len(self.expirations)) - 1]
        return Credentials(f"ASIA{self.issued}", "secret", "token", expires_at)

    def request(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.service.endpoint.removeprefix("http://"))
        with contextlib.closing(connection):
            connection.request(method, path, headers=named)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def get(self, path: str) -> tuple[int, str]:
        _, token = self.request(
            "/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="60"
        )
        return self.request(path, X_aws_ec2_metadata_token=token)


@pytest.fixture
def instance() -> Iterator[Instance]:
    running = Instance(SPEC, [FAR_OFF])
    yield running
    running.service.close()


def test_without_a_token_nothing_is_told(instance: Instance) -> None:
    path = "/latest/meta-data/instance-id"

    assert instance.request(path)[0] == 401
    assert instance.request(path, X_aws_ec2_metadata_token="made up")[0] == 401
    assert instance.get(path) == (200, SPEC.instance_id)


@pytest.mark.parametrize("ttl", ["0", "21601", "soon"])
def test_a_token_needs_a_lifetime_of_up_to_six_hours(instance: Instance, ttl: str) -> None:
    answer = instance.request("/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds=ttl)

    assert answer[0] == 400


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("meta-data/placement/availability-zone", "us-east-1a"),
        ("meta-data/placement/region", "us-east-1"),
        ("meta-data/hostname", "ip-172-31-0-9.ec2.internal"),
        ("meta-data/tags/instance/Name", "one"),
        ("meta-data/placement/", "availability-zone\nregion"),
        ("meta-data/iam/security-credentials/", "worker"),
        ("user-data", "#!/bin/sh\n"),
    ],
)
def test_the_tree_tells_what_the_instance_is(instance: Instance, path: str, text: str) -> None:
    assert instance.get(f"/latest/{path}") == (200, text)


def test_the_target_lifecycle_state_is_missing_until_there_is_one(instance: Instance) -> None:
    path = "/latest/meta-data/autoscaling/target-lifecycle-state"
    assert instance.get(path)[0] == 404

    instance.extra = {"autoscaling/target-lifecycle-state": "Warmed:Stopped"}

    assert instance.get(path) == (200, "Warmed:Stopped")


def test_the_identity_document_is_json(instance: Instance) -> None:
    _, text = instance.get("/latest/dynamic/instance-identity/document")

    assert json.loads(text)["instanceId"] == SPEC.instance_id


def test_botocore_takes_the_roles_credentials(instance: Instance) -> None:
    fetcher = InstanceMetadataFetcher(base_url=instance.service.endpoint)

    found = fetcher.retrieve_iam_role_credentials()

    assert (found["role_name"], found["access_key"], found["token"]) == (
        "worker", "ASIA1", "token",
    )  # fmt: skip


def test_credentials_are_kept_until_they_end_soon() -> None:
    path = "/latest/meta-data/iam/security-credentials/worker"
    running = Instance(SPEC, [0.0, FAR_OFF])

    keys = [json.loads(running.get(path)[1])["AccessKeyId"] for _ in range(3)]

    running.service.close()
    assert keys == ["ASIA1", "ASIA2", "ASIA2"]


def test_a_closed_service_answers_nobody(instance: Instance) -> None:
    gone = Instance(SPEC, [FAR_OFF])
    gone.service.close()

    with pytest.raises(ConnectionRefusedError):
        gone.request("/latest/meta-data/")
