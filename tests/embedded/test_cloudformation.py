"""The real sam deploys to the embedded AWS, updates and deletes."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import EmbeddedCloud

SAM = Path(__file__).parents[2] / ".tools/sam/bin/sam"
PROJECT = Path(__file__).parent / "sam"


class Sam:
    """The sam command line against one embedded AWS."""

    def __init__(self, cloud: EmbeddedCloud, folder: Path, stack_name: str) -> None:
        self._folder = folder
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
            **cloud.environment(),
            "HOME": str(folder),
            "SAM_CLI_TELEMETRY": "0",
        }
        self.stack_name = stack_name

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SAM), *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def deploy(self, **parameters: str) -> subprocess.CompletedProcess[str]:
        return self.run(
            *("deploy", "--template-file", str(PROJECT / "template.yaml")),
            *("--stack-name", self.stack_name, "--resolve-s3", "--no-confirm-changeset"),
            *("--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset"),
            *("--parameter-overrides", *(f"{k}={v}" for k, v in parameters.items())),
        )


@pytest.fixture
def sam(cloud: EmbeddedCloud, tmp_path: Path, unique: Callable[[str], str]) -> Iterator[Sam]:
    yield Sam(cloud, tmp_path, unique("stack"))


def network(cloud: EmbeddedCloud) -> dict[str, str]:
    ec2 = cloud.client("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
    of_vpc = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets(Filters=of_vpc)["Subnets"]]
    return {"VpcId": vpc["VpcId"], "SubnetIds": ",".join(subnets[:2])}


def outputs(cloud: EmbeddedCloud, stack_name: str) -> dict[str, str]:
    [stack] = cloud.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def call(cloud: EmbeddedCloud, function: str) -> Any:
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    return json.load(answer["Payload"])


def wait_for_item(cloud: EmbeddedCloud, table: str, job_id: str) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = cloud.client("dynamodb").get_item(TableName=table, Key={"job_id": {"S": job_id}})
        if "Item" in found:
            return True
        time.sleep(0.2)
    return False


def test_sam_deploys_updates_and_deletes_a_whole_application(
    cloud: EmbeddedCloud, sam: Sam
) -> None:
    deployed = sam.deploy(**network(cloud))
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    made = outputs(cloud, sam.stack_name)
    assert call(cloud, made["Function"]) == {"says": "hello", "from": "layer"}
    functions = cloud.client("lambda")
    recursion = functions.get_function_recursion_config(FunctionName=made["Function"])
    assert recursion["RecursiveLoop"] == "Allow"
    cloud.client("sqs").send_message(QueueUrl=made["JobsQueueUrl"], MessageBody="job-1")
    assert wait_for_item(cloud, made["TableName"], "job-1")
    saved = cloud.client("logs").describe_query_definitions(
        queryDefinitionNamePrefix=sam.stack_name
    )["queryDefinitions"]
    assert [one["queryDefinitionId"] for one in saved] == [made["QueryId"]]

    updated = sam.deploy(**network(cloud), Greeting="goodbye")
    assert updated.returncode == 0, updated.stdout + updated.stderr
    assert call(cloud, made["Function"])["says"] == "goodbye"

    deleted = sam.run("delete", "--stack-name", sam.stack_name, "--no-prompts")
    assert deleted.returncode == 0, deleted.stdout + deleted.stderr
    with pytest.raises(ClientError, match="does not exist"):
        cloud.client("cloudformation").describe_stacks(StackName=sam.stack_name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        call(cloud, made["Function"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VpcId", "vpc-0123456789abcdef0"),
        ("SubnetIds", "subnet-00000001,subnet-0123456789abcdef0"),
    ],
)
def test_what_does_not_exist_is_refused_before_anything_is_created(
    name: str, value: str, cloud: EmbeddedCloud, unique: Callable[[str], str]
) -> None:
    template = {
        "Parameters": {
            "VpcId": {"Type": "AWS::EC2::VPC::Id"},
            "SubnetIds": {"Type": "List<AWS::EC2::Subnet::Id>"},
        },
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    }
    given = {**network(cloud), name: value}
    stack_name = unique("stack")
    formation = cloud.client("cloudformation")
    missing = value.rpartition(",")[2]
    with pytest.raises(ClientError, match=f"parameter value {missing} for parameter name {name}"):
        formation.create_stack(
            StackName=stack_name,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        )
    with pytest.raises(ClientError, match="does not exist"):
        formation.describe_stacks(StackName=stack_name)


def test_an_image_parameter_must_lead_to_an_image_that_exists(
    cloud: EmbeddedCloud, unique: Callable[[str], str]
) -> None:
    name = f"/{unique('image')}"
    cloud.client("ssm").put_parameter(Name=name, Value="ami-0123456789abcdeff", Type="String")
    template = {
        "Parameters": {"Image": {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"}},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    }
    with pytest.raises(ClientError, match="ami-0123456789abcdeff for parameter name Image"):
        cloud.client("cloudformation").create_stack(
            StackName=unique("stack"),
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": "Image", "ParameterValue": name}],
        )


@pytest.mark.parametrize(
    "parameter",
    [
        "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
        "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
        "/aws/service/deeplearning/ami/x86_64/"
        "base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id",
    ],
)
def test_public_parameters_name_images_that_exist(parameter: str, cloud: EmbeddedCloud) -> None:
    image_id = cloud.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
    [image] = cloud.client("ec2").describe_images(ImageIds=[image_id])["Images"]
    assert image["Architecture"] in parameter.replace("al2023-ami-kernel-default-", "/")
