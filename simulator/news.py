"""Whether anything has happened since somebody looked."""

from __future__ import annotations

from collections.abc import Callable


class News:
    """Goes up by one with whatever a rule could see; wakes the one who sleeps until then.

    Who looks says whether it `wants_fewer` workers than there are and waits for one that may leave.
    """

    __slots__ = ("_sleeper", "count", "wants_fewer")

    def __init__(self) -> None:
        self.count = 0
        self.wants_fewer = False
        self._sleeper: Callable[[], None] | None = None

    def tell(self) -> None:
        self.count += 1
        if self._sleeper is not None:
            sleeper, self._sleeper = self._sleeper, None
            sleeper()

    def tell_of_leave(self) -> None:
        """A worker may leave now, or may not any more."""
        if self.wants_fewer:
            self.tell()

    def wake_me(self, sleeper: Callable[[], None]) -> None:
        """Once, at the next news."""
        self._sleeper = sleeper
