"""How AWS is called and how its errors are named."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as UnreachableError

from pilotlight.errors import (
    InstanceNotInGroupError,
    InstanceRefreshError,
    InstanceUnknownError,
    InvocationNotFoundError,
    NoActiveLifecycleActionError,
    NotRegisteredError,
    TransientError,
)

# Adaptive: slows down as one when AWS throttles. Short timeouts: the queues retry better than a
# function that waits, and is paid for waiting.
CLIENT_CONFIG = Config(
    retries={"mode": "adaptive", "total_max_attempts": 4}, connect_timeout=2, read_timeout=10
)

_TRANSIENT_CODES = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ResourceContention",
        "ScalingActivityInProgress",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_NAMED_CODES = {
    "InstanceRefreshInProgress": InstanceRefreshError,
    "InvalidInstanceId": NotRegisteredError,
    "InvocationDoesNotExist": InvocationNotFoundError,
    "InvalidInstanceID.NotFound": InstanceUnknownError,
}
# Auto Scaling says these with the code ValidationError and nothing else to tell them apart.
_NAMED_MESSAGES = {
    "No active Lifecycle Action found": NoActiveLifecycleActionError,
    "Instance Id not found": InstanceNotInGroupError,
}


@contextmanager
def named_errors() -> Iterator[None]:
    """Raises the project's error for what AWS says; what is not listed passes unchanged."""
    try:
        yield
    except ClientError as error:
        raise _name(error) from error
    except (UnreachableError, HTTPClientError) as error:
        raise TransientError(str(error)) from error


def _name(error: ClientError) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    message = str(error)
    if code in _NAMED_CODES:
        return _NAMED_CODES[code](message)
    if code in _TRANSIENT_CODES:
        return TransientError(message)
    if code == "ValidationError":
        for text, error_type in _NAMED_MESSAGES.items():
            if text in message:
                return error_type(message)
    return error
