"""dnf: a package counts as installed when the host has what it brings; otherwise it is named.

Nothing is downloaded. `pythonX.Y` puts the host's interpreter of that version on the box's PATH.
"""

from __future__ import annotations

import re
import shutil
import sys

from local.instances.guest.box import Box

_PYTHON = re.compile(r"python3(?:\.(\d+))?(-pip|-devel|-setuptools|-wheel|-libs)?$")
_PROGRAM_OF = {
    "gcc-c++": "g++",
    "awscli": "aws",
    "awscli-2": "aws",
    "procps-ng": "ps",
    "util-linux": "mount",
}
_PROGRAM_OF |= {"coreutils": "ls", "findutils": "find", "git-core": "git", "curl-minimal": "curl"}
_NOTHING_TO_DO = (
    "update",
    "upgrade",
    "makecache",
    "clean",
    "check-update",
    "versionlock",
    "config-manager",
)


def main(box: Box, argv: list[str]) -> int:
    words = [word for word in argv if not word.startswith("-")]
    if words[:1] and words[0] in _NOTHING_TO_DO:
        sys.stdout.write("Nothing to do.\n")
        return 0
    if words[:1] != ["install"]:
        sys.stderr.write(f"dnf {' '.join(words)} is not provided here; dnf install is.\n")
        return 1
    missing = [reason for package in words[1:] if (reason := _lack(box, package))]
    if missing:
        sys.stderr.write("".join(f"No match for argument: {reason}\n" for reason in missing))
        sys.stderr.write("Error: Unable to find a match\n")
        return 1
    sys.stdout.write("Complete!\n")
    return 0


def _lack(box: Box, package: str) -> str | None:
    """Why `package` cannot be had here; None once it is there."""
    python = _PYTHON.fullmatch(package)
    if python:
        return _lack_of_python(box, package, python[1], pip=python[2] == "-pip")
    program = _PROGRAM_OF.get(package, package)
    if shutil.which(program):
        return None
    return f"{package} (this computer has no program {program!r}: install it here first)"


def _lack_of_python(box: Box, package: str, minor: str | None, pip: bool) -> str | None:
    if minor is None:
        return None if shutil.which("python3") else f"{package} (no python3 on this computer)"
    interpreter = box.interpreters.get(f"3.{minor}")
    if interpreter is None:
        there = ", ".join(sorted(box.interpreters))
        return f"{package} (this computer has Python {there}: install 3.{minor} or ask for these)"
    _put_on_path(box, f"python3.{minor}", interpreter, "")
    if pip:
        _put_on_path(box, f"pip3.{minor}", interpreter, "-m pip ")
    return None


def _put_on_path(box: Box, name: str, interpreter: str, arguments: str) -> None:
    """A script and not a link: through one Python takes the library beside the link for its own."""
    program = box.root / "usr/bin" / name
    if str(program) == interpreter:
        return
    program.unlink(missing_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{interpreter}" {arguments}"$@"\n')
    program.chmod(0o755)
