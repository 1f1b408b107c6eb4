"""boto3 on an instance: credentials come from its role, endpoints from the SDK's own settings."""

import boto3
from botocore.config import Config

# Longer than a long poll (receiver.WAIT_SECONDS), and short: every caller tries again by itself.
READ_TIMEOUT_SECONDS = 6
CONNECT_TIMEOUT_SECONDS = 3


def instance_session(region: str) -> boto3.session.Session:
    return boto3.session.Session(region_name=region)


def call_limits(connections: int = 10) -> Config:
    """`connections` is how many threads make calls at once."""
    return Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=connections,
    )
