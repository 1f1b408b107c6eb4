"""Where the embedded AWS answers and who may call it, for every program on this computer."""

from __future__ import annotations

HOST = "127.0.0.1"
REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"  # noqa: S105 - the embedded account's root, known to everybody


def client_environment(endpoint: str) -> dict[str, str]:
    """The SDKs' own variables by which boto3, the aws command line and sam find `endpoint`."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
    }
