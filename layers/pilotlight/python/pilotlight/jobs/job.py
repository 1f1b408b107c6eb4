"""What the user's handler is told about its job besides the payload."""

from threading import Event


class Job:
    """`job` in `def handle(payload, job)`."""

    def __init__(self, job_id: str, attempt: int = 1) -> None:
        self.job_id = job_id
        self.attempt = attempt  # 1 the first time; more when earlier attempts were lost or failed
        self._stop_requested = Event()

    @property
    def stopping(self) -> bool:
        """Whether the instance is about to leave; what is not done soon runs again elsewhere."""
        return self._stop_requested.is_set()

    def request_stop(self) -> None:
        self._stop_requested.set()
