"""A disk in memory, as far as the worker uses one through pathlib."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import cast


def disk_path(disk: Disk, path: str) -> Path:
    """What the worker takes for a path; without `__fspath__`, so that no real disk is reached."""
    return cast("Path", DiskPath(disk, path))


class Disk:
    """Texts by path. When it is `full`, nothing new can be written."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.full = False

    def wipe(self) -> None:
        self.texts.clear()


class DiskPath:
    __slots__ = ("_disk", "_path")

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk = disk
        self._path = path

    def __truediv__(self, name: str) -> DiskPath:
        return DiskPath(self._disk, f"{self._path}/{name}")

    def __str__(self) -> str:
        return self._path

    @property
    def name(self) -> str:
        return self._path.rsplit("/", 1)[-1]

    @property
    def parent(self) -> DiskPath:
        return DiskPath(self._disk, self._path.rsplit("/", 1)[0])

    def with_name(self, name: str) -> DiskPath:
        return self.parent / name

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Folders need no making."""

    @property
    def disk(self) -> Disk:
        return self._disk

    def exists(self) -> bool:
        return self._path in self._disk.texts or any(
            path.startswith(f"{self._path}/") for path in self._disk.texts
        )

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002
        try:
            return self._disk.texts[self._path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "No such file", self._path) from None

    def write_text(self, text: str, encoding: str = "utf-8") -> int:  # noqa: ARG002
        if self._disk.full:
            raise OSError(errno.ENOSPC, "No space left on device", self._path)
        self._disk.texts[self._path] = text
        return len(text)

    def touch(self) -> None:
        self.write_text(self._disk.texts.get(self._path, ""))

    def replace(self, target: DiskPath) -> DiskPath:
        self._disk.texts[str(target)] = self._disk.texts.pop(self._path)
        return target

    def unlink(self, missing_ok: bool = False) -> None:
        if self._disk.texts.pop(self._path, None) is None and not missing_ok:
            raise FileNotFoundError(errno.ENOENT, "No such file", self._path)
