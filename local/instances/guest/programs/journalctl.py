"""journalctl: `journalctl -u UNIT [-n N] [-f]` from what services printed on this disk."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from local.instances.guest.box import Box

FOLLOW_POLL_SECONDS = 0.25


def main(box: Box, argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="journalctl")
    parser.add_argument("-u", "--unit", action="append", required=True)
    parser.add_argument("-n", "--lines", default="all")
    parser.add_argument("-f", "--follow", action="store_true")
    wanted, _ = parser.parse_known_args(argv)  # --no-pager, -o, -b and the like change nothing here
    for unit in wanted.unit:
        journal = box.journal(unit if "." in unit else f"{unit}.service")
        lines = (
            journal.read_text(errors="replace").splitlines(keepends=True)
            if journal.exists()
            else []
        )
        shown = lines if wanted.lines == "all" else lines[-int(wanted.lines) :]
        sys.stdout.write("".join(shown) or "-- No entries --\n")
        if wanted.follow:
            _follow(journal)
    return 0


def _follow(journal: Path) -> None:
    with journal.open(errors="replace") as lines:
        lines.seek(0, 2)
        while True:
            sys.stdout.write(lines.read())
            sys.stdout.flush()
            time.sleep(FOLLOW_POLL_SECONDS)
