"""Checkpoints of a job: where its attempts go on from one another.

A checkpoint is one object, so it is there whole or not at all. Its name says which is newest:
`<generation>-<number>`, six digits each. A generation is the attempt, but always above all that
were there when the attempt first looked: also when a job was sent twice, and its second message
counts attempts anew. So what a forgotten worker still saves never wins over a later attempt.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Protocol

from pilotlight.errors import PilotlightError
from pilotlight.jobs.archive import Archive, Readable, unpack

NAME = re.compile(r"(\d{6})-(\d{6})", re.ASCII)


class CheckpointError(PilotlightError):
    """A checkpoint that cannot be saved or restored; the message names the remedy."""


class CheckpointStore(Protocol):
    """Keeps the checkpoints of one job, by name."""

    def put(self, name: str, content: IO[bytes]) -> None:
        """All of it or, when reading or writing fails, nothing."""
        ...

    def names(self) -> Sequence[str]: ...

    def open(self, name: str) -> AbstractContextManager[tuple[Readable, int]]:
        """The content, to be read once from its beginning, and its size in bytes."""
        ...

    def discard(self, names: Iterable[str]) -> None:
        """Best effort: what stays behind is older than what counts."""
        ...


@dataclass(frozen=True)
class Saved:
    """One checkpoint that is safe now: `number` counts those of the attempt, from 1."""

    number: int
    size_bytes: int
    seconds: float


class AttemptCheckpoints:
    """The checkpoints of a job as one attempt at it saves and restores them.

    `open_store` is called at first use; what it and the store raise passes unchanged.
    """

    def __init__(
        self,
        attempt: int,
        open_store: Callable[[], CheckpointStore],
        clock: Callable[[], float],
        on_saved: Callable[[Saved], None],
    ) -> None:
        self._first = attempt == 1
        self._generation = attempt
        self._open_store = open_store
        self._clock = clock
        self._on_saved = on_saved
        self._store: CheckpointStore | None = None
        self._there: list[str] = []  # oldest first
        self._number = 0
        self._folders = ExitStack()

    def save(self, path: Path) -> None:
        """Raises CheckpointError, or ArchiveError, and keeps the checkpoint there was."""
        if not path.exists():
            raise CheckpointError(f"there is no {path} to save: write the file or folder first")
        began, store = self._clock(), self._opened()
        number = self._number + 1
        name, content = f"{self._generation:06d}-{number:06d}", Archive(path)
        store.put(name, BufferedReader(content))
        self._number, older, self._there = number, self._there, [name]
        self._on_saved(Saved(number, content.bytes_read, self._clock() - began))
        store.discard(older)

    def restore(self) -> Path | None:
        """What was saved last, as a file or folder that stays until `close`.

        Before its first save, the first attempt asks nobody: it would cost every job a request.
        """
        if self._first and self._store is None:
            return None
        store = self._opened()
        if not self._there:
            return None
        folder = Path(self._folders.enter_context(tempfile.TemporaryDirectory(prefix="restored-")))
        with store.open(self._there[-1]) as (content, size_bytes):
            free_bytes = shutil.disk_usage(folder).free
            if size_bytes > free_bytes:
                raise CheckpointError(
                    f"the checkpoint has {size_bytes} bytes and the disk of {folder} only "
                    f"{free_bytes} free: enlarge the root volume (RootVolumeGiB)"
                )
            return unpack(content, folder, size_bytes)

    def close(self) -> None:
        """Remove what was restored."""
        self._folders.close()

    def _opened(self) -> CheckpointStore:
        if self._store is None:
            store = self._open_store()
            self._there = sorted(name for name in store.names() if NAME.fullmatch(name))
            if self._there:
                self._generation = max(self._generation, int(self._there[-1][:6]) + 1)
            self._store = store
        return self._store
