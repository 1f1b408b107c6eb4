"""Whatever is installed from an index is named by version and hash, where that is ours to say.

PyTorch is the user's: PyTorchPackages takes versions but no hashes. So is layers/jobs.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from template_reader import ROOT, of_type

LOCK_FILES = [ROOT / "uv.lock", *sorted((ROOT / "tools").glob("*/uv.lock"))]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


@pytest.mark.parametrize("path", LOCK_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_in_a_lock_has_its_hash(path: Path) -> None:
    packages = tomllib.loads(path.read_text("utf-8"))["package"]
    from_index = [one for one in packages if "registry" in one["source"]]
    assert from_index
    for package in from_index:
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        assert files, package["name"]
        assert all(file["hash"].startswith("sha256:") for file in files), package["name"]


def test_tools_are_installed_from_their_locks() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    installs = re.findall(r"\$\(UV\) sync .*", makefile)
    assert len(installs) == 2  # the project's own, and one rule for every tool
    assert all("--locked" in install for install in installs)


def test_the_functions_layer_is_installed_by_hash() -> None:
    layer = ROOT / "layers/powertools"
    assert "--require-hashes" in (layer / "Makefile").read_text("utf-8")
    text = (layer / "requirements.txt").read_text("utf-8").replace("\\\n", " ")
    pins = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert pins
    for pin in pins:
        assert re.match(r"[a-z0-9-]+==\S+ ", pin), pin
        assert HASH.search(pin), pin


def test_user_data_installs_the_wheels_of_the_lock_by_hash(template: dict[str, Any]) -> None:
    data = of_type(template, "AWS::EC2::LaunchTemplate")["LaunchTemplate"]["LaunchTemplateData"]
    script = data["UserData"]["Fn::Base64"]["Fn::Sub"]
    [installed] = re.findall(r"pip install .*", script)
    assert "--require-hashes --requirement /dev/stdin <<'PINS'" in installed
    [pins] = re.findall(r"<<'PINS'\n(.*?)\nPINS", script, re.DOTALL)
    assert pins.splitlines() == list(locked_wheels("boto3"))


def locked_wheels(name: str) -> list[str]:
    """A package and all that it needs, as pip wants them, from the project's own lock."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    packages = {one["name"]: one for one in lock["package"]}
    needed, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        if one not in needed:
            needed.add(one)
            waiting += [it["name"] for it in packages[one].get("dependencies", [])]
    lines = []
    for package in (packages[one] for one in sorted(needed)):
        [wheel] = package["wheels"]  # one for every Python and machine
        lines.append(f"{package['name']}=={package['version']} --hash={wheel['hash']}")
    return lines
