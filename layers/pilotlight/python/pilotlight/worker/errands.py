"""What a slot need not wait for: it is done by a few threads that serve all slots."""

import queue
import threading
from collections.abc import Callable

Errand = Callable[[], None]


class Errands:
    """Whoever brings an errand while all threads are busy does it, hence none ever waits.

    Something that takes long, such as a table that does not answer, so comes back to the slots,
    and the worker takes no more jobs than it can see through.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._errands: queue.SimpleQueue[Errand] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._begun = 0
        self._unfinished = 0
        self._failure: BaseException | None = None

    @property
    def unfinished(self) -> int:
        """An error in an errand is a defect, and raised here: it ends the worker."""
        if self._failure is not None:
            raise RuntimeError("an errand failed") from self._failure
        return self._unfinished

    def do(self, errand: Errand) -> None:
        with self._lock:
            taken = self._unfinished < self._threads
            self._unfinished += taken
            new = taken and self._unfinished > self._begun
            self._begun += new
        if new:
            threading.Thread(target=self._serve, name="errands", daemon=True).start()
        if taken:
            self._errands.put(errand)
        else:
            errand()

    def _serve(self) -> None:
        while True:
            errand = self._errands.get()
            try:
                errand()
            except Exception as error:
                self._failure = error
                raise
            with self._lock:
                self._unfinished -= 1
