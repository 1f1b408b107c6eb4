"""Which Pythons this computer has, for `dnf install pythonX.Y` inside a box."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"python3\.\d+$")
ASK_SECONDS = 20
# ensurepip is asked for because `python -m venv` needs it and some distributions leave it out.
_QUESTION = (
    "import sys, ensurepip; "
    "print(*sys.version_info[:2], sep='.'); print(sys._base_executable); print(sys.base_prefix)"
)


@dataclass(frozen=True)
class Interpreter:
    """`version` is like "3.11"; `prefix` holds its library."""

    version: str
    executable: Path
    prefix: Path


def own_interpreter() -> Interpreter:
    """The Python that runs this, out of its virtual environment."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    executable = Path(sys._base_executable)  # type: ignore[attr-defined]
    return Interpreter(version, executable, Path(sys.base_prefix))


def interpreters(path: str) -> dict[str, Interpreter]:
    """By version, Pythons that can make virtual environments; the first on `path` wins."""
    found: dict[str, Interpreter] = {}
    for candidate in (own_interpreter().executable, *_candidates(path)):
        interpreter = _ask(candidate)
        if interpreter is not None:
            found.setdefault(interpreter.version, interpreter)
    return found


def _candidates(path: str) -> Iterator[Path]:
    for folder in path.split(":"):
        if folder and Path(folder).is_dir():
            entries = sorted(Path(folder).iterdir())
            yield from (entry for entry in entries if _NAME.fullmatch(entry.name))


def _ask(candidate: Path) -> Interpreter | None:
    """None when it is no working Python (a version manager's shim) or has no ensurepip."""
    question = [str(candidate), "-I", "-c", _QUESTION]
    try:
        asked = subprocess.run(question, capture_output=True, text=True, timeout=ASK_SECONDS)
    except OSError:
        return None
    lines = asked.stdout.splitlines()
    if asked.returncode != 0 or len(lines) != 3:
        return None
    return Interpreter(lines[0], Path(lines[1]), Path(lines[2]))
