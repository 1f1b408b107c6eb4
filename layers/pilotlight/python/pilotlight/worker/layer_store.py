"""The code layers on the disk: every version in a folder of its own, a link to the current one.

`code/<layer>` -> `code/.versions/<layer>-<version>`: a reader sees the old code or the new one.
"""

import base64
import compileall
import hashlib
import json
import shutil
import tempfile
import urllib.request
import zipfile
from pathlib import Path

from pilotlight.aws.worker_code import LayerArchive
from pilotlight.errors import PilotlightError
from pilotlight.worker.home import write_atomically

DOWNLOAD_TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 20
MAX_ARCHIVE_BYTES = 250 << 20  # Lambda's limit for a function with all its layers, unzipped
ARN_FILE = ".layer.json"


class LayerError(PilotlightError):
    """A layer's archive is not what it should be; the code on disk stays as it was."""


class LayerStore:
    def __init__(self, code: Path) -> None:
        self._code = code
        self._versions = code / ".versions"

    def folder(self, layer: str) -> Path:
        return self._code / layer

    def current_arn(self, layer: str) -> str | None:
        """None when the layer is not there, or was laid down by the user data."""
        try:
            document = json.loads((self.folder(layer) / ARN_FILE).read_text(encoding="utf-8"))
            return str(document["arn"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def fetch(self, layer: str, archive: LayerArchive) -> Path:
        """Download, verify and unzip next to the current version. Raises LayerError, OSError."""
        self._versions.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._versions, prefix=".fetch-") as scratch:
            zip_path = Path(scratch) / "layer.zip"
            _download(archive, zip_path)
            unpacked = Path(scratch) / "unpacked"
            _unpack(zip_path, unpacked, archive.arn)
            write_atomically(unpacked / ARN_FILE, json.dumps({"arn": archive.arn}))
            folder = self._versions / f"{layer}-{_short(archive.arn)}"
            shutil.rmtree(folder, ignore_errors=True)  # of an update that was cut off
            unpacked.rename(folder)
            compileall.compile_dir(
                folder, quiet=2
            )  # jobs cannot write here, and would at each start
            return folder

    def switch(self, layer: str, folder: Path) -> None:
        """Make `folder` the current version, and delete all but it and the one before."""
        link = self.folder(layer)
        before = link.resolve() if link.exists() else None
        if link.is_dir() and not link.is_symlink():  # as the user data unzipped it, at setup only
            before = link.rename(self._versions / f"{layer}-first")
        fresh = self._versions / f".{layer}.link"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(folder.relative_to(self._versions.parent))
        fresh.rename(link)
        for version in self._versions.glob(f"{layer}-*"):
            if version not in (folder, before):
                shutil.rmtree(version)


def _download(archive: LayerArchive, path: Path) -> None:
    if not archive.url.startswith(("https://", "http://")):
        raise LayerError(f"{archive.arn}: its link is no web address")
    digest, size = hashlib.sha256(), 0
    with (
        urllib.request.urlopen(  # noqa: S310  the scheme is checked above
            archive.url, timeout=DOWNLOAD_TIMEOUT_SECONDS
        ) as answer,
        path.open("wb") as file,
    ):
        while chunk := answer.read(CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_ARCHIVE_BYTES:
                raise LayerError(f"{archive.arn}: more than {MAX_ARCHIVE_BYTES} bytes")
            digest.update(chunk)
            file.write(chunk)
    found = base64.b64encode(digest.digest()).decode()
    if found != archive.sha256_base64:
        raise LayerError(
            f"{archive.arn}: SHA-256 is {found}, Lambda announced {archive.sha256_base64}"
        )


def _unpack(zip_path: Path, folder: Path, arn: str) -> None:
    try:
        with zipfile.ZipFile(zip_path) as archive:
            members = archive.infolist()
            for member in members:
                target = (folder / member.filename).resolve()
                if not target.is_relative_to(folder.resolve()):
                    raise LayerError(f"{arn}: {member.filename!r} would be written elsewhere")
            if sum(member.file_size for member in members) > MAX_ARCHIVE_BYTES:
                raise LayerError(f"{arn}: more than {MAX_ARCHIVE_BYTES} bytes when unzipped")
            archive.extractall(folder)
    except zipfile.BadZipFile as error:
        raise LayerError(f"{arn}: {error}") from error


def _short(arn: str) -> str:
    return hashlib.sha256(arn.encode()).hexdigest()[:12]
