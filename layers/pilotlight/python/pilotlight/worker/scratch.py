"""Room on the disk for what jobs need only while they run, such as checkpoints they restored.

Not in /tmp, which is memory on Amazon Linux.
"""

import secrets
import shutil
from contextlib import suppress
from pathlib import Path


class Scratch:
    """The folder of one job process; it goes with the process, however that ends."""

    def __init__(self, parent: Path) -> None:
        self.path = parent / f"job-{secrets.token_hex(4)}"
        with suppress(OSError):  # on a full disk: without it, programs take /tmp
            self.path.mkdir(mode=0o700, parents=True)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove what a worker left that had no time to."""
    shutil.rmtree(parent, ignore_errors=True)
