"""cloud-init: `cloud-init status [--wait] [--long]`, with its exit codes.

Source: cloud-init documentation, "Failure states": 0 success, 1 unrecoverable error, 2 recoverable.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from local.instances.guest.box import Box

POLL_SECONDS = 0.25


def main(box: Box, argv: list[str]) -> int:
    if argv[:1] != ["status"]:
        sys.stderr.write("cloud-init: only `cloud-init status` is provided here\n")
        return 1
    report = _report(box.run)
    while "--wait" in argv and report["status"] in ("running", "not started"):
        sys.stdout.write(".")
        sys.stdout.flush()
        time.sleep(POLL_SECONDS)
        report = _report(box.run)
    sys.stdout.write(
        f"\nstatus: {report['status']}\n" if "--wait" in argv else f"status: {report['status']}\n"
    )
    if "--long" in argv:
        sys.stdout.write(
            f"errors: {report['errors']}\nrecoverable_errors: {report['recoverable_errors']}\n"
        )
    if report["errors"]:
        return 1
    return 2 if report["recoverable_errors"] else 0


def _report(run: Path) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads((run / "cloud-init/status.json").read_text())
    except FileNotFoundError:
        return {"status": "not started", "errors": [], "recoverable_errors": []}
    return report
