"""`sam build`: whatever Python is here, the same code gives the same artifact."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from template_reader import ROOT, load_template, of_type

TEMPLATE = load_template()
FUNCTIONS = of_type(TEMPLATE, "AWS::Serverless::Function")
LAYERS = of_type(TEMPLATE, "AWS::Serverless::LayerVersion")
POWERTOOLS = ROOT / "layers" / "powertools"


def build(source: str, logical_id: str, folder: Path) -> list[str]:
    """As SAM does: in a copy of the source, into an empty folder. Returns the files made."""
    copy, artifacts = folder / "source", folder / "artifacts"
    shutil.copytree(ROOT / source, copy)
    artifacts.mkdir()
    subprocess.run(
        ["make", "--silent", f"build-{logical_id}", f"ARTIFACTS_DIR={artifacts}"],
        cwd=copy,
        check=True,
        capture_output=True,
    )
    return sorted(str(it.relative_to(artifacts)) for it in artifacts.rglob("*") if it.is_file())


def test_nothing_is_built_by_the_interpreter_that_happens_to_be_here() -> None:
    for logical_id in [*FUNCTIONS, *LAYERS]:
        metadata = TEMPLATE["Resources"][logical_id]["Metadata"]
        assert metadata["BuildMethod"] == "makefile", logical_id


@pytest.mark.parametrize("logical_id", FUNCTIONS)
def test_a_function_is_its_own_folder_and_nothing_else(logical_id: str, tmp_path: Path) -> None:
    folder, module, _ = FUNCTIONS[logical_id]["Handler"].split(".")
    files = build("functions", logical_id, tmp_path)
    assert f"{folder}/{module}.py" in files
    assert all(file.startswith(f"{folder}/") for file in files)
    assert not [file for file in files if "__pycache__" in file]


@pytest.mark.parametrize(
    ("logical_id", "expected"),
    [
        ("PilotlightLayer", {"python/pilotlight/__init__.py", "instance/setup"}),
        ("JobsLayer", {"python/jobs/__init__.py", "requirements.txt"}),
    ],
)
def test_a_layer_holds_what_instances_look_for(
    logical_id: str, expected: set[str], tmp_path: Path
) -> None:
    files = build(LAYERS[logical_id]["ContentUri"], logical_id, tmp_path)
    assert expected <= set(files)
    assert not [file for file in files if "__pycache__" in file]


def test_the_powertools_layer_is_made_for_the_runtime_that_loads_it() -> None:
    shared: dict[str, Any] = TEMPLATE["Globals"]["Function"]
    makefile = (POWERTOOLS / "Makefile").read_text("utf-8")
    [version] = re.findall(r"--implementation cp --python-version (\S+)", makefile)
    assert shared["Runtime"] == f"python{version}"
    assert shared["Architectures"] == ["arm64"]
    assert "_aarch64" in makefile
    assert "x86_64" not in makefile
    layer = LAYERS["PowertoolsLayer"]
    assert layer["CompatibleRuntimes"] == [shared["Runtime"]]


def test_every_dependency_of_the_functions_is_pinned_by_hash() -> None:
    requirements = (POWERTOOLS / "requirements.txt").read_text("utf-8")
    pinned = re.findall(r"^(\S+)==\S+ \\\n    --hash=sha256:", requirements, re.MULTILINE)
    assert "aws-lambda-powertools" in pinned
    assert len(pinned) == len(re.findall(r"^\w", requirements, re.MULTILINE))
    assert "botocore" not in pinned  # the Lambda runtime brings it
