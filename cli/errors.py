"""What a command says when it cannot go on: the thing, the value, the remedy."""


class CommandError(Exception):
    """Shown to the person as it is, without a traceback; `details` is a file or log to look at."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details
