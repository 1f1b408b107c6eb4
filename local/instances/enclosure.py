"""How a box is kept apart from this computer: by namespaces where it may, by folders where not."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from local.instances.disk import lay_out
from local.instances.layout import Layout
from local.instances.trash import remove

SCRIPT = Path(__file__).with_name("enclose.sh")
PROBE_SECONDS = 20
BOX_MARK = "PILOTLIGHT_BOX"
"""By this variable every process of a box that is not enclosed is found."""
MASKED = ("/run", "/tmp", "/root")  # noqa: S108
"""Folders of this computer that a box does not see; its own are in their place."""


class Enclosure(Protocol):
    """What the two kinds of box differ in."""

    enclosed: bool

    def root(self, layout: Layout) -> Path:
        """The box's `/` as its own programs write it."""

    def adapt(self, environment: Mapping[str, str], layout: Layout) -> dict[str, str]:
        """The environment that its programs get."""

    def command(self, layout: Layout, program: Sequence[str]) -> list[str]:
        """What to execute on this computer so that `program` runs in the box."""


class Namespaces:
    """Linux mount, PID and UTS namespaces: absolute paths are the box's own.

    `visible` are folders under masked ones that the box must see all the same.
    """

    enclosed = True

    def __init__(self, pip_cache: Path, visible: Sequence[Path]) -> None:
        self._pip_cache = pip_cache
        self._visible = [
            path for path in visible if str(path).startswith(tuple(f"{m}/" for m in MASKED))
        ]

    def root(self, layout: Layout) -> Path:  # noqa: ARG002
        return Path("/")

    def adapt(self, environment: Mapping[str, str], layout: Layout) -> dict[str, str]:  # noqa: ARG002
        return dict(environment)

    def command(self, layout: Layout, program: Sequence[str]) -> list[str]:
        as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        enter = ["unshare", *as_root, "--mount", "--pid", "--uts", "--fork", "--kill-child"]
        visible = "\n".join(map(str, self._visible))
        script = ["sh", str(SCRIPT), str(layout.folder), str(self._pip_cache), visible]
        return [*enter, *script, *program]


class Folders:
    """The box is a folder and an environment; absolute paths are this computer's own."""

    enclosed = False

    def __init__(self, pip_cache: Path, host_path: str) -> None:
        self._pip_cache = pip_cache
        self._host_path = host_path

    def root(self, layout: Layout) -> Path:
        return layout.disk

    def adapt(self, environment: Mapping[str, str], layout: Layout) -> dict[str, str]:
        return {
            **environment,
            "PATH": f"{layout.disk}/usr/bin:{self._host_path}",
            "HOME": f"{layout.disk}/root",
            "TMPDIR": str(layout.temporary),
            "PIP_CACHE_DIR": str(self._pip_cache),
            BOX_MARK: layout.folder.name,
            "PILOTLIGHT_HOME": f"{layout.disk}/opt/pilotlight",
            "PILOTLIGHT_RUN": f"{layout.run}/pilotlight",
        }

    def command(self, layout: Layout, program: Sequence[str]) -> list[str]:  # noqa: ARG002
        return list(program)


def why_not_enclosed(namespaces: Namespaces) -> str | None:
    """None when this computer lets boxes be enclosed; otherwise what it said. Takes ~0.1 s."""
    if platform.system() != "Linux":
        return f"{platform.system()} has no namespaces"
    if shutil.which("unshare") is None:
        return "the program unshare (util-linux) is not installed"
    layout = Layout(Path(tempfile.mkdtemp(prefix="probe-")))
    lay_out(layout, user_data=b"")
    command = namespaces.command(layout, ["sh", "-c", "echo in > /etc/pilotlight-probe"])
    probe = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS)
    remove(layout.folder)
    if probe.returncode == 0:
        return None
    return next(reversed(probe.stderr.strip().splitlines()), "unshare failed and did not say why")


def choose_enclosure(
    pip_cache: Path, visible: Sequence[Path], host_path: str, tell: Callable[[str], None]
) -> Enclosure:
    """Namespaces where this computer permits them; else folders, and `tell` gets one line of it."""
    namespaces = Namespaces(pip_cache, visible)
    reason = why_not_enclosed(namespaces)
    if reason is None:
        return namespaces
    tell(
        f"Instances are not isolated here ({reason}): absolute paths in user data are this "
        "computer's own. Run as root, or permit unprivileged user namespaces, to isolate them."
    )
    return Folders(pip_cache, host_path)
