"""A job that does nothing: what remains is the worker's own part."""

from typing import Any


def handle(payload: Any, job: Any) -> None:  # noqa: ARG001
    return None
