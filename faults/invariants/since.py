"""Since when something is so, for the invariants about how long it may be."""

from __future__ import annotations


class Since:
    def __init__(self) -> None:
        self._at: float | None = None

    def look(self, is_so: bool, now: float) -> float | None:
        """Since when it has been so at every look; None when it is not."""
        if not is_so:
            self._at = None
        elif self._at is None:
            self._at = now
        return self._at
