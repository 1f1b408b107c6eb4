"""`python -m pilotlight.worker.readiness`: is this instance proven to be able to do the work?

The last line printed is the verdict as JSON; the exit code is 0 when all checks passed.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pilotlight.errors import SettingsError
from pilotlight.worker.checks import ALL_CHECKS
from pilotlight.worker.home import Home
from pilotlight.worker.job_process import JobProcess
from pilotlight.worker.job_user import JobUser, job_user
from pilotlight.worker.marker import SetupMarker, read_marker
from pilotlight.worker.self_check import CheckResult, hear_checks
from pilotlight.worker.settings import WorkerSettings, parse_settings

MIN_FREE_BYTES = 1 << 30  # a job's scratch space, the journal, and the next version of the code
DEVICE_UNKNOWN = "cpu"


@dataclass(frozen=True)
class Verdict:
    checks: tuple[CheckResult, ...]
    marker: SetupMarker | None
    template_version: str
    proven_at: float

    @property
    def ready(self) -> bool:
        return all(check.ok for check in self.checks)

    def document(self) -> dict[str, Any]:
        return {
            "ready": self.ready,
            "checks": [asdict(check) for check in self.checks],
            "proof": {
                "setup_hash": self.marker.setup_hash if self.marker else "",
                "template_version": self.template_version,
                "torch_version": self.marker.torch_version if self.marker else "",
                "proven_at": round(self.proven_at),
            },
        }


def prove(home: Home, environ: Mapping[str, str], clock: Callable[[], float]) -> Verdict:
    """Every check runs, whatever the others say: who reads the verdict wants all that is wrong."""
    settings, settings_check = _check_settings(home, clock)
    checks = [
        settings_check,
        _check_setup(home, clock),
        _check_disk(home, clock),
        *_check_work(
            settings.device if settings else DEVICE_UNKNOWN, environ, job_user(home, 0), clock
        ),
    ]
    template_version = settings.template_version if settings else ""
    return Verdict(tuple(checks), read_marker(home), template_version, clock())


def _check_settings(
    home: Home, clock: Callable[[], float]
) -> tuple[WorkerSettings | None, CheckResult]:
    began = clock()
    try:
        settings = parse_settings(home.settings_file.read_text(encoding="utf-8"))
    except (OSError, SettingsError) as error:
        return None, _result("settings_readable", False, str(error), began, clock)
    return settings, _result(
        "settings_readable", True, f"template {settings.template_version}", began, clock
    )


def _check_setup(home: Home, clock: Callable[[], float]) -> CheckResult:
    began = clock()
    marker = read_marker(home)
    if marker is not None:
        detail = f"torch {marker.torch_version}, setup {marker.setup_hash}"
        return _result("setup_finished", True, detail, began, clock)
    try:
        detail = home.setup_error_file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        detail = "no setup.json: the user data has not come to its end"
    return _result("setup_finished", False, detail, began, clock)


def _check_disk(home: Home, clock: Callable[[], float]) -> CheckResult:
    began = clock()
    free_bytes = shutil.disk_usage(home.root).free
    detail = f"{free_bytes / MIN_FREE_BYTES:.1f} GiB free at {home.root}"
    ok = free_bytes >= MIN_FREE_BYTES
    if not ok:
        detail += ", 1 GiB is the least: enlarge the root volume"
    return _result("disk_free", ok, detail, began, clock)


def _check_work(
    device: str, environ: Mapping[str, str], user: JobUser | None, clock: Callable[[], float]
) -> list[CheckResult]:
    began = clock()
    try:
        process = JobProcess(ALL_CHECKS, device, environ, user)
    except OSError as error:
        detail = f"{error}: jobs run as user {user.id if user else os.geteuid()}, who has to be "
        detail += "able to read the venv and the code; set up with umask 022"
        return [_result("job_process", False, detail, began, clock)]
    try:
        return hear_checks(process, ALL_CHECKS, clock)
    finally:
        process.kill()


def _result(
    name: str, ok: bool, detail: str, began: float, clock: Callable[[], float]
) -> CheckResult:
    return CheckResult(name, ok, detail, round(clock() - began, 3))


def main() -> int:
    verdict = prove(Home.from_environment(os.environ), os.environ, time.time)
    sys.stdout.write(json.dumps(verdict.document()) + "\n")
    return 0 if verdict.ready else 1


if __name__ == "__main__":
    sys.exit(main())
