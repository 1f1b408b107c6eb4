"""Answers in pages: MaxResults and NextToken as the JSON services use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from local.services.ssm_errors import SsmError

Item = TypeVar("Item")


def page(
    items: Sequence[Item], request: Mapping[str, Any], default_size: int
) -> tuple[list[Item], str | None]:
    """One page of `items` and the token of the next one, None at the end.

    Raises SsmError InvalidNextToken for a token that was not given out here.
    """
    token = request.get("NextToken") or "0"
    if not token.isdecimal():
        raise SsmError("InvalidNextToken", "The specified token is not valid.")
    start = int(token)
    end = start + int(request.get("MaxResults") or default_size)
    return list(items[start:end]), str(end) if end < len(items) else None
