"""What a program inside the box knows of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Box:
    """The box as seen from inside. `root` is `/` when enclosed, else the folder of its disk."""

    root: Path
    hostname: str
    environment: Mapping[str, str]
    interpreters: Mapping[str, str]
    """Python version ("3.11") -> the host's interpreter for it."""
    enclosed: bool

    @property
    def run(self) -> Path:
        """Lost at stop, like memory."""
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "var/log"

    @property
    def units(self) -> Path:
        return self.root / "etc/systemd/system"

    @property
    def cloud(self) -> Path:
        """cloud-init's own state."""
        return self.root / "var/lib/cloud/instance"

    def journal(self, unit: str) -> Path:
        """The file that holds what `unit` printed."""
        return self.log / "journal" / f"{unit}.log"


def read_box(root: Path) -> Box:
    """The box whose disk `root` is, as described at its boot."""
    described = json.loads((root / "run/box.json").read_text())
    return Box(root=root, **described)
