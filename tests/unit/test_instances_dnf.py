"""dnf in a box: the host's Pythons by their Amazon Linux names, and plain words for the rest."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.instances.guest.box import Box
from local.instances.guest.programs.dnf import main


def box(root: Path, interpreters: Mapping[str, str]) -> Box:
    (root / "usr/bin").mkdir(parents=True)
    return Box(root, "host", {}, interpreters, enclosed=False)


def test_an_interpreter_is_put_on_the_path_by_its_package_name(tmp_path: Path) -> None:
    there = box(tmp_path, {"3.11": sys.executable})

    assert main(there, ["install", "-y", "python3.11", "python3.11-pip"]) == 0

    asked = subprocess.run(
        [tmp_path / "usr/bin/python3.11", "-c", "import sys; print(sys.executable)"],
        capture_output=True,
        text=True,
    )
    assert asked.stdout.strip() == sys.executable
    assert "-m pip" in (tmp_path / "usr/bin/pip3.11").read_text()


def test_an_interpreter_that_has_that_very_path_is_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "usr/bin/python3.11"
    there = box(tmp_path, {"3.11": str(own)})
    own.write_text("the real one")

    assert main(there, ["install", "python3.11"]) == 0

    assert own.read_text() == "the real one"


def test_what_is_missing_is_named_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = box(tmp_path, {"3.12": "/usr/bin/python3.12"})

    assert main(there, ["install", "python3.11", "no-such-program", "gcc-c++"]) == 1

    said = capsys.readouterr().err
    assert "python3.11 (this computer has Python 3.12: install 3.11 or ask for these)" in said
    assert "no program 'no-such-program': install it here first" in said


@pytest.mark.parametrize("argv", [["update", "-y"], ["-q", "makecache"]])
def test_there_is_nothing_to_update(tmp_path: Path, argv: list[str]) -> None:
    assert main(box(tmp_path, {}), argv) == 0
