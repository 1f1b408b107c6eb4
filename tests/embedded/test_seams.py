"""Private names of ministack are used in one place, and are what the seams were written for."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

from tests.embedded.ministack_names import RECORD

ROOT = Path(__file__).parents[2]
OURS = ("cli", "functions", "layers", "local", "tests", "tools")
MAY_IMPORT = ("local/seams/", "tests/embedded/ministack_names.py")


def test_ministack_is_the_version_that_the_seams_were_written_for() -> None:
    assert importlib.metadata.version("ministack") == "1.5.33"


def test_no_seam_has_moved() -> None:
    show = "import json; from tests.embedded.ministack_names import current; "
    show += "print(json.dumps(current()))"
    printed = subprocess.run(
        [sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    found = json.loads(printed.splitlines()[-1])
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    moved = {name: what for name, what in found.items() if recorded.get(name) != what}
    assert not moved, (
        f"{sorted(moved)} of ministack are new or not what the seams rely on: read them and "
        "local/seams, then record anew: python -m tests.embedded.ministack_names"
    )
    assert "missing" not in found.values()


def test_nothing_but_the_seams_imports_ministack() -> None:
    guilty = [
        str(path.relative_to(ROOT))
        for folder in OURS
        for path in (ROOT / folder).rglob("*.py")
        if not str(path.relative_to(ROOT)).startswith(MAY_IMPORT) and imports_ministack(path)
    ]
    assert guilty == []


def imports_ministack(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        if any(name.split(".")[0] == "ministack" for name in names):
            return True
    return False
