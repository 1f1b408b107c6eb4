"""Where a worker's settings and code come from: an SSM parameter and Lambda layer versions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_ssm import SSMClient


@dataclass(frozen=True)
class LayerArchive:
    """A layer version to download. The link is good for 10 minutes (Lambda API, GetLayerVersion);
    `sha256_base64` is of the zip file."""

    arn: str
    url: str
    sha256_base64: str


class SsmParameter:
    def __init__(self, client: "SSMClient") -> None:
        self._client = client

    def read(self, name: str) -> str:
        return self._client.get_parameter(Name=name)["Parameter"]["Value"]


class LambdaLayers:
    def __init__(self, client: "LambdaClient") -> None:
        self._client = client

    def locate(self, arn: str) -> LayerArchive:
        content = self._client.get_layer_version_by_arn(Arn=arn)["Content"]
        return LayerArchive(arn, content["Location"], content["CodeSha256"])
