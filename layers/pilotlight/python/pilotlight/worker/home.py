"""Where things lie on the instance."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_HOME = "/opt/pilotlight"
DEFAULT_RUN = "/run/pilotlight"


@dataclass(frozen=True)
class Home:
    """`root` is on the disk and outlives a stop; `run` is in memory and does not."""

    root: Path
    run: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Home":
        return cls(
            root=Path(environ.get("PILOTLIGHT_HOME") or DEFAULT_HOME),
            run=Path(environ.get("PILOTLIGHT_RUN") or DEFAULT_RUN),
        )

    @property
    def settings_file(self) -> Path:
        return self.root / "settings.json"

    @property
    def marker_file(self) -> Path:
        return self.root / "setup.json"

    @property
    def setup_error_file(self) -> Path:
        return self.root / "setup-error.txt"

    @property
    def code(self) -> Path:
        return self.root / "code"

    @property
    def scratch(self) -> Path:
        return self.root / "tmp"

    @property
    def job_homes(self) -> Path:
        return self.root / "home"

    @property
    def drain_request_file(self) -> Path:
        return self.run / "drain-request.json"

    @property
    def drain_verdict_file(self) -> Path:
        return self.run / "drain-verdict.json"

    @property
    def code_check_file(self) -> Path:
        return self.run / "code-check.json"

    @property
    def liveness_file(self) -> Path:
        return self.run / "worker.json"

    @property
    def unprotected_file(self) -> Path:
        return self.run / "unprotected"


def write_atomically(path: Path, text: str) -> None:
    """Readers see the old text or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
