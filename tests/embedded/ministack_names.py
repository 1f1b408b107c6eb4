"""What of ministack the seams use: every name, and a fingerprint of what stands behind it.

When ministack's version changes on purpose, read what moved, mend the seams, and record anew:
    python -m tests.embedded.ministack_names
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import json
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SEAMS = Path(__file__).parents[2] / "local/seams"
RECORD = Path(__file__).parent / "ministack_names.json"


def names_in_use(source: str) -> Iterator[str]:
    """Dotted names of ministack which a module imports or reads from an imported module."""
    tree = ast.parse(source)
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack"):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if is_module(name):
                    modules[alias.asname or alias.name] = name
                else:
                    yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            if module:
                yield f"{module}.{node.attr}"


def is_module(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return False
    return True


def fingerprint(name: str) -> str:
    """Source hash of a function or class, kind of anything else; `missing` when it is not there."""
    module, _, attribute = name.rpartition(".")
    found: Any = getattr(importlib.import_module(module), attribute, None)
    if found is None:
        return "missing"
    if isinstance(found, types.ModuleType):
        return "module"
    if inspect.isclass(found) or inspect.isfunction(found):
        return hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:16]
    return type(found).__name__


def current() -> dict[str, str]:
    """Fingerprints of all names in use, by name."""
    names = {
        name
        for path in SEAMS.glob("*.py")
        for name in names_in_use(path.read_text(encoding="utf-8"))
    }
    return {name: fingerprint(name) for name in sorted(names)}


if __name__ == "__main__":
    RECORD.write_text(json.dumps(current(), indent=2) + "\n", encoding="utf-8")
