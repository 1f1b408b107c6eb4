"""Checkpoints in a folder of this computer, for jobs that run without AWS."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pilotlight.jobs.archive import Readable


class CheckpointFolder:
    """A CheckpointStore; `folder` belongs to one job alone and need not be there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: IO[bytes]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / ".unfinished"
        with unfinished.open("wb") as file:
            shutil.copyfileobj(content, file)
        unfinished.replace(self._folder / name)

    def names(self) -> Sequence[str]:
        return [file.name for file in self._folder.iterdir()] if self._folder.exists() else []

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[Readable, int]]:
        file = self._folder / name
        with file.open("rb") as content:
            yield content, file.stat().st_size

    def discard(self, names: Iterable[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def clear(self) -> None:
        """The job has its result: nothing goes on from here."""
        shutil.rmtree(self._folder, ignore_errors=True)
