"""The jobs bucket: S3's objects of one bucket, each there whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from faults.clients import Answer, Client, RefusedError

BUCKET = "pilotlight-jobs"


class Bucket:
    """Objects by key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def answers(self) -> Mapping[str, Answer]:
        return {
            "PutObject": self._put,
            "GetObject": self._get,
            "DeleteObject": self._delete,
            "ListObjectsV2": self._list,
        }

    def _put(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.objects[request["Key"]] = request["Body"]
        return {}

    def _get(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        content = self.objects.get(request["Key"])
        if content is None:
            raise RefusedError("NoSuchKey", "The specified key does not exist.")
        return {"Body": BytesIO(content), "ContentLength": len(content)}

    def _delete(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is not there counts as deleted (S3 API, DeleteObject)."""
        self.objects.pop(request["Key"], None)
        return {}

    def _list(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        keys = sorted(key for key in self.objects if key.startswith(request.get("Prefix", "")))
        return {"Contents": [{"Key": key, "Size": len(self.objects[key])} for key in keys]}


class BucketClient(Client):
    """boto3's client of S3, with what its transfers add to it."""

    def upload_fileobj(self, content: IO[bytes], bucket: str, key: str) -> None:
        """One part is enough here; what the content raises when it is read passes unchanged."""
        self.put_object(Bucket=bucket, Key=key, Body=content.read())
