"""systemctl: asks the box's init."""

from __future__ import annotations

from local.instances.guest.ask import ask_init
from local.instances.guest.box import Box


def main(box: Box, argv: list[str]) -> int:
    return ask_init(box, argv)
