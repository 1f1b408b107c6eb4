"""What Systems Manager answers when it refuses a call."""

from __future__ import annotations


class SsmError(Exception):
    """A refusal: `code` is an error shape of the SSM model, `message` what the caller reads."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
