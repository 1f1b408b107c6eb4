"""The instance metadata service, version 2 (EC2 user guide, instancedata-data-retrieval)."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime

from pilotlight.errors import PilotlightError

DEFAULT_ENDPOINT = "http://169.254.169.254"
TOKEN_SECONDS = 21_600
TOKEN_RENEWAL_SECONDS = 300
TIMEOUT_SECONDS = 2.0  # it answers from the host itself, within milliseconds


class MetadataError(PilotlightError):
    """The metadata service cannot be reached, or does not answer as it should."""


class InstanceMetadata:
    """Reads what EC2 says of the instance it runs on; keeps one token for all readings."""

    def __init__(self, environ: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        endpoint = environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or DEFAULT_ENDPOINT
        if not endpoint.startswith(("http://", "https://")):
            raise MetadataError(
                f"AWS_EC2_METADATA_SERVICE_ENDPOINT is {endpoint!r}: it has to be an http address"
            )
        self._latest = f"{endpoint.rstrip('/')}/latest"
        self._clock = clock
        self._token = ""
        self._token_until = 0.0

    def instance_id(self) -> str:
        return self._required("instance-id")

    def target_lifecycle_state(self) -> str | None:
        """The steady state that Auto Scaling takes this instance to; None outside a group.

        `InService` is the answer already in Pending:Wait (Auto Scaling user guide,
        retrieving-target-lifecycle-state-through-imds). Raises MetadataError.
        """
        return self._read("autoscaling/target-lifecycle-state")

    def interruption_at(self) -> float | None:
        """When EC2 will take a Spot instance back (spot/instance-action); None: not announced."""
        text = self._read("spot/instance-action")
        return None if text is None else _epoch(text, "time")

    def rebalance_recommended_at(self) -> float | None:
        """When EC2 saw a raised risk of interruption; None: it sees none."""
        text = self._read("events/recommendations/rebalance")
        return None if text is None else _epoch(text, "noticeTime")

    def _required(self, path: str) -> str:
        value = self._read(path)
        if not value:
            raise MetadataError(f"the metadata service has no {path}: is this an EC2 instance?")
        return value

    def _read(self, path: str) -> str | None:
        headers = {"X-aws-ec2-metadata-token": self._valid_token()}
        request = urllib.request.Request(  # noqa: S310  the scheme is checked in __init__
            f"{self._latest}/meta-data/{path}", headers=headers
        )
        try:
            return self._answer(request)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            if error.code == 401:  # the token is of an earlier boot or has run out
                self._token_until = 0.0
            raise MetadataError(f"{path}: HTTP {error.code}") from error
        except OSError as error:
            raise MetadataError(f"{path}: {error}") from error

    def _valid_token(self) -> str:
        if self._clock() >= self._token_until:
            request = urllib.request.Request(  # noqa: S310  the scheme is checked in __init__
                f"{self._latest}/api/token",
                method="PUT",
                headers={"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_SECONDS)},
            )
            try:
                self._token = self._answer(request)
            except OSError as error:
                raise MetadataError(f"token: {error}") from error
            self._token_until = self._clock() + TOKEN_SECONDS - TOKEN_RENEWAL_SECONDS
        return self._token

    def _answer(self, request: urllib.request.Request) -> str:
        with _no_proxy.open(request, timeout=TIMEOUT_SECONDS) as answer:
            text: str = answer.read(65_536).decode("utf-8", "replace").strip()
            return text


# The address is link-local: a proxy set for the outside world must not be asked for it.
_no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _epoch(text: str, field: str) -> float:
    try:
        moment = json.loads(text)[field]
        return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MetadataError(f"{text[:200]!r} has no {field} that is a time") from error
