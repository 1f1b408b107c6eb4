"""Room on the disk for what jobs need only while they run, such as checkpoints they restored.

Not in /tmp, which is memory on Amazon Linux.
"""

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path


class Scratch:
    """The folder of one job process; it goes with the process, however that ends."""

    def __init__(self, parent: Path, owner_id: int | None) -> None:
        self.path = parent / f"job-{secrets.token_hex(4)}"
        make_private(self.path, owner_id)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def make_private(folder: Path, owner_id: int | None) -> None:
    """A folder for one user alone, this process's own unless given.

    On a full disk there is none afterwards: the job runs, and programs take /tmp.
    """
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if owner_id is not None:
            os.chown(folder, owner_id, owner_id)


def sweep(parent: Path) -> None:
    """Remove what a worker left that had no time to."""
    shutil.rmtree(parent, ignore_errors=True)
