"""What to do about what the SDK says when it cannot reach AWS, which it does not say itself."""

from __future__ import annotations

from botocore.exceptions import (
    ConnectionError as NoConnectionError,
)
from botocore.exceptions import (
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

WHERE = (
    "Set AWS_PROFILE and AWS_DEFAULT_REGION for an account, or the variables that `make cloud` "
    "prints"
)
REMEDIES: dict[type[Exception], str] = {
    NoRegionError: WHERE,
    NoCredentialsError: f"{WHERE}; `aws sso login` or `aws configure` gets credentials",
    ProfileNotFound: "`aws configure list-profiles` lists them",
    NoConnectionError: "Is `make cloud` running, if AWS_ENDPOINT_URL names it? Is "
    "AWS_DEFAULT_REGION a Region, and this computer online?",
}


def with_remedy(error: Exception) -> str:
    """The error's own words, and after them what can be done, where that is known."""
    found = (remedy for kind, remedy in REMEDIES.items() if isinstance(error, kind))
    return f"{str(error).rstrip('.')}. {remedy}." if (remedy := next(found, "")) else str(error)
