"""The marker that setup leaves when it is done: what was installed, and a hash of how."""

import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version

from pilotlight.worker.home import Home, write_atomically

# What decides the outcome of setup; another value of any of them is another setup.
HASHED_VARIABLES = ("PYTORCH_PACKAGES", "WHEEL_INDEX_URL", "DEVICE")


@dataclass(frozen=True)
class SetupMarker:
    setup_hash: str
    torch_version: str
    python_version: str
    packages: tuple[str, ...]
    finished_at: float  # epoch seconds


def read_marker(home: Home) -> SetupMarker | None:
    """None while setup has not finished."""
    try:
        document = json.loads(home.marker_file.read_text(encoding="utf-8"))
        return SetupMarker(**{**document, "packages": tuple(document["packages"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_marker(home: Home, environ: Mapping[str, str], now: float) -> SetupMarker:
    """To be called when everything else has been done. Raises PackageNotFoundError for torch."""
    marker = SetupMarker(
        setup_hash=_setup_hash(home, environ),
        torch_version=version("torch"),
        python_version=platform.python_version(),
        packages=tuple(environ.get("PYTORCH_PACKAGES", "").split()),
        finished_at=now,
    )
    home.setup_error_file.unlink(missing_ok=True)
    write_atomically(home.marker_file, json.dumps(asdict(marker)))
    return marker


def _setup_hash(home: Home, environ: Mapping[str, str]) -> str:
    digest = hashlib.sha256(platform.python_version().encode())
    for name in HASHED_VARIABLES:
        digest.update(f"\0{name}={environ.get(name, '')}".encode())
    digest.update((home.code / "pilotlight/instance/setup").read_bytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    written = write_marker(Home.from_environment(os.environ), os.environ, time.time())
    sys.stdout.write(f"setup finished: {json.dumps(asdict(written))}\n")
