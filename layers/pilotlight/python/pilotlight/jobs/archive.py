"""A file or folder as one stream of bytes and back: a tar, made while it is read.

Nothing is written beside what is saved, so that saving needs no room on the disk.
"""

import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol, cast

from pilotlight.errors import PilotlightError

CHUNK_BYTES = 1_048_576
END = bytes(2 * tarfile.BLOCKSIZE)  # two empty blocks end an archive (POSIX, pax)


class ArchiveError(PilotlightError):
    """What cannot be saved, or was not saved by this module."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Archive(io.RawIOBase):
    """Reads as the tar of `path`; `bytes_read` counts.

    Raises ArchiveError, while it is read, naming what is neither a file nor a folder, or what
    changed meanwhile: whoever reads must then drop what was read so far.
    """

    def __init__(self, path: Path) -> None:
        self._chunks = _chunks(path)
        self._rest = memoryview(b"")
        self.bytes_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:  # an empty answer would mean the end
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        length = min(len(buffer), len(self._rest))
        buffer[:length] = self._rest[:length]
        self._rest = self._rest[length:]
        self.bytes_read += length
        return length


def unpack(stream: Readable, folder: Path, most_bytes: int) -> Path:
    """Put back into `folder` what was saved; returns the file or folder.

    Raises ArchiveError for anything but files and folders inside of `folder`, and as soon as they
    have more than `most_bytes` together. (tarfile's own filters are not in every Python 3.11.)
    """
    top: str | None = None
    try:
        # A stream's mode only reads, whatever tarfile's types ask for.
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as archive:
            for member in archive:
                _check(member)
                most_bytes -= member.size
                if most_bytes < 0:
                    raise ArchiveError(f"{member.name!r} is larger than the archive it came in")
                _put_back(archive, member, folder / member.name)
                top = top or member.name
    except (tarfile.TarError, FileExistsError, NotADirectoryError) as error:
        raise ArchiveError(f"not an archive of ours: {error}") from error
    if top is None:
        raise ArchiveError("the archive is empty")
    return folder / Path(top).parts[0]


def _check(member: tarfile.TarInfo) -> None:
    """Links could lead out of the folder, and sparse files be larger than they look."""
    plain = member.isdir() or (member.isreg() and not member.issparse())
    path = Path(member.name)
    if not plain or path.is_absolute() or not path.parts or ".." in path.parts:
        raise ArchiveError(f"{member.name!r} is not a file or folder of a checkpoint")


def _put_back(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    content = archive.extractfile(member)
    if content is None:
        target.mkdir()
        return
    with content, target.open("xb") as file:
        shutil.copyfileobj(content, file, CHUNK_BYTES)


def _chunks(path: Path) -> Iterator[bytes]:
    path = path.resolve()
    inside = sorted(path.rglob("*")) if path.is_dir() else []
    for member in (path, *inside):
        info = tarfile.TarInfo(str(member.relative_to(path.parent)))
        if member.is_dir() and not member.is_symlink():
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            yield info.tobuf(tarfile.PAX_FORMAT)
        elif member.is_file():
            yield from _file(member, info)
        else:
            raise ArchiveError(
                f"{member} is no file and no folder (or a link to one): leave it out"
            )
    yield END


def _file(path: Path, info: tarfile.TarInfo) -> Iterator[bytes]:
    with path.open("rb") as file:
        left = info.size = path.stat().st_size
        yield info.tobuf(tarfile.PAX_FORMAT)
        while left:
            chunk = file.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise ArchiveError(f"{path} became shorter while it was saved")
            left -= len(chunk)
            yield chunk
    yield bytes(-info.size % tarfile.BLOCKSIZE)
