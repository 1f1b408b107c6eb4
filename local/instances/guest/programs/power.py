"""shutdown, poweroff, halt, reboot: the instance goes off or restarts."""

from __future__ import annotations

import sys
import time

from local.instances.guest.ask import ask_init
from local.instances.guest.box import Box


def poweroff(box: Box, _argv: list[str]) -> int:
    return ask_init(box, ["poweroff"])


def reboot(box: Box, _argv: list[str]) -> int:
    return ask_init(box, ["reboot"])


def shutdown(box: Box, argv: list[str]) -> int:
    """`shutdown [-h|-P|-r] [now|+MINUTES]`; shutdown(8): without a time, in a minute."""
    when = next((word for word in argv if not word.startswith("-")), "+1")
    if when != "now" and not when.lstrip("+").isdigit():
        sys.stderr.write(
            f"shutdown: Failed to parse time specification: {when}. Use now or +MINUTES.\n"
        )
        return 1
    time.sleep(0 if when == "now" else 60 * int(when))
    return ask_init(box, ["reboot" if "-r" in argv else "poweroff"])
