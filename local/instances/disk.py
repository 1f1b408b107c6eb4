"""An instance's disk: laid out at creation, refreshed at boot, emptied of what a stop loses."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from local.instances.guest.cloud_init import USER_DATA
from local.instances.guest.run import PROGRAMS
from local.instances.layout import Layout
from local.instances.trash import Trash

CODE = Path(__file__).parents[2]
"""The folder that holds the package `local`."""

EVERYBODYS = 0o1777
"""Of /tmp: everybody may write, nobody may remove what is another's."""

_FOLDERS = (
    "etc/systemd/system", "home", "opt", "root", "run", "srv", "tmp",
    "usr/bin", "usr/local/bin", "usr/sbin",
    "var/cache", "var/lib/cloud/instance", "var/lib/pilotlight", "var/log",
)  # fmt: skip
# This computer's own units, logs and cloud-init state are not the box's.
_HIDING = ("etc/systemd/system", "var/log", "var/lib/cloud")
_NETWORK = ("etc/resolv.conf", "etc/hosts")


def launcher(module: str, root: Path, *arguments: str) -> list[str]:
    """A command that runs `module.main` of the guest by this interpreter and nothing but it."""
    code = f"import sys; sys.path.insert(0, {str(CODE)!r}); from {module} import main; main()"
    return [sys._base_executable, "-I", "-S", "-c", code, str(root), *arguments]  # type: ignore[attr-defined]


def lay_out(layout: Layout, user_data: bytes) -> None:
    """A new disk: the folders that a system has, and the user data where cloud-init keeps it."""
    for name in _FOLDERS:
        (layout.disk / name).mkdir(parents=True)
    layout.work.mkdir()
    layout.temporary.chmod(EVERYBODYS)
    for name in _HIDING:
        _hide_what_is_below(layout.disk / name)
    (layout.disk / "var/lib/cloud/instance" / USER_DATA).write_bytes(user_data)


def refresh(
    layout: Layout, root: Path, described: Mapping[str, object], settings: Path | None
) -> None:
    """Before a boot: programs, network and pip settings as this computer has them now."""
    layout.run.joinpath("box.json").write_text(json.dumps(described))
    for name in PROGRAMS:
        _write_program(layout, root, name)
    for name in _NETWORK:
        if Path("/", name).exists():
            layout.disk.joinpath(name).write_bytes(Path("/", name).read_bytes())
    if settings is not None:
        own = layout.disk / "root/.config/pip"
        own.mkdir(parents=True, exist_ok=True)
        own.joinpath("pip.conf").write_bytes(settings.read_bytes())


def forget_memory(layout: Layout, trash: Trash) -> None:
    """What a stop loses: /run and /tmp."""
    for folder in (layout.run, layout.temporary):
        trash.throw_away(folder)
        folder.mkdir()
    layout.temporary.chmod(EVERYBODYS)


def _write_program(layout: Layout, root: Path, name: str) -> None:
    """Over this computer's own program of that name, wherever systems keep it."""
    line = shlex.join(launcher("local.instances.guest.run", root, name))
    for folder in ("usr/bin", "usr/sbin"):
        if Path("/", folder).is_symlink():
            continue
        program = layout.disk / folder / name
        program.write_text(f'#!/bin/sh\nexec {line} "$@"\n')
        program.chmod(0o755)


def _hide_what_is_below(folder: Path) -> None:
    """Mark an overlay's upper folder opaque; without extended attributes nothing hides it."""
    if hasattr(os, "setxattr"):
        os.setxattr(folder, "user.overlay.opaque", b"y")
