"""Whether anything has happened since somebody looked."""

from __future__ import annotations

from collections.abc import Callable


class News:
    """Goes up by one with whatever a rule could see; wakes the one who sleeps until then.

    Who looks says whether it `watches_workers`: where they are, and who of them may leave.
    """

    __slots__ = ("_sleeper", "count", "watches_workers")

    def __init__(self) -> None:
        self.count = 0
        self.watches_workers = True
        self._sleeper: Callable[[], None] | None = None

    def tell(self) -> None:
        self.count += 1
        if self._sleeper is not None:
            sleeper, self._sleeper = self._sleeper, None
            sleeper()

    def tell_of_worker(self) -> None:
        """One comes or goes, or may leave now, or may not any more."""
        if self.watches_workers:
            self.tell()

    def wake_me(self, sleeper: Callable[[], None]) -> None:
        """Once, at the next news."""
        self._sleeper = sleeper
