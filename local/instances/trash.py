"""Where disks go that are no more: out of the way at once, off this computer in the background.

A disk with PyTorch has over ten thousand files; where the disk below discards, removing them takes
a minute in which EC2 has long said `terminated`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import shutil
import threading
import uuid
from pathlib import Path

log = logging.getLogger(__name__)


class Trash:
    """`folder` is on the same file system as what is thrown away, and is emptied to begin with."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._full: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for left_over in folder.iterdir():
            self._full.put(left_over)
        threading.Thread(target=self._empty, name="trash", daemon=True).start()

    def throw_away(self, path: Path) -> None:
        """`path` is gone when this returns; not being there is fine."""
        put_away = self._folder / uuid.uuid4().hex
        with contextlib.suppress(FileNotFoundError):
            path.rename(put_away)
            self._full.put(put_away)

    def _empty(self) -> None:
        while True:
            path = self._full.get()
            try:
                remove(path)
            except OSError:
                log.exception("%s cannot be removed; remove it by hand", path)


def remove(folder: Path) -> None:
    """Remove a folder even where a program closed its own folders to itself."""
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            inner = Path(parent, name)
            if not inner.is_symlink() and not os.access(inner, os.R_OK | os.W_OK | os.X_OK):
                inner.chmod(0o700)
    shutil.rmtree(folder)
