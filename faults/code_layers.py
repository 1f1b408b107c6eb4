"""The workers' code: Lambda's layer versions, and the folders that an instance has of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from faults.clients import Answer, RefusedError
from pilotlight.aws.worker_code import LayerArchive
from pilotlight.worker.layer_store import ARN_FILE, LayerStore

LAYERS = ("pilotlight", "jobs")
DOWNLOAD_SECONDS = 1.5


def layer_arn(layer: str, version: int) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:layer:pilotlight-{layer}:{version}"


def version_of(arn: str) -> int:
    return int(arn.rpartition(":")[2])


class LambdaLayerVersions:
    """`newest` is the version that was published last."""

    def __init__(self, newest: Callable[[], int]) -> None:
        self._newest = newest

    def answers(self) -> Mapping[str, Answer]:
        return {"GetLayerVersionByArn": self._get}

    def _get(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        arn = request["Arn"]
        if version_of(arn) > self._newest():
            raise RefusedError("ResourceNotFoundException", f"there is no {arn}")
        return {"Content": {"Location": f"https://s3.amazonaws.com/{arn}", "CodeSha256": "0" * 44}}


class SimulatedLayerStore(LayerStore):
    """`download` gets an archive from S3; it raises what a client of S3 does."""

    def __init__(self, code: Path, download: Callable[[], None]) -> None:
        super().__init__(code)
        self._download = download

    def fetch(self, layer: str, archive: LayerArchive) -> Path:
        try:
            self._download()
        except (ClientError, BotoCoreError) as error:  # urllib's errors are of another kind
            raise OSError(f"{archive.url}: {error}") from error
        folder = self.folder(f".{layer}-{version_of(archive.arn)}")
        (folder / ARN_FILE).write_text(json.dumps({"arn": archive.arn}), encoding="utf-8")
        return folder

    def switch(self, layer: str, folder: Path) -> None:
        """No links here: what is there by the layer's name is the current version."""
        (self.folder(layer) / ARN_FILE).write_text(
            (folder / ARN_FILE).read_text(encoding="utf-8"), encoding="utf-8"
        )
