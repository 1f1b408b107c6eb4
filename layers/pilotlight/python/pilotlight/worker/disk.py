"""How much room there is on the instance's disk."""

import shutil
from pathlib import Path

# Jobs fail for lack of room long before the worker does, which writes a few small files.
LEAST_FREE_BYTES = 64 << 20


def is_full(path: Path) -> bool:
    """Whether the file system that holds `path` has no room for work."""
    return shutil.disk_usage(path).free < LEAST_FREE_BYTES
