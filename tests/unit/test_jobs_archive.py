"""What comes out of an archive is inside of its folder, and no more than went in."""

import io
import tarfile
from pathlib import Path

import pytest

from pilotlight.jobs.archive import Archive, ArchiveError, unpack


def member(name: str, kind: bytes = tarfile.REGTYPE, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def archive_of(*members: tarfile.TarInfo) -> bytes:
    """A tar as somebody else might put it into the bucket."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(b"x" * info.size))
    return out.getvalue()


def sparse_file(size_bytes: int) -> bytes:
    """GNU's header of a file that is almost all hole: a terabyte in half a kilobyte."""
    info = member("hole", tarfile.GNUTYPE_SPARSE, size=0)
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"%011o\0" % size_bytes
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(2 * tarfile.BLOCKSIZE)


HOSTILE: dict[str, bytes] = {
    "outside": archive_of(member("../evil", size=1)),
    "outside, deeper": archive_of(
        member("model", tarfile.DIRTYPE), member("model/../../e", size=1)
    ),
    "symbolic link": archive_of(member("model", tarfile.SYMTYPE, linkname="/etc")),
    "hard link": archive_of(member("model", tarfile.LNKTYPE, linkname="/etc/passwd")),
    "device": archive_of(member("model", tarfile.CHRTYPE, devmajor=1, devminor=3)),
    "named pipe": archive_of(member("model", tarfile.FIFOTYPE)),
    "sparse": sparse_file(1 << 40),
    "the same name twice": archive_of(member("model", size=1), member("model", size=1)),
    "a file as a folder": archive_of(member("model", size=1), member("model/evil", size=1)),
    "no name": archive_of(member(".", size=1)),
    "empty": archive_of(),
    "no tar": b"pickle" * 1000,
    "nothing": b"",
    "broken off": archive_of(member("model", size=5000))[:3000],
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_we_did_not_save_is_refused(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "inside" / "folder"
    folder.mkdir(parents=True)
    with pytest.raises(ArchiveError):
        unpack(io.BytesIO(content), folder, most_bytes=len(content))
    outside = [it for it in tmp_path.rglob("*") if not it.is_relative_to(folder.parent)]
    assert outside == []
    assert [it.name for it in folder.parent.iterdir()] == ["folder"]


def test_no_more_comes_out_than_was_agreed(tmp_path: Path) -> None:
    content = archive_of(member("a", size=600), member("b", size=600))
    with pytest.raises(ArchiveError, match="'b' is larger"):
        unpack(io.BytesIO(content), tmp_path, most_bytes=1000)


def test_a_file_that_shrinks_meanwhile_is_not_saved(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"x" * 3_000_000)
    archive = Archive(file)
    archive.read(1000)
    file.write_bytes(b"")
    with pytest.raises(ArchiveError, match="became shorter"):
        while archive.read(1_000_000):
            pass


def test_a_file_that_grows_meanwhile_is_saved_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"x" * 1000)
    archive = Archive(file)
    content = archive.read(100)
    file.write_bytes(b"x" * 5000)
    while more := archive.read(100):
        content += more
    folder = tmp_path / "restored"
    assert unpack(io.BytesIO(content), folder, len(content)).read_bytes() == b"x" * 1000


@pytest.mark.parametrize("size_bytes", [0, 1, 511, 512, 2 * 1_048_576])
@pytest.mark.parametrize("at_once", [1 << 30, 512])
def test_all_of_a_file_is_there_however_it_is_read(
    size_bytes: int, at_once: int, tmp_path: Path
) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "a").write_bytes(b"a" * size_bytes)
    (tmp_path / "saved" / "b").write_bytes(b"b" * 100)
    reader = io.BufferedReader(Archive(tmp_path / "saved"))
    content = b""
    while part := reader.read(at_once):
        content += part
    restored = unpack(io.BytesIO(content), tmp_path / "restored", len(content))
    assert (restored / "a").read_bytes() == b"a" * size_bytes
    assert (restored / "b").read_bytes() == b"b" * 100
