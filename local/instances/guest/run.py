"""Runs one of the box's own programs; started with `<root> <program> <its arguments>`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from local.instances.guest.box import Box, read_box
from local.instances.guest.programs import cloud_init, dnf, journalctl, power, systemctl

PROGRAMS: dict[str, Callable[[Box, list[str]], int]] = {
    "cloud-init": cloud_init.main,
    "dnf": dnf.main,
    "halt": power.poweroff,
    "journalctl": journalctl.main,
    "poweroff": power.poweroff,
    "reboot": power.reboot,
    "shutdown": power.shutdown,
    "systemctl": systemctl.main,
    "yum": dnf.main,
}


def main() -> None:
    root, name, *argv = sys.argv[1:]
    sys.exit(PROGRAMS[name](read_box(Path(root)), argv))
