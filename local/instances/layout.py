"""Where the parts of one instance lie on this computer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """`folder` holds everything of one instance and nothing else."""

    folder: Path

    @property
    def disk(self) -> Path:
        """What the instance wrote: kept at stop, gone at termination."""
        return self.folder / "disk"

    @property
    def root(self) -> Path:
        """Where an enclosed box's `/` is put together."""
        return self.folder / "root"

    @property
    def work(self) -> Path:
        """overlayfs's own."""
        return self.folder / "work"

    @property
    def console(self) -> Path:
        """What init says when something is wrong with it."""
        return self.folder / "console.log"

    @property
    def run(self) -> Path:
        """The box's /run, lost at stop."""
        return self.disk / "run"

    @property
    def temporary(self) -> Path:
        """The box's /tmp, lost at stop."""
        return self.disk / "tmp"
